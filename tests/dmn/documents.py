"""Small DMN documents for the tests, put together from their parts."""

from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from towpath.dmn import Evaluation, Model, read
from towpath.faults import Fault, Faulty

DMN_1_3 = "https://www.omg.org/spec/DMN/20191111/MODEL/"
DMN_1_5 = "https://www.omg.org/spec/DMN/20230324/MODEL/"
OWN = "http://example.org/m"


def definitions(body: str, namespace: str = DMN_1_5, own: str = OWN, attributes: str = "") -> bytes:
    return (
        f'<definitions xmlns="{namespace}" id="model" name="A model" namespace="{own}" {attributes}>\n'
        f"{body}\n</definitions>"
    ).encode()


def literal(text: str, attributes: str = "") -> str:
    return f"<literalExpression {attributes}><text>{escape(text)}</text></literalExpression>"


def boxed(kind: str, attributes: str = "", **parts: str) -> str:
    """A conditional, iterator or filter; a part that is no XML is a literal expression."""
    inner = "".join(f"<{name.rstrip('_')}>{logic(part)}</{name.rstrip('_')}>" for name, part in parts.items())
    return f"<{kind} {attributes}>{inner}</{kind}>"


def logic(part: str) -> str:
    return part if part.startswith("<") else literal(part)


def context(entries: Mapping[str, str] | Iterable[tuple[str, str]], result: str | None = None) -> str:
    """Entries by name; a name may be followed by ``: type``."""
    pairs = entries.items() if isinstance(entries, Mapping) else entries
    inner = "".join(f"<contextEntry>{variable(name)}{logic(part)}</contextEntry>" for name, part in pairs)
    if result is not None:
        inner += f"<contextEntry>{logic(result)}</contextEntry>"
    return f"<context>{inner}</context>"


def typed(name: str) -> str:
    """``name="..." typeRef="..."`` of ``name: type``."""
    name, colon, wanted = name.partition(": ")
    return f"name={quoteattr(name)}" + (f" typeRef={quoteattr(wanted)}" if colon else "")


def variable(name: str) -> str:
    return f"<variable {typed(name)}/>"


def requirement(target: str) -> str:
    """``input:#id``, ``decision:#id`` or ``knowledge:#id``."""
    kind, _, href = target.partition(":")
    outer = "knowledgeRequirement" if kind == "knowledge" else "informationRequirement"
    return f'<{outer}><required{kind.capitalize()} href="{href}"/></{outer}>'


def decision(id: str, part: str = "", *requires: str, name: str = "") -> str:
    """``name`` may be followed by ``: type``; without one the id is the name."""
    title = (name or id).partition(": ")[0]
    return (
        f"<decision id={quoteattr(id)} name={quoteattr(title)}>{variable(name or id)}"
        f"{''.join(map(requirement, requires))}{logic(part) if part else ''}</decision>"
    )


def input_data(id: str, name: str = "") -> str:
    title = (name or id).partition(": ")[0]
    return f"<inputData id={quoteattr(id)} name={quoteattr(title)}>{variable(name or id)}</inputData>"


def function(
    parameters: Iterable[str], part: str, attributes: str = "", tag: str = "functionDefinition"
) -> str:
    inner = "".join(f"<formalParameter {typed(parameter)}/>" for parameter in parameters)
    return f"<{tag} {attributes}>{inner}{logic(part)}</{tag}>"


def knowledge(id: str, parameters: Iterable[str], part: str, *requires: str, name: str = "") -> str:
    title = (name or id).partition(": ")[0]
    return (
        f"<businessKnowledgeModel id={quoteattr(id)} name={quoteattr(title)}>{variable(name or id)}"
        f"{function(parameters, part, tag='encapsulatedLogic')}{''.join(map(requirement, requires))}"
        "</businessKnowledgeModel>"
    )


def invocation(callee: str, **bindings: str) -> str:
    inner = "".join(
        f"<binding><parameter name={quoteattr(name)}/>{logic(part) if part else ''}</binding>"
        for name, part in bindings.items()
    )
    return f"<invocation>{logic(callee)}{inner}</invocation>"


def service(id: str, name: str = "", **references: Iterable[str]) -> str:
    """References by role: outputDecision, encapsulatedDecision, inputDecision, inputData."""
    inner = "".join(f'<{role} href="#{ref}"/>' for role, refs in references.items() for ref in refs)
    title = (name or id).partition(": ")[0]
    return (
        f"<decisionService id={quoteattr(id)} name={quoteattr(title)}>{variable(name or id)}{inner}"
        "</decisionService>"
    )


def evaluated(body: str, asked: str = "d", /, **inputs: Any) -> Evaluation:
    return read(definitions(body)).evaluate(asked, inputs)


def output(body: str, asked: str = "d", /, **inputs: Any) -> Any:
    evaluation = evaluated(body, asked, **inputs)
    assert not evaluation.failed, evaluation.message
    return evaluation.output


def answer(part: str, **inputs: Any) -> Any:
    """What one decision of this logic answers."""
    return output(decision("d", part), **inputs)


def reasons(evaluation: Evaluation) -> list[str]:
    return [warning["message"] for record in evaluation.audit for warning in record["warnings"]]


def faults(body: str | bytes, **options: Any) -> list[Fault]:
    """Everything that is wrong with a document, warnings too."""
    xml = body if isinstance(body, bytes) else definitions(body)
    try:
        model: Model = read(xml, "a.dmn", **options)
    except Faulty as error:
        return list(error.faults)
    return list(model.warnings)
