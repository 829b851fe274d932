"""Reading a DMN document (versions 1.1 to 1.5): the requirement graph, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lxml import etree

from towpath.faults import Fault, Faulty
from towpath.feel.errors import FeelError, FeelSyntaxError
from towpath.feel.expression import Expression
from towpath.feel.names import normalized
from towpath.feel.types import ANY, Type

from .boxed_reader import BoxedReader, Called, Names
from .document import Positions, parsed, sentence
from .graph import DecisionNode, Element, InputData, Knowledge, Requirement, Service
from .graph_checks import check_call, check_cycles, check_ids, check_names
from .item_types import ItemTypes, child, children, line_of, local
from .model import Model
from .state import hint

MAX_IMPORTS = 20  # one inside the other
MAX_FAULTS = 200  # told of one document; looking for what may have been meant takes its time

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
# Names that the parser would not take for one where they are not known: with symbols or FEEL's words.
_PLAIN = re.compile(r"[^\W\d]\w*( \w+)*")
_WORDS = frozenset(
    {"and", "or", "between", "in", "instance", "of", "if", "then", "else", "for", "return", "some", "every"}
    | {"satisfies", "not", "true", "false", "null", "function", "external"}
)


def read(
    xml: bytes, file: str | None = None, *, imports: Mapping[str, bytes] | None = None, lenient: bool = False
) -> Model:
    """The model of a DMN document; raises Faulty with everything that is wrong with it.

    ``file`` is the document's name in faults. ``imports`` are the documents that it may import, by
    namespace. ``Model.warnings`` has what is questionable but no error. A ``lenient`` reader makes
    warnings of all faults: an expression that cannot be read is null (with a warning when it is
    evaluated), what refers to nothing is left out; only what is no DMN document raises.
    """
    return _Reader(xml, file, _Library(imports or {}, lenient), []).model()


class _Library:
    """The documents that may be imported, each read once."""

    def __init__(self, documents: Mapping[str, bytes], lenient: bool) -> None:
        self.documents = documents
        self.lenient = lenient
        self.models: dict[str, Model] = {}


class _Reader:
    """``reading`` are the namespaces of the models whose imports led here."""

    def __init__(self, xml: bytes, file: str | None, library: _Library, reading: list[str]) -> None:
        self.file = file
        self.xml = xml
        self.library = library
        self.faults: list[Fault] = []
        self.errors = 0
        self.root = parsed(xml, file)
        self.positions: Positions | None = None
        self.elements: dict[str, Element] = {}
        self.imported: dict[str, tuple[str, Model]] = {}  # namespace -> (prefix, model)
        self.locations: dict[str, str] = {}  # an import's location -> its namespace
        self.namespace = str(self.root.get("namespace") or "")
        self.reading = [*reading, self.namespace]
        self.current: Element | None = None  # whose logic is read

    def fault(
        self,
        rule: str,
        message: str,
        element: etree._Element,
        remedy: str = "",
        place: tuple[int, int] | None = None,
        severity: str = "error",
    ) -> None:
        owner: etree._Element | None = element
        while owner is not None and not owner.get("id"):
            owner = owner.getparent()
        self.faults.append(
            Fault(
                message=sentence(message),
                rule=f"dmn.{rule}",
                remedy=remedy,
                file=self.file,
                line=line_of(element) if place is None else place[0],
                column=None if place is None else place[1],
                element=None if owner is None else owner.get("id"),
                element_name=None if owner is None else owner.get("name"),
                severity="warning" if self.library.lenient else severity,
            )
        )
        if self.faults[-1].severity == "error":
            self.errors += 1
            if self.errors >= MAX_FAULTS:
                raise Faulty(self.faults)

    def syntax(self, text: etree._Element, error: FeelError) -> None:
        """A text that is no FEEL."""
        if not isinstance(error, FeelSyntaxError):
            self.fault("feel", str(error), text)
            return
        message = f"{error.message}\n{error.excerpt()}"
        self.fault("feel", message, text, place=self.place(text, error.line, error.column))

    def place(self, text: etree._Element, line: int, column: int) -> tuple[int, int] | None:
        """Where in the document a place in a text is."""
        if self.positions is None:
            self.positions = Positions.of(self.xml, self.root)
        return self.positions.place(text, line, column)

    def model(self) -> Model:
        self._read_imports()
        types = ItemTypes(
            self.root,
            {
                f"{prefix}.{name}" if prefix else name: wanted
                for prefix, model in self.imported.values()
                for name, wanted in model.exported_types.items()
            },
            self._constraint,
            self.fault,
            {namespace: prefix for namespace, (prefix, _) in self.imported.items()},
        )
        pairs = self._declare(types)
        self._name_clashes(pairs)
        for node, element in pairs:
            if isinstance(element, DecisionNode | Knowledge):
                element.requirements = self._requirements(node)
            elif isinstance(element, Service):
                self._read_service(node, element)
        vocabulary = self._vocabulary(types)
        self._read_logic(pairs, types, vocabulary)
        check_cycles(pairs, self.fault)
        check_ids(self.root, self.fault)
        if any(fault.severity == "error" for fault in self.faults):
            raise Faulty(self.faults)
        name = str(self.root.get("name") or "")
        return Model(
            str(self.root.get("id") or name),
            name,
            self.namespace,
            self.elements,
            types.named,
            exported_types=self._exported(types),
            imports=tuple(self.imported.values()),
            vocabulary=vocabulary,
            warnings=tuple(self.faults),
        )

    # -- imports --------------------------------------------------------------------------------------

    def _read_imports(self) -> None:
        for node in children(self.root, "import"):
            namespace, kind = str(node.get("namespace") or ""), str(node.get("importType") or "DMN")
            if "DMN" not in kind.upper():
                self.fault("import", f"an import of {kind} is not read", node, severity="warning")
                continue
            model = self._imported(namespace, node)
            if model is not None:
                self.imported[namespace] = (normalized(str(node.get("name") or "")), model)
                if node.get("locationURI"):
                    self.locations[str(node.get("locationURI"))] = namespace

    def _imported(self, namespace: str, node: etree._Element) -> Model | None:
        library = self.library
        if namespace in self.reading:
            circle = " -> ".join((*self.reading[self.reading.index(namespace) :], namespace))
            self.fault(
                "import",
                f"models import each other in a circle: {circle}",
                node,
                "Remove one of the imports.",
            )
            return None
        if namespace in library.models:
            return library.models[namespace]
        document = library.documents.get(namespace)
        if document is None:
            known = ", ".join(library.documents) or "none"
            self.fault(
                "import",
                f"the imported model {namespace} is not at hand (there are: {known})",
                node,
                "Put it beside this one, or deploy both together.",
            )
            return None
        if len(self.reading) > MAX_IMPORTS:
            self.fault("import", f"models import each other more than {MAX_IMPORTS} deep", node)
            return None
        try:
            model = _Reader(document, namespace, library, self.reading).model()
        except Faulty as error:
            self.faults.extend(error.faults)
            return None
        self.faults.extend(fault for fault in model.warnings if fault not in self.faults)
        library.models[namespace] = model
        return model

    def _exported(self, types: ItemTypes) -> dict[str, Type]:
        """The types that this model's importers see: its own, and those of imports without a name."""
        found = {name: wanted for name, wanted in types.named.items() if types.defines(name)}
        for prefix, model in self.imported.values():
            if not prefix:
                found = {**model.exported_types, **found}
        return found

    # -- the graph ------------------------------------------------------------------------------------

    def _declare(self, types: ItemTypes) -> list[tuple[etree._Element, Element]]:
        """Every element of the graph, without what it requires."""
        pairs: list[tuple[etree._Element, Element]] = []
        for node in children(self.root, "inputData", "decision", "businessKnowledgeModel", "decisionService"):
            id, title = str(node.get("id") or ""), str(node.get("name") or node.get("id") or "")
            if not id:
                id = f"{local(node)}:{title}"
            if id in self.elements:
                self.fault(
                    "duplicate-id", f"the id {id!r} occurs twice", node, "Give each element its own id."
                )
                continue
            variable = child(node, "variable")
            name = title if variable is None else str(variable.get("name") or title)
            wanted = ANY if variable is None else types.required(variable.get("typeRef"), variable)
            self.elements[id] = element = _made(local(node), id, normalized(name), wanted, title)
            pairs.append((node, element))
        return pairs

    def _name_clashes(self, pairs: list[tuple[etree._Element, Element]]) -> None:
        seen: set[str] = set()
        for node, element in pairs:
            if element.name in seen:
                self.fault(
                    "duplicate-name",
                    f"the name {element.name!r} occurs twice",
                    node,
                    "Give each element its own name.",
                    severity="warning",
                )
            seen.add(element.name)

    def _requirements(self, node: etree._Element) -> list[Requirement]:
        wanted: Mapping[str, tuple[type[Element], ...]] = {
            "requiredInput": (InputData,),
            "requiredDecision": (DecisionNode,),
            "requiredKnowledge": (Knowledge, Service),
        }
        found: list[Requirement] = []
        for requirement in children(node, "informationRequirement", "knowledgeRequirement"):
            for target in children(requirement, *wanted):
                resolved = self._resolved(target)
                if resolved is None:
                    continue
                if not isinstance(resolved.element, wanted[local(target)]):
                    self.fault(
                        "requirement",
                        f"{target.get('href')!r} cannot be a {local(target)}",
                        target,
                        "Draw the requirement again.",
                    )
                found.append(resolved)
        taken = {name for needed in found for name in needed.first_names()}
        for needed in found:
            element = needed.element
            if isinstance(element, DecisionNode) and not needed.prefix:
                others = {normalized(element.title), element.id if _IDENTIFIER.fullmatch(element.id) else ""}
                needed.aliases = tuple(sorted(others - taken - {""}))
        return found

    def _resolved(self, target: etree._Element) -> Requirement | None:
        href = str(target.get("href") or "")
        namespace, _, id = href.rpartition("#")
        namespace = self.locations.get(namespace, namespace)
        if namespace in ("", self.namespace) and id in self.elements:
            return Requirement(self.elements[id])
        if namespace in self.imported and id in self.imported[namespace][1].elements:
            prefix, model = self.imported[namespace]
            return Requirement(model.elements[id], (prefix,) if prefix else ())
        self.fault(
            "requirement",
            f"{href!r} refers to nothing{hint(id, self.elements)}",
            target,
            "Draw the requirement again.",
        )
        return None

    def _read_service(self, node: etree._Element, service: Service) -> None:
        if service.type.name == "function":
            service.type = service.type.result or ANY
        for target in children(node, "outputDecision", "encapsulatedDecision", "inputDecision", "inputData"):
            resolved = self._resolved(target)
            if resolved is None:
                continue
            element, role = resolved.element, local(target)
            if role == "inputData" and isinstance(element, InputData):
                service.input_data.append(element)
            elif role == "outputDecision" and isinstance(element, DecisionNode):
                service.outputs.append(element)
            elif role == "inputDecision" and isinstance(element, DecisionNode):
                service.input_decisions.append(element)
            elif not (role == "encapsulatedDecision" and isinstance(element, DecisionNode)):
                self.fault(
                    "service",
                    f"{target.get('href')!r} cannot be an {role}",
                    target,
                    "Draw the service again.",
                )
        if not service.outputs:
            self.fault(
                "service",
                "the decision service has no output decision",
                node,
                "Give it one.",
                severity="warning",
            )

    # -- logic ----------------------------------------------------------------------------------------

    def _vocabulary(self, types: ItemTypes) -> Names:
        """The names that values may have inside and that the parser must know to read them as one."""
        names = types.component_names() | {element.name for element in self.elements.values()}
        names |= {
            normalized(str(part.get("name")))
            for part in self.root.iter(etree.Element)
            if part.get("name") and local(part) in ("variable", "column", "output")
        }
        for _, model in self.imported.values():
            names |= model.vocabulary | {element.name for element in model.elements.values()}
        return frozenset(
            name for name in names if not _PLAIN.fullmatch(name) or not _WORDS.isdisjoint(name.split())
        )

    def _read_logic(
        self, pairs: list[tuple[etree._Element, Element]], types: ItemTypes, vocabulary: Names
    ) -> None:
        hidden = frozenset(
            element.name for element in self.elements.values() if isinstance(element, InputData)
        )
        language = self.root.get("expressionLanguage")
        boxed = BoxedReader(self.fault, self.syntax, self._missing, types, vocabulary, language)
        calls: list[tuple[DecisionNode | Knowledge, Called]] = []
        for node, element in pairs:
            if not isinstance(element, DecisionNode | Knowledge):
                continue
            self.current = element
            names = frozenset(name for needed in element.requirements for name in needed.first_names())
            try:
                if isinstance(element, DecisionNode):
                    element.hidden = hidden
                    element.expression = boxed.expression_in(node, names)
                else:
                    element.definition = boxed.knowledge(node, element, names | {element.name})
            except RecursionError:
                self.fault("depth", "its expressions are nested too deeply", node, "Divide the decision.")
            calls.extend((element, call) for call in boxed.calls)
            boxed.calls = []
        # Only now every parameter is known.
        for owner, call in calls:
            check_call(owner, call, self.fault)

    def _missing(self, text: etree._Element, unknown: Names, names: Names) -> None:
        if len(self.faults) < MAX_FAULTS:
            check_names(self.current, self.elements.values(), text, (unknown, names), self.fault)

    def _constraint(self, node: etree._Element, text: str) -> Expression | None:
        """The allowed values of an item definition, as tests."""
        try:
            return Expression(text, (), "unary-tests")
        except FeelError as error:
            holder = child(node, "text")
            self.syntax(node if holder is None else holder, error)
            return None


def _made(kind: str, id: str, name: str, wanted: Type, title: str) -> Element:
    if kind == "inputData":
        return InputData(id, name, wanted, title)
    if kind == "decision":
        return DecisionNode(id, name, wanted, title)
    if kind == "businessKnowledgeModel":
        return Knowledge(id, name, wanted, title)
    return Service(id, name, wanted, title)
