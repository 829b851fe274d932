"""What the static checks find in decision tables."""

from collections.abc import Iterable, Sequence
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath.dmn import Finding, check, read
from towpath.dmn.answers import Output
from towpath.dmn.boxes import Work
from towpath.dmn.table_check import TableCheck
from towpath.dmn.tables import DecisionTable, Input, Rule
from towpath.feel import Expression
from towpath.feel.runtime import Runtime
from towpath.feel.types import SIMPLE

# -- against trying it out -------------------------------------------------------------------------

# Of each type: what cells name, and values among which there is one of every kind that they tell apart.
CONSTANTS = {
    "number": ["0", "1", "2.0", "2", "3"],
    "string": ['"a"', '"b"', '"c"', '""'],
    "boolean": ["true", "false"],
    "date": ['@"2026-01-01"', 'date("2026-01-02")', '@"2026-01-04"'],
    "time": ['@"00:00:00"', '@"10:00:00"', '@"23:59:59.999999999"'],
    "years and months duration": ['@"P1Y"', '@"P13M"', '@"P2Y"'],
}
POINTS = {
    "number": "-1, 0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 7",
    "string": '"", "A", "a", "aa", "b", "bb", "c", "cc", "z"',
    "boolean": "true, false",
    "date": ", ".join(f'@"{day}"' for day in ("2025-12-31", *(f"2026-01-0{n}" for n in range(1, 6)))),
    "time": '@"00:00:00", @"01:00:00", @"10:00:00", @"11:00:00", @"23:59:59.999999999"',
    "years and months duration": '@"P0M", @"P12M", @"P13M", @"P14M", @"P24M", @"P30M"',
}
OPAQUE = ("limit", "? = limit", "> limit", "string length(string(?)) > 3")


def cells(kind: str) -> st.SearchStrategy[str | None]:
    """Cells of a column of a type."""
    constant = st.sampled_from(CONSTANTS[kind])
    if kind == "boolean":
        test = constant
    else:
        comparison = st.tuples(st.sampled_from(["<", "<=", ">", ">=", "!="]), constant).map(" ".join)
        extent = st.tuples(st.sampled_from("[("), constant, constant, st.sampled_from("])")).map(
            lambda part: f"{part[0]}{part[1]}..{part[2]}{part[3]}"
        )
        test = st.one_of(constant, comparison, extent)
    rare = st.sampled_from(["null", '"z"', "7", "[1, 2]", *OPAQUE])
    tests = st.lists(test, min_size=1, max_size=2).map(", ".join)
    return st.one_of(st.none(), tests, tests, tests, tests.map(lambda text: f"not({text})"), rare)


@st.composite
def tables(draw: st.DrawFn) -> tuple[DecisionTable, list[str]]:
    """A table of a few rules, and its inputs' types."""
    kinds = draw(st.lists(st.sampled_from(sorted(CONSTANTS)), min_size=1, max_size=3))
    rules = draw(st.lists(st.tuples(*(cells(kind) for kind in kinds)), max_size=6))
    allowed = [
        draw(st.one_of(st.none(), st.lists(st.sampled_from(CONSTANTS[kind]), min_size=1).map(", ".join)))
        for kind in kinds
    ]
    return made(kinds, rules, allowed), kinds


def made(
    kinds: Sequence[str],
    rules: Iterable[Sequence[str | None]],
    allowed: Sequence[str | None] = (),
    policy: str = "UNIQUE",
    outputs: Sequence[str] = (),
) -> DecisionTable:
    def tests(text: str | None) -> Expression | None:
        return None if text is None else Expression(text, ("limit",), "unary-tests")

    return DecisionTable(
        [
            Input(
                f"i{place}",
                f"in{place}",
                Expression(f"in{place}", (), "expression"),
                SIMPLE[kind],
                tests(allowed[place]) if allowed else None,
            )
            for place, kind in enumerate(kinds)
        ],
        [Output("o", "o", values=[Expression(text, (), "expression") for text in ('"x"', '"y"')])],
        [
            Rule(
                f"r{number}",
                [tests(text) for text in rule],
                [Expression(outputs[number - 1] if outputs else '"x"', ("limit",), "expression")],
            )
            for number, rule in enumerate(rules, 1)
        ],
        policy,
        id="t",
    )


def holds(test: Expression, value: Any) -> bool:
    return test.run(Runtime(), {"?": value, "limit": None}) is True


def is_opaque(test: Expression | None) -> bool:
    return test is not None and test.text in OPAQUE


