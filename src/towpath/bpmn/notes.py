"""Collecting what is wrong with a model while it is read, and compiling the expressions in it."""

from __future__ import annotations

from lxml import etree

from towpath import feel
from towpath.bpmn.graph import Path, Value
from towpath.bpmn.xml import BPMN, line_of, split
from towpath.faults import Fault


class Notes:
    """The faults found so far, and the ways to add one at the right element and line."""

    def __init__(self, file: str | None) -> None:
        self.file = file
        self.faults: list[Fault] = []

    def fault(
        self,
        node: etree._Element,
        rule: str,
        message: str,
        remedy: str = "",
        *,
        line: int | None = None,
        severity: str = "error",
    ) -> None:
        """Add a fault at ``node``; it is said of the nearest element around it that has an id."""
        owner: etree._Element | None = node
        while owner is not None and (owner.get("id") is None or split(owner)[0] != BPMN):
            owner = owner.getparent()
        self.faults.append(
            Fault(
                message=message,
                rule=f"bpmn.{rule}",
                remedy=remedy,
                file=self.file,
                line=line or line_of(node) or None,
                element=owner.get("id") if owner is not None else None,
                element_name=owner.get("name") if owner is not None else None,
                severity=severity,
            )
        )

    def expression(self, node: etree._Element, text: str, what: str) -> feel.Expression | None:
        """Compile FEEL without its leading ``=``; a fault, and None, where it is not FEEL."""
        try:
            return feel.compile(text)
        except feel.FeelSyntaxError as error:
            self.fault(
                node,
                "feel-syntax",
                f"The {what} `{text.strip()}` is not FEEL: {error.message} (column {error.column}).",
                "Correct the expression.",
                line=(line_of(node) + error.line - 1) or None,
            )
            return None

    def value(self, node: etree._Element, text: str | None, what: str) -> Value | None:
        """A static text, or an expression after ``=``. None where there is none, or it is faulty."""
        if text is None or not text.strip():
            return None
        text = text.strip()
        if not text.startswith("="):
            return Value(text)
        expression = self.expression(node, text[1:], what)
        return None if expression is None else Value(text, expression)

    def required(
        self, node: etree._Element, attribute: str, what: str, remedy: str = "", rule: str = "missing-value"
    ) -> Value | None:
        text = node.get(attribute)
        if text is None or not text.strip() or text.strip() == "=":
            self.fault(node, rule, f"The {what} is missing.", remedy or f"Set `{attribute}`.")
            return None
        return self.value(node, text, what)

    def path(self, node: etree._Element, text: str | None, what: str) -> Path:
        """A variable's name, or a dotted path into a context."""
        text = (text or "").strip()
        if text.startswith("="):
            text = text[1:].strip()
        names = tuple(part.strip() for part in text.split("."))
        if not all(_is_name(name) for name in names):
            self.fault(
                node,
                "variable-name",
                f"The {what} `{text}` is not a variable name.",
                "Use letters, digits and underscores, starting with a letter; dots lead into a context.",
            )
            return ("_",)
        return names


def _is_name(text: str) -> bool:
    return text.isidentifier() and text not in (
        "null",
        "true",
        "false",
        "function",
        "if",
        "then",
        "else",
        "for",
    )
