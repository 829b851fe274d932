"""Reading boxed expressions from a DMN document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from lxml import etree

from towpath.feel.errors import FeelError, FeelSyntaxError
from towpath.feel.expression import Expression
from towpath.feel.types import ANY, Type

from . import boxed
from .answers import Output
from .graph import Knowledge
from .item_types import ItemTypes, child, children, line_of, local
from .tables import AGGREGATIONS, POLICIES, DecisionTable, Input, Rule

Names = frozenset[str]
Report = Callable[..., None]

_EXPRESSIONS = (
    "literalExpression",
    "decisionTable",
    "context",
    "list",
    "relation",
    "functionDefinition",
    "invocation",
    "conditional",
    "for",
    "some",
    "every",
    "filter",
)
_FEEL_LANGUAGES = ("feel", "FEEL")


class BoxedReader:
    """``report`` takes faults; ``vocabulary`` are the names that values of the model have inside."""

    def __init__(self, report: Report, types: ItemTypes, vocabulary: Names, lenient: bool) -> None:
        self.report = report
        self.types = types
        self.vocabulary = vocabulary
        self.lenient = lenient

    def type_of(self, node: etree._Element | None) -> Type:
        if node is None:
            return ANY
        found = self.types.of(node.get("typeRef"))
        if found is None:
            self.report(
                "type", f"there is no type {node.get('typeRef')!r}", node, "Define it, or use a type of FEEL."
            )
            return ANY
        return found

    def feel(
        self,
        node: etree._Element,
        names: Names,
        dialect: Literal["expression", "unary-tests"] = "expression",
    ) -> Expression | None:
        """The compiled ``text`` of a node; None (and a fault, unless lenient) where it is no FEEL."""
        text = child(node, "text")
        written = "" if text is None else (text.text or "")
        if not written.strip():
            return None
        try:
            return Expression(written, names, dialect, types=self.types.named, vocabulary=self.vocabulary)
        except FeelError as error:
            line = line_of(text if text is not None else node)
            if line is not None and isinstance(error, FeelSyntaxError):
                line += error.line - 1
            if not self.lenient:
                self.report("feel", str(error), node, line=line)
            return (
                Expression("null", (), dialect)
                if dialect == "expression"
                else Expression("false", (), dialect)
            )

    def expression_in(self, node: etree._Element, names: Names) -> boxed.Boxed | None:
        """The expression that a node holds, or None."""
        found = children(node, *_EXPRESSIONS)
        return self.expression(found[0], names) if found else None

    def required(self, node: etree._Element | None, names: Names, owner: etree._Element) -> boxed.Boxed:
        found = None if node is None else self.expression_in(node, names)
        if found is None:
            if not self.lenient:
                self.report("expression", f"a part of {local(owner)} has no expression", owner)
            return boxed.Unreadable("there is no expression")
        return found

    def expression(self, node: etree._Element, names: Names) -> boxed.Boxed:
        method: Any = getattr(self, f"_{local(node).lower()}")
        read: boxed.Boxed = method(node, names)
        return read

    def _literalexpression(self, node: etree._Element, names: Names) -> boxed.Boxed:
        language = node.get("expressionLanguage")
        if language and not any(word in language for word in _FEEL_LANGUAGES):
            if not self.lenient:
                self.report(
                    "language", f"the expression language {language} is not FEEL", node, "Write it in FEEL."
                )
            return boxed.Unreadable(f"the expression language {language} is not FEEL")
        expression = self.feel(node, names)
        if expression is None:
            return boxed.Unreadable("the expression is empty")
        return boxed.LiteralExpression(expression, self.type_of(node))

    def _context(self, node: etree._Element, names: Names) -> boxed.Boxed:
        entries: list[tuple[str | None, boxed.Boxed, Type]] = []
        for entry in children(node, "contextEntry"):
            variable = child(entry, "variable")
            name = None if variable is None else str(variable.get("name") or "")
            found = self.required(entry, names, entry)
            entries.append((name, found, self.type_of(variable)))
            if name is not None:
                names = names | {name}
                if isinstance(found, boxed.FunctionDefinition):
                    found.name = name
        return boxed.Context(entries)

    def _list(self, node: etree._Element, names: Names) -> boxed.Boxed:
        return boxed.ListOf([self.expression(item, names) for item in children(node, *_EXPRESSIONS)])

    def _relation(self, node: etree._Element, names: Names) -> boxed.Boxed:
        columns = [(str(column.get("name")), self.type_of(column)) for column in children(node, "column")]
        rows = [
            [self.expression(cell, names) for cell in children(row, *_EXPRESSIONS)]
            for row in children(node, "row")
        ]
        return boxed.Relation(columns, rows)

    def _functiondefinition(self, node: etree._Element, names: Names) -> boxed.FunctionDefinition:
        parameters = tuple(
            (str(parameter.get("name")), self.type_of(parameter))
            for parameter in children(node, "formalParameter")
        )
        inner = names | {name for name, _ in parameters}
        body = self.required(node, inner, node)
        return boxed.FunctionDefinition(parameters, body, str(node.get("kind") or "FEEL"), self.type_of(node))

    def knowledge(
        self, node: etree._Element, element: Knowledge, names: Names
    ) -> boxed.FunctionDefinition | None:
        """The function of a business knowledge model."""
        logic = child(node, "encapsulatedLogic")
        if logic is None:
            return None
        definition = self._functiondefinition(logic, names)
        definition.name = element.name
        # The variable's type is the function's (DMN 1.5) or its result's (before).
        wanted = element.type
        definition.result = wanted.result or ANY if wanted.name == "function" else wanted
        return definition

    def _invocation(self, node: etree._Element, names: Names) -> boxed.Boxed:
        bindings = []
        for binding in children(node, "binding"):
            parameter = child(binding, "parameter")
            name = "" if parameter is None else str(parameter.get("name") or "")
            found = self.expression_in(binding, names) or boxed.Unreadable("there is no expression")
            bindings.append((name, found, self.type_of(parameter)))
        return boxed.Invocation(self.required(node, names, node), bindings)

    def _conditional(self, node: etree._Element, names: Names) -> boxed.Boxed:
        return boxed.Conditional(
            *(self.required(child(node, part), names, node) for part in ("if", "then", "else"))
        )

    def _for(self, node: etree._Element, names: Names) -> boxed.Boxed:
        variable = str(node.get("iteratorVariable") or "")
        source = self.required(child(node, "in"), names, node)
        part = "return" if local(node) == "for" else "satisfies"
        body = self.required(child(node, part), names | {variable, "partial"}, node)
        return boxed.Iterator(local(node), variable, source, body)

    _some = _every = _for

    def _filter(self, node: etree._Element, names: Names) -> boxed.Boxed:
        source = self.required(child(node, "in"), names, node)
        return boxed.Filter(source, self.required(child(node, "match"), names | {"item"}, node))

    # -- decision tables ------------------------------------------------------------------------------

    def _decisiontable(self, node: etree._Element, names: Names) -> boxed.Boxed:
        policy = str(node.get("hitPolicy") or "UNIQUE").upper()
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
            self.report("aggregation", f"there is no aggregation {aggregation}", node)
        inputs = [self._input(clause, names) for clause in children(node, "input")]
        outputs = [self._output(clause, names) for clause in children(node, "output")]
        rules = []
        for index, rule in enumerate(children(node, "rule"), 1):
            tests = [self._test(cell, names) for cell in children(rule, "inputEntry")]
            results = [self.feel(cell, names) for cell in children(rule, "outputEntry")]
            if len(tests) != len(inputs) or len(results) != len(outputs):
                self.report(
                    "rule",
                    f"rule {index} has {len(tests)} input and {len(results)} output entries; "
                    f"the table has {len(inputs)} and {len(outputs)}",
                    rule,
                )
                continue
            rules.append(Rule(str(rule.get("id") or index), tests, results, line_of(rule)))
        return DecisionTable(
            inputs,
            outputs,
            rules,
            policy,
            aggregation if policy == "COLLECT" else None,
            id=str(node.get("id") or ""),
            line=line_of(node),
        )

    def _test(self, cell: etree._Element, names: Names) -> Expression | None:
        text = child(cell, "text")
        if text is not None and (text.text or "").strip() == "-":
            return None
        return self.feel(cell, names, "unary-tests")

    def _input(self, clause: etree._Element, names: Names) -> Input:
        holder = child(clause, "inputExpression")
        expression = None if holder is None else self.feel(holder, names)
        label = str(clause.get("label") or "")
        if expression is None:
            if not self.lenient:
                self.report(
                    "input", "an input of the table has no expression", clause, "Say what it looks at."
                )
            expression = Expression("null", (), "expression")
        values = child(clause, "inputValues")
        allowed = None if values is None else self.feel(values, names, "unary-tests")
        return Input(
            str(clause.get("id") or ""),
            label or expression.text,
            expression,
            self.type_of(holder),
            allowed,
            line_of(clause),
        )

    def _output(self, clause: etree._Element, names: Names) -> Output:
        holder, default = child(clause, "outputValues"), child(clause, "defaultOutputEntry")
        values: list[Expression] = []
        text = None if holder is None else child(holder, "text")
        if holder is not None and text is not None and (text.text or "").strip():
            try:
                values = [Expression(part, names, "expression") for part in _split(text.text or "")]
            except FeelError:
                values = []  # ranges and comparisons bound the values, but give them no order
        return Output(
            str(clause.get("id") or ""),
            str(clause.get("name") or clause.get("label") or ""),
            self.type_of(clause),
            values,
            None if default is None else self.feel(default, names),
        )


def _split(text: str) -> list[str]:
    """The values between the commas of a list of literals."""
    from towpath.feel.lexer import tokens

    parts, start, depth = [], 0, 0
    for token in tokens(text):
        if token.kind == "symbol":
            depth += (token.text in "([{") - (token.text in ")]}")
        if token.kind == "end" or (token.text == "," and not depth):
            parts.append(text[start : token.start])
            start = token.end
    return parts
