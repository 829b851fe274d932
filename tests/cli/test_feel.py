"""``towpath feel``, as somebody at a terminal or a script calls it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from towpath.cli.main import app
from towpath.cli.prompt import completions
from towpath.cli.values import written


def feel(*arguments: str, given: str | None = None) -> Result:
    """Call the command; ``given`` is its standard input."""
    return CliRunner().invoke(app, ["feel", *arguments], input=given)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1.50 + 1", "2.5"),
        ('"a" + "b"', '"ab"'),
        ('date("2026-01-31")', '@"2026-01-31"'),
        ("{a: [1, null], b c: true}", "{a: [1, null], b c: true}"),
        ('"a\\u001B[31m"', '"a\\u001B[31m"'),
        ("null", "null"),
    ],
)
def test_a_value_is_printed_as_feel(text: str, shown: str) -> None:
    answered = feel(text)
    assert (answered.exit_code, answered.stdout, answered.stderr) == (0, f"{shown}\n", "")


def test_a_raw_string_has_no_quotes_and_no_escapes() -> None:
    assert feel('"a\\nb"', "--raw").stdout == "a\nb\n"
    assert feel("[1]", "--raw").stdout == "[1]\n"


def test_a_wide_value_is_laid_out_over_lines_of_the_terminal() -> None:
    value = {"name": "Ada", "orders": [{"price": 3, "item": "a pen"}, {"price": 4, "item": "ink"}], "e": []}
    assert written(value, 30) == (
        '{\n  name: "Ada",\n  orders: [\n    {price: 3, item: "a pen"},\n'
        '    {price: 4, item: "ink"}\n  ],\n  e: []\n}'
    )
    assert "\n" not in written(value)


def test_variables_come_from_files_text_and_options(tmp_path: Path) -> None:
    file = tmp_path / "ctx.json"
    file.write_text('{"amount": 2.10, "full-time": 1}')
    assert feel("amount + full-time", "--context", str(file)).stdout == "3.1\n"
    assert feel("x + 1", "-c", '{"x": 4}').stdout == "5\n"
    assert feel("x.month", "-c", '{x: date("2026-05-01")}').stdout == "5\n"
    assert feel("x + y", "--var", "x=1", "-v", "y=x * 10").stdout == "11\n"
    assert feel("amount", "-c", str(file), "-v", "amount=7").stdout == "7\n"
    assert feel("x", "-c", "-", given='{"x": [1, 2]}').stdout == "[1, 2]\n"


def test_the_expression_comes_from_standard_input() -> None:
    assert feel("-", given="1 +\n 2").stdout == "3\n"
    assert feel(given="1 + 2").stdout == "3\n"


def test_unary_tests_are_read_with_their_input() -> None:
    assert feel("[18..65)", "--unary", "18").stdout == "true\n"
    assert feel("[18..65)", "--unary", "65").stdout == "false\n"
    assert feel('"a", "b"', "-u", '"b"').stdout == "true\n"


def test_the_clock_can_be_set() -> None:
    assert feel("now()", "--now", "2026-11-22T10:00:00Z").stdout == '@"2026-11-22T10:00:00Z"\n'
    assert feel("today()", "--now", "2026-11-22T23:00:00@Asia/Tokyo").stdout == '@"2026-11-22"\n'
    assert feel("now() instance of date and time").stdout == "true\n"
    assert feel("uuid() != uuid()").stdout == "true\n"


def test_the_reason_for_a_null_is_told_with_its_place() -> None:
    answered = feel("{\n  a: 1 + amout\n}", "-v", "amount=1")
    assert (answered.exit_code, answered.stdout) == (0, "{a: null}\n")
    assert answered.stderr.splitlines()[:3] == [
        "warning: variable 'amout' not found, did you mean 'amount'? (line 2, column 10)",
        "    a: 1 + amout",
        "           ^",
    ]


def test_the_same_reason_is_told_once() -> None:
    answered = feel("for i in 1..50 return x")
    assert answered.stderr.count("warning:") == 1
    assert "50 times" in answered.stderr


def test_a_syntax_error_shows_the_place() -> None:
    answered = feel("if a then b")
    assert (answered.exit_code, answered.stdout) == (1, "")
    first, line, caret, hint = answered.stderr.splitlines()
    assert first.startswith("error: ")
    assert "line 1, column 12" in first
    assert line == "  if a then b"
    assert caret == "             ^"
    assert hint.startswith("hint: ")


def test_the_caret_stands_below_wide_characters_and_in_long_lines() -> None:
    assert feel('"日本" + + 1').stderr.splitlines()[1:] == ['  "日本" + + 1', "           ^"]
    line, caret = feel("1 + " * 100 + ")" + " + 1" * 100).stderr.splitlines()[1:3]
    assert line[caret.index("^")] == ")"
    assert len(line) < 120


def test_a_bound_that_is_reached_is_an_error() -> None:
    answered = feel("for i in 1..1000000000000 return i")
    assert (answered.exit_code, answered.stdout) == (1, "")
    assert answered.stderr.startswith("error: ")


def test_json_holds_value_and_warnings() -> None:
    answered = feel('{a: amout, b: 1.50, c: date("2026-01-01")}', "--json")
    assert answered.stderr == ""
    assert '"b":1.50' in answered.stdout
    assert json.loads(answered.stdout) == {
        "value": {"a": None, "b": 1.5, "c": "2026-01-01"},
        "warnings": [{"message": "variable 'amout' not found", "line": 1, "column": 5}],
    }


def test_json_holds_the_error_and_its_place() -> None:
    answered = feel("1 +", "--json")
    assert answered.exit_code == 1
    error = json.loads(answered.stdout)["error"]
    assert (error["line"], error["column"]) == (1, 4)
    assert error["message"]
    assert json.loads(feel("if a then b", "--json").stdout)["error"]["hint"]


def test_a_text_is_laid_out_anew() -> None:
    assert feel("if  a>1 then(  {b:2} ) else null", "--format").stdout == ("if a > 1 then {b: 2} else null\n")
    assert feel("<5 ,[ 7 .. 9)", "--format", "-u", "1").stdout == "< 5, [7..9)\n"
    assert feel("a-b*2", "--format", "-v", "a-b=1").stdout == "a-b * 2\n"
    long = feel("[" + ", ".join(["long name"] * 20) + "]", "--format").stdout
    assert max(map(len, long.splitlines())) <= 100
    assert feel("if", "--format").exit_code == 1


def test_half_a_surrogate_pair_is_printed_as_something() -> None:
    assert feel('"\\uD83D"').stdout == '"\\uD83D"\n'
    assert json.loads(feel('["\\uD83D"]', "--json").stdout)["value"] == ["\ufffd"]
    assert feel('"\\uD83D"', "--raw").stdout == "\ufffd\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["x", "-c", "nowhere.json"], "nowhere.json"),
        (["x", "-c", "[1]"], "[1]"),
        (["x", "-c", "{x: }"], "FEEL"),
        (["x", "-v", "x"], "NAME=VALUE"),
        (["x", "-v", "x=Ada"], "quotes"),
        (["x", "--now", "tomorrow"], "2026-11-22T10:00:00Z"),
        (["-", "-c", "-"], "can be read"),
        (["x", "--unknown"], "--unknown"),
    ],
)
def test_wrong_usage_is_told_with_status_2(arguments: list[str], told: str) -> None:
    answered = feel(*arguments, given="{}")
    assert answered.exit_code == 2
    assert told in answered.stderr


def test_a_context_file_that_is_no_json_is_told(tmp_path: Path) -> None:
    file = tmp_path / "ctx.json"
    for text, told in (('{"x": }', "line 1"), ("[1]", "object"), ('{"x": NaN}', "NaN"), ("[" * 9000, "deep")):
        file.write_text(text)
        answered = feel("x", "-c", str(file))
        assert answered.exit_code == 2
        assert told in answered.stderr


def test_help_has_an_example() -> None:
    assert "towpath feel 'sum(" in feel("--help").stdout


def test_names_with_spaces_are_completed() -> None:
    names = ["string", "string length", "string join", "substring", "full salary"]
    assert completions("string le", names) == ["string length"]
    assert completions("if string j", names) == ["if string join"]
    assert completions("sub", names) == ["substring"]
    assert completions("full", names) == ["full salary"]
    assert completions("", names) == []
    assert completions("zzz", names) == []


class Terminal:
    """The command at a terminal of its own."""

    def __init__(self, *arguments: str, state: Path) -> None:
        self.master, terminal = pty.openpty()
        environment = {**os.environ, "XDG_STATE_HOME": str(state), "TERM": "dumb", "COLUMNS": "80"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "towpath", "feel", *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=environment,
        )
        os.close(terminal)

    def until(self, text: str) -> str:
        """What was printed up to ``text``, read within half a minute."""
        seen, end = "", time.monotonic() + 30
        while not seen.endswith(text):
            assert time.monotonic() < end, seen
            seen += os.read(self.master, 1).decode("utf-8", "replace")
        return seen

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> int:
        """Wait for the process and close its terminal."""
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()
            os.close(self.master)


def test_a_terminal_without_an_expression_is_asked_for_some(tmp_path: Path) -> None:
    terminal = Terminal("-v", "price=10", state=tmp_path)
    try:
        terminal.until("feel> ")
        terminal.type("price * 3\n")
        assert "\n30\r\nfeel> " in terminal.until("\r\nfeel> ")
        terminal.type("if price > 1\n")
        terminal.until("... ")
        terminal.type('then "much" else "little"\n')
        assert '"much"' in terminal.until("\r\nfeel> ")
        terminal.type(":let total = price + 1\n")
        terminal.until("\r\nfeel> ")
        terminal.type("total\n")
        assert "11" in terminal.until("\r\nfeel> ")
        terminal.type("1 + )\n")
        assert "^" in terminal.until("\r\nfeel> ")
        terminal.type(":vars\n")
        assert "total = 11" in terminal.until("\r\nfeel> ")
        terminal.type(":quit\n")
    finally:
        assert terminal.end() == 0
    assert "price * 3" in (tmp_path / "towpath" / "feel_history").read_text()
