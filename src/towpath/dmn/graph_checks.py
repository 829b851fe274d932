"""Checks of a requirement graph that was read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from lxml import etree

from towpath.feel.builtins import STANDARD

from .boxed_reader import Called, Names
from .document import NAMESPACES
from .graph import DecisionNode, Element, InputData, Knowledge, Requirement, Service
from .item_types import local
from .state import hint

Report = Callable[..., None]
Pairs = Sequence[tuple[etree._Element, Element]]


def check_cycles(pairs: Pairs, report: Report) -> None:
    """Decisions may not require each other in a circle; knowledge models may call each other."""
    done: set[Element] = set()
    for node, start in pairs:
        path: list[Element] = []
        pending: list[tuple[Element, int]] = [(start, 0)]
        on_path: set[Element] = set()
        while pending:
            element, depth = pending.pop()
            for left in path[depth:]:
                on_path.discard(left)
                done.add(left)
            del path[depth:]
            if element in on_path:
                if isinstance(element, DecisionNode):
                    names = " -> ".join(part.title for part in (*path[path.index(element) :], element))
                    report(
                        "cycle",
                        f"decisions require each other in a circle: {names}",
                        node,
                        "Remove one of the requirements.",
                    )
                continue
            if element in done:
                continue
            path.append(element)
            on_path.add(element)
            pending.extend((needed.element, len(path)) for needed in _requirements(element))
        done.update(path)


def _requirements(element: Element) -> Sequence[Requirement]:
    return element.requirements if isinstance(element, DecisionNode | Knowledge) else ()


def check_ids(root: etree._Element, report: Report) -> None:
    """Every id of the model (not of its diagram) occurs once; those of the graph are checked before."""
    graph = {"inputData", "decision", "businessKnowledgeModel", "decisionService"}
    seen: set[str] = set()
    for element in root.iter(etree.Element):
        id = element.get("id")
        if id is None or etree.QName(element).namespace not in NAMESPACES:
            continue
        if id in seen and local(element) not in graph:
            report(
                "duplicate-id",
                f"the id {id!r} occurs twice",
                element,
                "Give each element its own id.",
                severity="warning",
            )
        seen.add(str(id))


def check_call(owner: DecisionNode | Knowledge, call: Called, report: Report) -> None:
    """Whether a boxed invocation's bindings are the parameters of what it names."""
    for requirement in owner.requirements:
        element = requirement.element
        if isinstance(element, Knowledge | Service) and call.name == ".".join(
            (*requirement.prefix, element.name)
        ):
            break
    else:
        if call.name == owner.name and isinstance(owner, Knowledge):
            element = owner
        else:
            return
    parameters = [name for name, _ in element.parameters()]
    for name in call.bindings:
        if name not in parameters:
            report(
                "binding",
                f"{call.name!r} has no parameter {name!r}{hint(name, parameters)}",
                call.node,
                f"Its parameters are {', '.join(parameters) or 'none'}.",
            )
    missing = [name for name in parameters if name not in call.bindings]
    if missing:
        report(
            "binding",
            f"the invocation of {call.name!r} leaves out {', '.join(missing)}",
            call.node,
            "Bind every parameter.",
            severity="warning",
        )


def check_names(
    owner: Element | None,
    elements: Iterable[Element],
    text: etree._Element,
    names: tuple[Names, Names],
    report: Report,
) -> None:
    """Tell of names that a text reads in vain; ``names`` are those, and the ones in scope.

    A decision also sees variables that nothing in the model declares; so where a model has no inputs
    and a decision no requirements, there is nothing to tell.
    """
    known = {element.name: element for element in elements}
    unknown, scope = names
    drawn = isinstance(owner, Knowledge) or bool(owner is not None and _requirements(owner))
    declares = drawn or any(isinstance(element, InputData) for element in known.values())
    title = "" if owner is None else owner.title
    for name in sorted(unknown):
        element = known.get(name)
        if element is not None and element is not owner:
            kind = "a knowledge" if isinstance(element, Knowledge | Service) else "an information"
            report(
                "unbound",
                f"{title!r} reads {name!r}, which it does not require",
                text,
                f"Draw {kind} requirement from it.",
                severity="warning",
            )
        elif declares:
            report(
                "unbound",
                f"{title!r} reads {name!r}, which nothing that it requires is called"
                f"{hint(name, {*scope, *known, *STANDARD})}",
                text,
                "Correct the name, or draw an information requirement.",
                severity="warning",
            )
