"""The tokens of a text and the place in them that the parser has come to."""

from __future__ import annotations

from .errors import FeelSyntaxError, place
from .lexer import Token, tokens


class TokenStream:
    """``position`` is the index of the next token; the last token is always an ``end``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.position = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def advance(self) -> Token:
        token = self.tokens[self.position]
        if token.kind != "end":
            self.position += 1
        return token

    def at_symbol(self, *symbols: str) -> bool:
        token = self.tokens[self.position]
        return token.kind == "symbol" and token.text in symbols

    def at_word(self, word: str) -> bool:
        token = self.tokens[self.position]
        return token.kind == "name" and token.text == word

    def accept(self, symbol: str) -> bool:
        if self.at_symbol(symbol):
            self.position += 1
            return True
        return False

    def expect(self, *symbols: str) -> Token:
        if not self.at_symbol(*symbols):
            raise self.error(*symbols)
        return self.advance()

    def expect_word(self, word: str) -> None:
        if not self.at_word(word):
            raise self.error(word)
        self.position += 1

    def error(self, *expected: str) -> FeelSyntaxError:
        token = self.token
        line, column = place(self.text, token.start)
        found = "the end of the expression" if token.kind == "end" else repr(token.text)
        wanted = " or ".join(expected) or "an expression"
        return FeelSyntaxError(
            f"expected {wanted}, found {found}", line, column, expected or ("an expression",), self.text
        )
