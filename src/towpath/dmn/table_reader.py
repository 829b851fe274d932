"""Reading decision tables (DMN 1.5, clause 8) from a DMN document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from towpath.feel.errors import FeelError
from towpath.feel.expression import Expression
from towpath.feel.lexer import tokens

from . import boxed
from .answers import Output
from .item_types import child, children, line_of
from .tables import AGGREGATIONS, POLICIES, DecisionTable, Input, Rule

if TYPE_CHECKING:
    from .boxed_reader import BoxedReader, Names


class TableReader:
    """``reader`` reads the texts, and takes the faults."""

    def __init__(self, reader: BoxedReader) -> None:
        self.reader = reader
        self.report = reader.report

    def table(self, node: etree._Element, names: Names) -> boxed.Boxed:
        """The decision table; of a lenient reader null, where a cell is no FEEL."""
        policy = " ".join(str(node.get("hitPolicy") or "UNIQUE").upper().split())
        policy = POLICIES.get(policy, policy)
        if policy not in POLICIES.values():
            self.report(
                "hit-policy",
                f"there is no hit policy {policy}",
                node,
                f"Use one of {', '.join(POLICIES.values())}.",
            )
        aggregation = node.get("aggregation")
        if aggregation is not None and aggregation not in AGGREGATIONS:
            self.report(
                "aggregation",
                f"there is no aggregation {aggregation}",
                node,
                f"Use one of {', '.join(AGGREGATIONS)}.",
            )
        unread = self.reader.unread
        inputs = [self._input(clause, names) for clause in children(node, "input")]
        outputs = [self._output(clause, names, node) for clause in children(node, "output")]
        self._check_outputs(node, outputs)
        rules = []
        for index, rule in enumerate(children(node, "rule"), 1):
            tests = [self._test(cell, names) for cell in children(rule, "inputEntry")]
            results = [self.reader.feel(cell, names) for cell in children(rule, "outputEntry")]
            if len(tests) != len(inputs) or len(results) != len(outputs):
                self.report(
                    "rule",
                    f"rule {index} has {len(tests)} input and {len(results)} output entries; "
                    f"the table has {len(inputs)} and {len(outputs)}",
                    rule,
                    "Give the rule an entry for every column.",
                )
                continue
            cells = (*children(rule, "inputEntry"), *children(rule, "outputEntry"))
            ids = [str(cell.get("id") or "") for cell in cells]
            rules.append(Rule(str(rule.get("id") or index), tests, results, line_of(rule), ids))
        if policy not in POLICIES.values() or aggregation not in (None, *AGGREGATIONS):
            return boxed.Unreadable("there is no such hit policy")
        if self.reader.unread > unread:
            return boxed.Unreadable("a cell of the decision table is no FEEL")
        return DecisionTable(
            inputs,
            outputs,
            rules,
            policy,
            aggregation if policy == "COLLECT" else None,
            id=str(node.get("id") or ""),
            line=line_of(node),
        )

    def _check_outputs(self, node: etree._Element, outputs: list[Output]) -> None:
        if not outputs:
            self.report("output", "the decision table has no output", node, "Give it one.")
        names = [output.name for output in outputs]
        if len(outputs) > 1 and ("" in names or len(set(names)) < len(names)):
            self.report(
                "output",
                "the outputs of a table with several need names, each its own",
                node,
                "Name every output column.",
            )

    def _test(self, cell: etree._Element, names: Names) -> Expression | None:
        text = child(cell, "text")
        if text is not None and (text.text or "").strip() == "-":
            return None
        return self.reader.feel(cell, names, "unary-tests")

    def _input(self, clause: etree._Element, names: Names) -> Input:
        holder = child(clause, "inputExpression")
        expression = None if holder is None else self.reader.feel(holder, names)
        label = str(clause.get("label") or "")
        if expression is None:
            self.report("input", "an input of the table has no expression", clause, "Say what it looks at.")
            expression = Expression("null", (), "expression")
        values = child(clause, "inputValues")
        allowed = None if values is None else self.reader.feel(values, names, "unary-tests")
        return Input(
            str(clause.get("id") or ""),
            label or expression.text.strip(),
            expression,
            self.reader.type_of(holder),
            allowed,
            line_of(clause),
        )

    def _output(self, clause: etree._Element, names: Names, table: etree._Element) -> Output:
        holder, default = child(clause, "outputValues"), child(clause, "defaultOutputEntry")
        text = None if holder is None else child(holder, "text")
        written = "" if text is None else (text.text or "").strip()
        if not written:
            # The order of priority is then that of the type's values (DMN 1.5, 8.2.10).
            alone = len(children(table, "output")) == 1
            reference = clause.get("typeRef") or (table.get("typeRef") if alone else None)
            written = self.reader.types.values_of(reference)
        return Output(
            str(clause.get("id") or ""),
            str(clause.get("name") or clause.get("label") or ""),
            self.reader.type_of(clause),
            _listed(written, names),
            None if default is None else self.reader.feel(default, names),
        )


def _listed(text: str, names: Names) -> list[Expression]:
    """The values of a list of literals; none of ranges and comparisons, which give them no order."""
    if not text:
        return []
    try:
        return [Expression(part, names, "expression") for part in _split(text)]
    except FeelError:
        return []


def _split(text: str) -> list[str]:
    """The texts between the commas outside of brackets."""
    parts, start, depth = [], 0, 0
    for token in tokens(text):
        if token.kind == "symbol":
            depth += (token.text in "([{") - (token.text in ")]}")
        if token.kind == "end" or (token.text == "," and not depth):
            parts.append(text[start : token.start])
            start = token.end
    return parts