def points(table: DecisionTable, kinds: Sequence[str]) -> Iterable[tuple[Any, ...]]:
    """Values of every kind that the cells tell apart, allowed ones only; null where a cell names it."""
    columns = []
    for place, (clause, kind) in enumerate(zip(table.inputs, kinds, strict=True)):
        values = Expression(f"[{POINTS[kind]}]", (), "expression").run(Runtime(), {})
        values = [value for value in values if clause.allowed is None or holds(clause.allowed, value)]
        texts = [test.text for rule in table.rules if (test := rule.tests[place]) is not None]
        columns.append([*values, None] if "null" in texts else values)
    return product(*columns)


def matching(table: DecisionTable, point: Sequence[Any], *, opaque: bool) -> list[int]:
    """The rules that hold for a point, where cells that read more are taken to answer ``opaque``."""
    return [
        number
        for number, rule in enumerate(table.rules, 1)
        if all(
            test is None or (opaque if is_opaque(test) else holds(test, value))
            for test, value in zip(rule.tests, point, strict=True)
        )
    ]


class Region:
    """The region of a finding, as tests that run."""

    def __init__(self, finding: Finding) -> None:
        self.rules = finding.rules
        self.tests = {int(name[2:]): Expression(text, (), "unary-tests") for name, text in finding.region}

    def holds(self, point: Sequence[Any]) -> bool:
        return all(holds(test, point[place]) for place, test in self.tests.items())


def found(table: DecisionTable, kind: str) -> list[Finding]:
    return [one for one in TableCheck("d", table).findings(None) if one.kind == kind]


@given(tables())
def test_a_gap_is_where_no_rule_matches(given_table: tuple[DecisionTable, list[str]]) -> None:
    table, kinds = given_table
    gaps = [Region(finding) for finding in found(table, "gap")]
    for point in points(table, kinds):
        told = any(gap.holds(point) for gap in gaps)
        assert told is not bool(matching(table, point, opaque=True)), point


@given(tables())
def test_an_overlap_is_where_two_rules_match(given_table: tuple[DecisionTable, list[str]]) -> None:
    table, kinds = given_table
    overlaps = [Region(finding) for finding in found(table, "overlap")]
    for point in points(table, kinds):
        told = {overlap.rules for overlap in overlaps if overlap.holds(point)}
        assert told == set(combinations(matching(table, point, opaque=False), 2)), point


@given(tables())
def test_a_masked_rule_is_one_that_is_never_the_first(given_table: tuple[DecisionTable, list[str]]) -> None:
    table, kinds = given_table
    table.hit_policy = "FIRST"
    possible: set[int] = set()
    reached: set[int] = set()
    for point in points(table, kinds):
        certain = matching(table, point, opaque=False)
        for rule in matching(table, point, opaque=True):
            possible.add(rule)
            if not any(other < rule for other in certain):
                reached.add(rule)
    assert {finding.rules[0] for finding in found(table, "masked")} == possible - reached


@given(tables())
def test_the_rules_named_beside_a_masked_one_are_enough(given_table: tuple[DecisionTable, list[str]]) -> None:
    table, kinds = given_table
    table.hit_policy = "FIRST"
    for finding in found(table, "masked"):
        rule, *others = finding.rules
        for point in points(table, kinds):
            if rule in matching(table, point, opaque=True):
                assert set(others) & set(matching(table, point, opaque=False)), point


@given(tables())
def test_an_empty_cell_is_met_by_no_value(given_table: tuple[DecisionTable, list[str]]) -> None:
    table, kinds = given_table
    for clause in table.inputs:
        clause.allowed = None
    empty = {number for finding in found(table, "empty") for number in finding.rules}
    met = set()
    for point in points(table, kinds):
        for number, rule in enumerate(table.rules, 1):
            if all(
                is_opaque(test) or test is None or holds(test, value)
                for test, value in zip(rule.tests, point, strict=True)
            ):
                met.add(number)
    assert empty == set(range(1, len(table.rules) + 1)) - met


# -- what is told ------------------------------------------------------------------------------------


def told(table: DecisionTable, shown: int | None = 20) -> list[str]:
    """The findings as kind and message."""
    return [f"{finding.kind}: {finding.message}" for finding in TableCheck("d", table).findings(shown)]


def test_a_gap_between_two_ranges_is_found_and_told_as_unary_tests() -> None:
    rules = [("< 500", None), (">= 1000", None), (None, 'not("glass", "hail")')]
    table = made(["number", "string"], rules, policy="COLLECT")
    (finding,) = TableCheck("d", table).findings(20)
    assert (finding.kind, finding.severity, finding.decision, finding.table) == ("gap", "warning", "d", "t")
    assert finding.region == (("in0", "[500..1000)"), ("in1", '"glass", "hail"'))
    assert finding.message == 'no rule matches where in0 is [500..1000) and in1 is "glass", "hail"'
    assert (finding.rules, finding.element) == ((), "t")


