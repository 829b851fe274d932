"""Expressions typed one after the other: what ``towpath feel`` is at a terminal without an expression."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.markup import escape

from towpath.cli.diagnostics import show, show_error, show_warnings
from towpath.cli.feel import evaluated
from towpath.cli.output import console
from towpath.cli.values import written
from towpath.feel import DateTime, FeelError, FeelSyntaxError
from towpath.feel.builtins import STANDARD
from towpath.feel.expression import Dialect

_HISTORY = 1000  # lines kept from one session to the next
_WORDS = ["every", "false", "for", "function", "if", "null", "return", "satisfies", "some", "then", "true"]
_DELIMITERS = "()[]{},:;=<>+-*/.@\"'\n"  # not the space: names have some

_HELP = """Type an expression. One that is not finished goes on in the next line; an empty line ends it.

  :let NAME = EXPRESSION   keep a value under a name
  :vars                    show what is kept
  :quit                    leave; so does Ctrl-D"""


def run(variables: dict[str, Any], dialect: Dialect, moment: DateTime | None) -> None:
    """Read and answer until the end of the input."""
    console.print("FEEL. [dim]:help tells what there is besides expressions; Ctrl-D leaves.[/]")
    kept = dict(variables)
    with _line_editing(kept):
        while (text := _entered(kept, dialect)) is not None:
            try:
                if not _obeyed(text, kept, moment):
                    _answer(text, kept, dialect, moment)
            except EOFError:
                return
            except KeyboardInterrupt:
                console.print("[dim]given up[/]")


def _entered(kept: dict[str, Any], dialect: Dialect) -> str | None:
    """What was typed, of one or more lines; None at the end."""
    lines: list[str] = []
    while True:
        try:
            line = input("... " if lines else "feel> ")
        except EOFError:
            console.print()
            return None
        except KeyboardInterrupt:
            console.print()
            lines = []
            continue
        if not line.strip():
            if lines:
                return "\n".join(lines)
            continue
        lines.append(line)
        text = "\n".join(lines)
        if text.lstrip().startswith(":") or not _is_unfinished(text, kept, dialect):
            return text


def _is_unfinished(text: str, kept: dict[str, Any], dialect: Dialect) -> bool:
    """Whether the text is wrong only in that it ends."""
    from towpath.feel import compile

    try:
        compile(text, names=kept, dialect=dialect)
    except FeelSyntaxError as error:
        lines = text.split("\n")
        return error.line == len(lines) and error.column > len(lines[-1].rstrip())
    except FeelError:
        return False
    return False


def _obeyed(text: str, kept: dict[str, Any], moment: DateTime | None) -> bool:
    """Carry out a command of the prompt; False where the text is none. Raises EOFError to leave."""
    word, _, rest = text.strip().partition(" ")
    if not word.startswith(":"):
        return False
    if word in (":quit", ":q", ":exit"):
        raise EOFError
    if word == ":let":
        name, equals, expression = rest.partition("=")
        if equals and name.strip() and expression.strip():
            _keep(name.strip(), expression, kept, moment)
        else:
            show_error("write :let NAME = EXPRESSION")
    elif word == ":vars":
        for name, value in kept.items():
            console.print(f"[cyan]{escape(name)}[/] = ", end="")
            console.out(written(value, console.width - len(name) - 3), highlight=False)
        if not kept:
            console.print("[dim]nothing is kept; :let NAME = EXPRESSION keeps something[/]")
    else:
        if word not in (":help", ":h", ":?"):
            show_error(f"there is no {word}")
        console.print(_HELP, markup=False, highlight=False)
    return True


def _keep(name: str, expression: str, kept: dict[str, Any], moment: DateTime | None) -> None:
    try:
        result = evaluated(expression, kept, "expression", moment)
    except FeelError as error:
        show(error)
        return
    show_warnings(result.warnings, expression)
    kept[name] = result.value


def _answer(text: str, kept: dict[str, Any], dialect: Dialect, moment: DateTime | None) -> None:
    try:
        result = evaluated(text, kept, dialect, moment)
        answer = written(result.value, console.width)
    except FeelError as error:
        show(error)
        return
    show_warnings(result.warnings, text)
    console.out(answer, highlight=False)


@contextlib.contextmanager
def _line_editing(kept: dict[str, Any]) -> Iterator[None]:
    """Editing, history and completion, where this Python has readline."""
    if find_spec("readline") is None:
        yield
        return
    import readline

    history = _history_file()
    with contextlib.suppress(OSError):
        readline.read_history_file(history)
    readline.set_history_length(_HISTORY)
    readline.set_completer_delims(_DELIMITERS)
    readline.set_completer(lambda text, index: _completion(text, index, kept))
    readline.parse_and_bind("tab: complete")
    try:
        yield
    finally:
        readline.set_completer(None)
        with contextlib.suppress(OSError):
            history.parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(history)


def _history_file() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "towpath" / "feel_history"


def _completion(text: str, index: int, kept: Iterable[str]) -> str | None:
    found = completions(text, (*STANDARD, *_WORDS, *kept))
    return found[index] if index < len(found) else None


def completions(text: str, names: Iterable[str]) -> list[str]:
    """The texts that the last words of ``text``, as many as make the start of a name, complete to."""
    words = text.split(" ")
    for first in range(len(words)):
        start = " ".join(words[first:])
        found = sorted({name for name in names if start and name.startswith(start)})
        if found:
            before = " ".join(words[:first])
            return [f"{before} {name}" if first else name for name in found]
    return []
