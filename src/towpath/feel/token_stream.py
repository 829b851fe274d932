"""The tokens of a text and the place in them that the parser has come to."""

from __future__ import annotations

from .errors import FeelSyntaxError, place
from .hints import OPENING, advice, unclosed
from .lexer import Token, tokens

MAX_DEPTH = 80  # nested expressions and types; an expression takes five to ten Python frames


class TokenStream:
    """``position`` is the index of the next token; the last token is always an ``end``.

    A token's text alone tells a symbol or word from strings and the like, whose texts keep their quotes.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.position = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def advance(self) -> Token:
        token = self.tokens[self.position]
        if token.kind != "end":
            self.position += 1
        return token

    def at(self, text: str) -> bool:
        """Whether this symbol or word comes next."""
        return self.tokens[self.position].text == text

    def accept(self, text: str) -> bool:
        if self.tokens[self.position].text == text:
            self.position += 1
            return True
        return False

    def expect(self, *texts: str) -> Token:
        token = self.tokens[self.position]
        if token.text not in texts:
            raise self.error(*texts)
        self.position += 1
        return token

    def error(self, *expected: str) -> FeelSyntaxError:
        """That something else was expected here, with a hint where the mistake is a common one."""
        wanted = expected or ("an expression",)
        token = self.token
        found = "the end" if token.kind == "end" else repr(token.text[:40])
        named = [part if " " in part else repr(part) for part in wanted]
        listed = " or ".join((", ".join(named[:-1]), named[-1]) if len(named) > 1 else named)
        message = f"expected {listed}, found {found}"
        opened = unclosed(self.tokens[: self.position])
        hint = advice(self.tokens, self.position, wanted, opened)
        if opened is not None and (
            token.kind == "end" or token.text in OPENING.values() or OPENING[opened.text] in wanted
        ):
            line, column = place(self.text, opened.start)
            hint = hint or f"the {opened.text!r} of line {line}, column {column} is not closed"
        return self.refusal(message, token, wanted, hint)

    def deeper(self) -> None:
        """Something is nested in another of its kind; whoever calls this takes it back when it ends."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.refusal(f"nested more than {MAX_DEPTH} deep", self.token)

    def refusal(
        self, message: str, token: Token, expected: tuple[str, ...] = (), hint: str | None = None
    ) -> FeelSyntaxError:
        line, column = place(self.text, token.start)
        return FeelSyntaxError(message, line, column, expected, self.text, hint)