def test_gaps_are_told_as_few_large_regions() -> None:
    """Two that share a corner, not three that do not."""
    table = made(["number", "string"], [("< 10", '"a"')])
    assert [finding.region for finding in found(table, "gap")] == [
        (("in0", ">= 10"),),
        (("in1", 'not("a")'),),
    ]


@pytest.mark.parametrize(
    ("kind", "cells", "gap"),
    [
        ("number", ["< 1.10", "> 1.1"], "1.1"),
        ("number", ["< 1", "[1..2)", "> 2.5"], "[2..2.5]"),
        ("string", ['"a"', '"b"'], 'not("a", "b")'),
        ("string", ['["a".."f"]', '> "f"'], '< "a"'),
        ("string", ['>= ""'], None),
        ("boolean", ["true"], "false"),
        ("date", ['<= @"2026-01-01"', '>= @"2026-01-02"'], None),
        ("date", ['<= @"2026-01-01"', '> @"2026-01-02"'], '(@"2026-01-01"..@"2026-01-02"]'),
        ("time", ['[@"00:00:00"..@"12:00:00")'], '>= @"12:00:00"'),
        ("date and time", ['< @"2026-01-01T00:00:00Z"'], '>= @"2026-01-01T00:00:00Z"'),
        ("days and time duration", ['< @"P1D"', '> @"PT24H"'], '@"P1D"'),
        ("years and months duration", ['< @"P1Y"', '>= @"P13M"'], '@"P1Y"'),
        ("number", ["null", "-1"], "not(-1, null)"),
        ("number", ["not(1, 2)"], "1, 2"),
        ("number", ["[1, 2, > 5]"], "< 1, (1..2), (2..5]"),
    ],
)
def test_the_ends_of_a_gap_are_exact(kind: str, cells: list[str], gap: str | None) -> None:
    table = made([kind], [(text,) for text in cells])
    regions = [finding.region for finding in found(table, "gap")]
    assert regions == ([] if gap is None else [(("in0", gap),)])


def test_an_input_without_a_type_has_that_of_its_cells() -> None:
    table = made(["Any"], [("< 5",), ('"a"',), ("true",)])
    (gap,) = found(table, "gap")
    # A string or number is no boolean, and so meets a bare true; only false is left.
    assert gap.region == (("in0", "false"),)
    (gap,) = found(made(["Any"], [("< 5",), ('"a"',)]), "gap")
    assert gap.region == (("in0", '>= 5, < "a", > "a"'),)


def test_only_allowed_values_can_be_gaps() -> None:
    table = made(["string"], [('"glass"',), ('"hail"',)], ['"glass", "hail", "theft", "fire"'])
    assert told(table) == ['gap: no rule matches where in0 is "fire", "theft"']
    assert told(made(["number"], [("[0..5]",)], ["[0..10]"])) == ["gap: no rule matches where in0 is (5..10]"]
    assert told(made(["number"], [("< 5",), (">= 5",)], ["[0..10]"])) == []


def test_a_value_outside_the_allowed_ones_is_told() -> None:
    table = made(["string"], [('"glass", "fire"',), ('not("fire", "glass")',)], ['"glass", "hail"'])
    assert told(table) == [
        'outside: in0 is never "fire", which rule 1 tests: its allowed values leave it out',
        'outside: in0 is never "fire", which rule 2 tests: its allowed values leave it out',
    ]


def test_a_cell_that_no_value_meets_is_told() -> None:
    table = made(["number", "boolean"], [("[5..3]", None), ("(1..1]", "true"), ('"5"', None), (None, None)])
    assert told(table) == [
        "empty: no value of in0 meets [5..3], in rule 1",
        "empty: no value of in0 meets (1..1], in rule 2",
        'empty: no value of in0 meets "5", in rule 3',
    ]


def test_rules_that_overlap_are_an_error_where_one_alone_may_match() -> None:
    rules = [("[1..5]", None), ("[5..9]", '"a"')]
    (finding,) = [one for one in TableCheck("d", made(["number", "string"], rules)).findings(20) if one.rules]
    assert (finding.kind, finding.severity) == ("overlap", "error")
    assert (finding.rules, finding.rule_ids, finding.element) == ((1, 2), ("r1", "r2"), "r1")
    assert finding.region == (("in0", "5"), ("in1", '"a"'))
    for policy in ("FIRST", "COLLECT", "RULE ORDER", "OUTPUT ORDER", "ANY", "PRIORITY"):
        assert not found(made(["number", "string"], rules, policy=policy), "overlap")


