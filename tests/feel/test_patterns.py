"""Regular expressions are those of XPath: what they match, and what is none."""

import contextlib
import time

import pytest

from towpath.feel import FeelLimitError, compile


def answer(function: str, *arguments: str) -> object:
    names = [f"v{index}" for index in range(len(arguments))]
    return compile(f"{function}({', '.join(names)})").evaluate(dict(zip(names, arguments, strict=True))).value


@pytest.mark.parametrize(
    ("text", "pattern", "flags", "expected"),
    [
        ("abracadabra", "bra", "", True),
        ("abracadabra", "^a.*a$", "", True),
        ("abracadabra", "^bra", "", False),
        ("", "", "", True),
        ("a\nb", "a.b", "", False),
        ("a\rb", "a.b", "", False),
        ("a\nb", "a.b", "s", True),
        ("a\nb", "^b$", "", False),
        ("a\nb", "^b$", "m", True),
        ("b\n", "^b$", "", False),
        ("abcd\ndefg\n", "^$", "m", False),
        ("abcd\n\ndefg\n", "^$", "m", True),
        ("aa", "^a{2}?$", "", True),
        ("aaa", "^a{2}$", "", False),
        ("aaa", "^a{2,}$", "", True),
        ("ab", "^(?:ab)+$", "", True),
        ("aba", "(a)b\\1", "", True),
        ("aa1", "(a)\\11", "", True),
        ("ab", "(?:a|(b))\\1", "", True),
        ("aA", "(a)\\1", "i", True),
        ("aA", "(a)\\1", "", False),
        ("abcdefghijkk", "(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)\\11", "", True),
        ("x", "[A-Z-[OI]]", "i", True),
        ("o", "[A-Z-[OI]]", "i", False),
        ("b", "[a-z-[aeiou]]", "", True),
        ("e", "[a-z-[aeiou]]", "", False),
        ("e", "[^0-9-[a-f]]", "", False),
        ("g", "[^0-9-[a-f]]", "", True),
        ("5", "[\\d-[5]]", "", False),
        ("m", "[a-z-[a-z-[m]]]", "", True),
        ("-", "[a-]", "", True),
        ("-", "[-a]", "", True),
        ("-", "[+--]", "", True),
        ("b", "[a-c-e]", "", True),
        ("d", "[a-c-e]", "", False),
        ("-", "[\\w-.]", "", True),
        ("^", "[a^]", "", True),
        ("&", "[a&&b]", "", True),
        ("|", "[a||b]", "", True),
        ("]", "[\\]]", "", True),
        ("\\", "[\\\\]", "", True),
        ("\t", "[\\t]", "", True),
        ("a", "[\\S]", "", True),
        (" ", "[^\\S]", "", True),
        ("_", "[\\w_]", "", True),
        ("_", "\\w", "", False),
        ("+", "\\w", "", True),
        ("é", "^\\w$", "", True),
        ("-", "\\W", "", True),
        ("٣", "\\d", "", True),
        ("a", "\\D", "", True),
        ("\u00a0", "\\s", "", False),
        ("a:b-1", "^\\i\\c*$", "", True),
        ("1a", "^\\i\\c*$", "", False),
        (":", "[\\i-[:]]", "", False),
        ("1", "[\\I]", "", True),
        (" ", "^\\C$", "", True),
        ("A", "\\p{Lu}", "", True),
        ("a", "\\p{Lu}", "", False),
        ("a", "\\p{Lu}", "i", False),
        ("a", "[\\p{Lu}]", "i", False),
        ("a", "[^\\p{Lu}]", "i", True),
        ("a", "\\P{Lu}", "", True),
        ("α", "\\p{IsGreek}", "", True),
        ("a", "\\p{IsBasicLatin}", "", True),
        ("é", "\\P{IsBasicLatin}", "", True),
        ("é", "\\p{IsLatin-1Supplement}", "", True),
        ("\U000f0001", "\\p{IsPrivateUse}", "", True),
        ("🐎", "^.$", "", True),
        ("🐎", "^[🐎-🐏]$", "", True),
        ("K", "k", "i", True),
        ("\u212a", "k", "i", True),
        ("ß", "SS", "i", False),
        ("Q", "[^q]", "i", False),
        ("ab", "a b", "x", True),
        ("a b", "a[ ]b", "x", True),
        ("a\\[b", "a\\\\\\[ b", "x", True),
        ("a#b", "a#b", "x", True),
        ("h", "\\p{ I s BasicLatin }", "x", True),
        ("a.b", "A.B", "qi", True),
        ("axb", "a.b", "q", False),
        ("a(", "a(", "q", True),
        ("a", "A", "ii", True),
    ],
)
def test_a_pattern_matches(text: str, pattern: str, flags: str, expected: bool) -> None:
    assert answer("matches", text, pattern, flags) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        *("(", ")", "a)", "(a", "[a", "[]", "[^]", "[]a]", "[[a]", "[a-[b]", "[a-[b]c]", "[z-a]", "[a-\\d]"),
        *(
            "*",
            "a**",
            "a++",
            "a{2}+",
            "a{2}{3}",
            "(*a)",
            "a|*",
            "(?a)",
            "a{",
            "a{,2}",
            "a{2,1}",
            "a{x}",
            "a}",
            "a]",
        ),
        *(
            "\\",
            "\\a",
            "\\b",
            "\\A",
            "\\Z",
            "\\x61",
            "\\u0061",
            "\\Qa\\E",
            "\\0",
            "[\\1]",
            "[\\b]",
            "[a-\\b]",
        ),
        *("\\1", "(a\\1)", "(a)\\2", "(?i)a", "(?=a)", "(?<=a)", "(?!a)", "(?>a)", "(?P<x>a)", "(?#x)a"),
        *(
            "\\p",
            "\\pL",
            "\\p{",
            "\\p{}",
            "\\p{Alpha}",
            "\\p{ll}",
            "\\p{L&}",
            "\\p{^L}",
            "\\p{IsNothing}",
            "\\p{ Lu}",
        ),
        *("[[:alpha:]]", "(ab){e<=1}", "a{9999999999}", "(((a{1000}){1000}){1000}){1000}", "a" * 20_000),
    ],
)
def test_what_is_no_pattern_makes_it_null_with_a_reason(pattern: str) -> None:
    result = compile("matches(t, p)").evaluate({"t": "a", "p": pattern})
    assert result.value is None
    assert "the pattern" in result.warnings[0].message


