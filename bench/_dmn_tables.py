"""The decision tables that ``bench.dmn`` measures, as DMN 1.1 (which every peer reads)."""

from __future__ import annotations

import random
from typing import Any
from xml.sax.saxutils import escape

NAMESPACE = "http://www.omg.org/spec/DMN/20151101/dmn.xsd"
INPUTS = (
    ("product", "string"),
    ("region", "string"),
    ("amount", "number"),
    ("age", "number"),
    ("partner", "boolean"),
)
KINDS = ("mixed", "collect", "computed")
HIT_POLICIES = {"mixed": "UNIQUE", "collect": "COLLECT", "computed": "UNIQUE"}

Row = tuple[tuple[str, ...], str]


def rows(kind: str, count: int) -> list[Row]:
    """``count`` rules of five input cells and an output.

    ``mixed``: one rule matches; equality with a string, lists of values, intervals, comparisons and
    dashes. ``collect``: the same cells, of which every tenth rule matches. ``computed``: as ``mixed``, each
    cell an expression of the input, no two of a column alike.
    """
    made: list[Row] = []
    for index in range(count):
        product, band, region, adult = index // 20, index // 4 % 5, index // 2 % 2, index % 2
        low = band * 1000
        if kind == "computed":
            cells = (
                f'? = "p{product}" and {index} >= 0',
                f'list contains(["n{region}", "s{region}", "e{region}"], ?) or {index} < 0',
                f"? >= {low} and ? < {low + 1000} and {index} >= 0",
                f"? + {index} {'>=' if adult else '<'} {18 + index}",
                f"? = true or ? = false or {index} < 0",
            )
        else:
            cells = (
                f'"p{product}"',
                f'"n{region}", "s{region}", "e{region}"',
                f"[{low}..{low + 1000})",
                ">= 18" if adult else "< 18",
                "-",
            )
            if kind == "collect":
                cells = ("-", cells[1], f">= {index % 5 * 1000}", ">= 18" if adult else "< 18", "-")
        made.append((cells, f'"answer {index}"'))
    random.Random(count).shuffle(made)
    return made


def matching(kind: str, count: int) -> dict[str, Any]:
    """An input that the last product's rules match."""
    product = (count - 1) // 20
    amount = 1500 if kind == "collect" else 500
    return {"product": f"p{product}", "region": "s1", "amount": amount, "age": 40, "partner": True}


def xml(kind: str, count: int) -> str:
    """A model with the one decision ``d``."""
    parts = [
        f'<definitions xmlns="{NAMESPACE}" id="bench" name="bench" namespace="http://example.org/bench">'
        f'<decision id="d" name="d"><decisionTable id="t" hitPolicy="{HIT_POLICIES[kind]}">'
    ]
    for name, of in INPUTS:
        parts.append(
            f'<input id="{name}"><inputExpression id="{name}-expression" typeRef="{of}">'
            f"<text>{name}</text></inputExpression></input>"
        )
    parts.append('<output id="answer" name="answer" typeRef="string"/>')
    for index, (cells, answer) in enumerate(rows(kind, count)):
        entries = "".join(
            f'<inputEntry id="r{index}-{place}"><text>{escape(cell)}</text></inputEntry>'
            for place, cell in enumerate(cells)
        )
        parts.append(
            f'<rule id="r{index}">{entries}'
            f'<outputEntry id="r{index}-out"><text>{escape(answer)}</text></outputEntry></rule>'
        )
    return "\n".join([*parts, "</decisionTable></decision></definitions>"])