def test_rules_that_agree_are_no_conflict() -> None:
    rules = [("< 5",), ("> 1",), ("> 2",), ("> 3",)]
    table = made(["number"], rules, policy="ANY", outputs=['"a"', '"a"', '"b"', "limit"])
    assert told(table) == [
        "conflict: rules 1 and 3 both match where in0 is (2..5), with different outputs (ANY)",
        "conflict: rules 2 and 3 both match where in0 is > 2, with different outputs (ANY)",
        "unchecked: whether rules 1, 2, 3 and 4 agree where they overlap depends on computed outputs",
    ]


def test_numbers_that_are_equal_are_no_conflict() -> None:
    table = made(["number"], [("< 5",), (">= 0",)], policy="ANY", outputs=["1.0", "1"])
    assert told(table) == []


def test_a_rule_that_several_before_it_cover_is_masked() -> None:
    rules = [("< 5", None), (">= 5", '"a"'), (None, "not(null)"), ("[2..8]", '"a"')]
    table = made(["number", "string"], rules, policy="FIRST")
    assert told(table)[:1] == [
        "masked: rule 4 is never reached: rule 3 matches first in all its cases (FIRST)"
    ]
    table = made(["number", "string"], [rules[0], rules[1], (None, '"b"'), rules[3]], policy="FIRST")
    assert told(table)[:1] == [
        "masked: rule 4 is never reached: rules 1 and 2 match first in all its cases (FIRST)"
    ]


def test_priority_decides_which_rule_is_masked() -> None:
    table = made(["number"], [("> 5",), (None,)], policy="PRIORITY", outputs=['"y"', '"x"'])
    assert told(table) == [
        "masked: rule 1 never decides: rule 2 matches in all its cases and comes before it (PRIORITY)"
    ]
    assert told(made(["number"], [("> 5",), (None,)], policy="PRIORITY", outputs=['"x"', '"y"'])) == []


def test_a_rule_that_says_the_same_again_is_a_duplicate() -> None:
    rules = [("< 5",), ("not(>= 5)",), (">= 5",), ("< 5",)]
    table = made(["number"], rules, policy="COLLECT", outputs=["1", "1.0", "1", "2"])
    assert told(table) == ["duplicate: rule 2 says the same as rule 1"]


def test_a_default_output_leaves_no_gap() -> None:
    table = made(["number"], [("< 5",)])
    assert found(table, "gap")
    table.outputs[0].default = Expression('"x"', (), "expression")
    assert not found(table, "gap")


def test_a_table_without_rules_is_one_gap() -> None:
    assert told(made(["number"], [])) == ["gap: no rule matches, whatever the input"]
    assert told(made([], [])) == ["gap: no rule matches, whatever the input"]
    assert told(made([], [()])) == []


def test_what_cannot_be_read_ahead_is_named_and_nothing_is_claimed_of_it() -> None:
    table = made(["number", "list"], [("> limit", None), ("< 5", '"a"'), ("[0..3]", None)])
    assert told(table) == [
        "unchecked: what in0 is tested for in rule 1 is not looked into: it reads limit",
        "unchecked: what in1 is tested for in rule 2 is not looked into: its type is list",
    ]


def test_allowed_values_that_cannot_be_read_ahead_are_named_and_nothing_is_claimed_of_them() -> None:
    table = made(["string"], [('"a"',), ('"a", "b"',)], ["string length(?) < 3"])
    assert told(table) == [
        "unchecked: which values in0 may have is not looked into: "
        "it is more than a comparison with fixed values"
    ]


def test_more_findings_than_are_shown_are_counted() -> None:
    table = made(["number"], [(None,)] * 10)
    lines = told(table, shown=3)
    assert [line.partition(":")[0] for line in lines] == ["overlap"] * 4
    assert lines[-1] == "overlap: 42 more overlaps of this table"


def test_more_empty_cells_than_are_shown_are_counted() -> None:
    lines = told(made(["number"], [(f"[{number}..0]",) for number in range(1, 8)]), shown=2)
    assert lines[-2:] == [
        "empty: no value of in0 meets [2..0], in rule 2",
        "empty: 5 more cells test for values that cannot be",
    ]