@pytest.mark.parametrize("flags", ["p", "X", " ", "ip", "I"])
def test_an_unknown_flag_makes_it_null(flags: str) -> None:
    assert answer("matches", "a", "a", flags) is None
    assert answer("replace", "a", "a", "b", flags) is None


@pytest.mark.parametrize(
    ("text", "pattern", "replacement", "flags", "expected"),
    [
        ("abracadabra", "bra", "*", "", "a*cada*"),
        ("abracadabra", "a.*?a", "*", "", "*c*bra"),
        ("abracadabra", "a(.)", "a$1$1", "", "abbraccaddabbra"),
        ("abcd", "(ab)|(a)", "[1=$1][2=$2]", "", "[1=ab][2=]cd"),
        ("abc", "b", "[$0]", "", "a[b]c"),
        ("abc", "b", "$1", "", "ac"),
        ("ab", "(a)", "$11", "", "a1b"),
        ("abcdefghijkl", "(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)", "$11", "", "kl"),
        ("abc", "b", "\\$\\\\", "", "a$\\c"),
        ("a.b", ".", "$1\\", "q", "a$1\\b"),
        ("AbC", "[a-z]", "#", "i", "###"),
        ("a\nb", "^.", "x", "m", "x\nx"),
        ("", "a", "b", "", ""),
        ("abc", "b", "$", "", None),
        ("abc", "b", "$x", "", None),
        ("abc", "b", "\\x", "", None),
        ("abc", "b", "\\", "", None),
        ("abc", "x*", "-", "", None),
        ("abc", "", "-", "", None),
        ("abc", "^", "-", "m", None),
    ],
)
def test_every_match_is_replaced(
    text: str, pattern: str, replacement: str, flags: str, expected: str | None
) -> None:
    assert answer("replace", text, pattern, replacement, flags) == expected


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("a;b;c;;", ";", ["a", "b", "c", "", ""]),
        (";a", ";", ["", "a"]),
        ("John Doe", "\\s", ["John", "Doe"]),
        ("a1b22c", "[0-9]+", ["a", "b", "c"]),
        ("a.b", ".", ["", "", "", ""]),
        ("a.b", "\\.", ["a", "b"]),
        ("", ",", [""]),
        ("abc", "x", ["abc"]),
        ("abc", "", None),
        ("abc", "x*", None),
        ("abc", "(", None),
    ],
)
def test_a_text_is_split_at_the_matches(text: str, pattern: str, expected: object) -> None:
    assert answer("split", text, pattern) == expected


@pytest.mark.parametrize(
    ("function", "text", "pattern"),
    [
        ("matches", "a" * 5_000, "^(([a-z])+.)+[A-Z]([a-z])+$"),
        ("matches", "a" * 100_000, "(a*)*(a*)*(a*)*b"),
        ("split", "x" * 1_000_000, "(x+x+)+y"),
        ("extract", "x" * 1_000_000, "(x+x+)+y"),
    ],
)
def test_a_search_without_end_is_given_up(function: str, text: str, pattern: str) -> None:
    started = time.process_time()
    with contextlib.suppress(FeelLimitError):
        answer(function, text, pattern)
    assert time.process_time() - started < 10