def test_more_reasons_than_are_shown_are_counted() -> None:
    names = ("aa", "ab", "ac")
    rules = [[Expression(f"< {name}", names, "unary-tests")] for name in names]
    table = made(["number"], [])
    table.rules = [Rule(f"r{place}", tests, [None]) for place, tests in enumerate(rules)]
    assert told(table, shown=1) == [
        "unchecked: what in0 is tested for in rule 1 is not looked into: it reads aa",
        "unchecked: 2 more reasons why cells are not looked into",
    ]


def test_conditions_about_the_input_are_read_like_tests() -> None:
    table = made(
        ["number"],
        [("? < 5 or ? between 7 and 8",), ("not(? <= 8)",), ("? >= 5 and ? < 6",), ("? in (6, (6..7))",)],
    )
    assert told(table) == []


def test_a_search_that_takes_too_long_says_so() -> None:
    rules = [(f"[{number}..{number + 3})", f"> {number}") for number in range(40)]
    lines = [
        finding.message
        for finding in TableCheck("d", made(["number", "number"], rules), work=lambda: Work(60)).findings(20)
        if finding.kind == "unchecked"
    ]
    assert lines == ["the search for gaps was given up after 60 steps: there may be more than those told"]


# -- where tables stand --------------------------------------------------------------------------------


def xml_table(id: str, expression: str, cells: Sequence[str], of: str = "") -> str:
    rules = "".join(
        f'<rule id="{id}-{number}"><inputEntry><text>{cell}</text></inputEntry>'
        f"<outputEntry><text>1</text></outputEntry></rule>\n"
        for number, cell in enumerate(cells, 1)
    )
    return (
        f'<decisionTable id="{id}"><input><inputExpression {of}><text>{expression}</text></inputExpression>'
        f'</input><output name="o"/>\n{rules}</decisionTable>'
    )


def checked(body: str) -> list[Finding]:
    return list(
        check(
            read(
                f'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="m" name="m" '
                f'namespace="n">\n{body}</definitions>'.encode()
            )
        )
    )


def test_tables_inside_contexts_and_knowledge_models_are_checked() -> None:
    findings = checked(
        "<decision id='d' name='d'><context><contextEntry><variable name='a'/>"
        f"{xml_table('inner', 'x', ['true'])}</contextEntry></context></decision>"
        "<businessKnowledgeModel id='k' name='k'><encapsulatedLogic><formalParameter name='x'/>"
        f"{xml_table('logic', 'x', ['true'])}</encapsulatedLogic></businessKnowledgeModel>"
    )
    assert [(one.decision, one.table, one.kind) for one in findings] == [
        ("d", "inner", "gap"),
        ("k", "logic", "gap"),
    ]


def test_a_finding_tells_the_line_of_its_rule_or_table() -> None:
    findings = checked(f"<decision id='d' name='d'>\n{xml_table('t', 'x', ['1', '[1..2]'])}</decision>")
    assert [(one.kind, one.line, one.element) for one in findings] == [("overlap", 4, "t-1"), ("gap", 3, "t")]
    assert str(findings[0]) == (
        "line 4: error: d (t): rules 1 and 2 both match where x is 1, "
        "but only one rule may (UNIQUE) [overlap]"
    )


def test_the_values_that_an_item_definition_allows_bound_the_input_that_looks_at_it() -> None:
    definitions = (
        "<itemDefinition name='tDamage'><typeRef>string</typeRef><allowedValues>"
        '<text>"glass", "hail", "fire"</text></allowedValues></itemDefinition>'
        "<itemDefinition name='tClaim'><itemComponent name='damage'><typeRef>tDamage</typeRef>"
        "</itemComponent></itemDefinition>"
        "<inputData id='c' name='claim'><variable name='claim' typeRef='tClaim'/></inputData>"
    )
    logic = xml_table("t", "claim.damage", ['"glass"', '"hail"'], "typeRef='string'")
    requirement = "<informationRequirement><requiredInput href='#c'/></informationRequirement>"
    (gap,) = checked(f"{definitions}<decision id='d' name='d'>{requirement}{logic}</decision>")
    assert gap.region == (("claim.damage", '"fire"'),)
    logic = xml_table("t", "x", ['"glass"', '"hail"'], "typeRef='tDamage'")
    (gap,) = checked(f"{definitions}<decision id='d' name='d'>{logic}</decision>")
    assert gap.region == (("x", '"fire"'),)


def test_the_examples_tables_have_no_faults() -> None:
    files = list((Path(__file__).parents[2] / "examples").rglob("*.dmn"))
    assert files
    for file in files:
        assert check(read(file.read_bytes())) == ()
