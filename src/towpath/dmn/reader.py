"""Reading a DMN document (versions 1.1 to 1.5): the requirement graph, checked."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from towpath.faults import Fault, Faulty
from towpath.feel.errors import FeelError
from towpath.feel.expression import Expression
from towpath.feel.types import Type

from .boxed_reader import BoxedReader
from .graph import DecisionNode, Element, InputData, Knowledge, Requirement, Service
from .item_types import ItemTypes, child, children, line_of, local
from .model import Model

NAMESPACES = {
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd": "1.1",
    "http://www.omg.org/spec/DMN/20180521/MODEL/": "1.2",
    "https://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "https://www.omg.org/spec/DMN/20211108/MODEL/": "1.4",
    "https://www.omg.org/spec/DMN/20230324/MODEL/": "1.5",
}
MAX_BYTES = 20_000_000
MAX_IMPORTS = 20  # one inside the other


def read(
    xml: bytes, file: str | None = None, *, imports: Mapping[str, bytes] | None = None, lenient: bool = False
) -> Model:
    """The model of a DMN document; raises Faulty with everything that is wrong with it.

    ``imports`` are the documents that it may import, by namespace. A ``lenient`` reader takes an
    expression that cannot be read as null (with a warning when it is evaluated).
    """
    return _Reader(xml, file, imports or {}, lenient, 0).model()


class _Reader:
    def __init__(
        self, xml: bytes, file: str | None, imports: Mapping[str, bytes], lenient: bool, depth: int
    ) -> None:
        self.file = file
        self.lenient = lenient
        self.depth = depth
        self.imports = imports
        self.faults: list[Fault] = []
        self.root = _parsed(xml, file)
        self.elements: dict[str, Element] = {}
        self.imported: dict[str, tuple[str, Model]] = {}  # namespace -> (prefix, model)
        self.namespace = str(self.root.get("namespace") or "")

    def fault(
        self, rule: str, message: str, element: etree._Element, remedy: str = "", line: int = 0
    ) -> None:
        owner: etree._Element | None = element
        while owner is not None and not owner.get("id"):
            owner = owner.getparent()
        self.faults.append(
            Fault(
                message=message,
                rule=f"dmn.{rule}",
                remedy=remedy,
                file=self.file,
                line=line or line_of(element),
                element=None if owner is None else owner.get("id"),
                element_name=None if owner is None else owner.get("name"),
            )
        )

    def model(self) -> Model:
        self._read_imports()
        imported_types = {
            f"{prefix}.{name}" if prefix else name: wanted
            for prefix, model in self.imported.values()
            for name, wanted in model.types.items()
        }
        types = ItemTypes(self.root, imported_types, self._constraint)
        pairs = self._declare(types)
        hidden = frozenset(
            element.name for element in self.elements.values() if isinstance(element, InputData)
        )
        vocabulary = types.component_names() | {element.name for element in self.elements.values()}
        for _, model in self.imported.values():
            vocabulary |= {element.name for element in model.elements.values()}
        boxed = BoxedReader(self.fault, types, frozenset(vocabulary), self.lenient)
        for node, element in pairs:
            if isinstance(element, DecisionNode | Knowledge):
                element.requirements = self._requirements(node)
                names = {_first_name(requirement) for requirement in element.requirements}
                if isinstance(element, DecisionNode):
                    element.hidden = hidden
                    element.expression = boxed.expression_in(node, frozenset(names))
                else:
                    names.add(element.name)
                    element.definition = boxed.knowledge(node, element, frozenset(names))
            elif isinstance(element, Service):
                self._read_service(node, element)
        self._check_cycles(pairs)
        faults = [fault for fault in self.faults if fault.severity == "error"]
        if faults:
            raise Faulty(self.faults)
        name = str(self.root.get("name") or "")
        return Model(str(self.root.get("id") or name), name, self.namespace, self.elements, types.named)

    def _read_imports(self) -> None:
        for node in children(self.root, "import"):
            namespace, prefix = str(node.get("namespace") or ""), str(node.get("name") or "")
            if "DMN" not in str(node.get("importType") or "DMN"):
                continue
            document = self.imports.get(namespace)
            if document is None:
                self.fault(
                    "import",
                    f"the imported model {namespace} is not at hand",
                    node,
                    "Deploy it together with this one.",
                )
            elif self.depth >= MAX_IMPORTS:
                self.fault("import", "models import each other too deeply, or in a circle", node)
            else:
                try:
                    model = _Reader(document, None, self.imports, self.lenient, self.depth + 1).model()
                except Faulty as error:
                    self.faults.extend(error.faults)
                else:
                    self.imported[namespace] = (prefix, model)

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
            reference = None if variable is None else variable.get("typeRef")
            wanted = types.of(reference)
            if wanted is None:
                assert variable is not None
                self.fault(
                    "type", f"there is no type {reference!r}", variable, "Define it, or use a type of FEEL."
                )
                wanted = types.of(None)
            assert wanted is not None
            self.elements[id] = element = _made(local(node), id, name, wanted, title)
            pairs.append((node, element))
        return pairs

    def _requirements(self, node: etree._Element) -> list[Requirement]:
        found = []
        for requirement in children(node, "informationRequirement", "knowledgeRequirement"):
            for target in children(requirement, "requiredInput", "requiredDecision", "requiredKnowledge"):
                resolved = self._resolved(target)
                if resolved is not None:
                    found.append(resolved)
        return found

    def _resolved(self, target: etree._Element) -> Requirement | None:
        href = str(target.get("href") or "")
        namespace, _, id = href.rpartition("#")
        if namespace in ("", self.namespace) and id in self.elements:
            return Requirement(self.elements[id])
        if namespace in self.imported and id in self.imported[namespace][1].elements:
            prefix, model = self.imported[namespace]
            return Requirement(model.elements[id], (prefix,) if prefix else ())
        if not (namespace and namespace not in self.imported and self.lenient):
            self.fault("requirement", f"{href!r} refers to nothing", target, "Draw the requirement again.")
        return None

    def _read_service(self, node: etree._Element, service: Service) -> None:
        for target in children(node, "outputDecision", "inputDecision", "inputData"):
            resolved = self._resolved(target)
            if resolved is None:
                continue
            element = resolved.element
            if local(target) == "inputData" and isinstance(element, InputData):
                service.input_data.append(element)
            elif local(target) == "outputDecision" and isinstance(element, DecisionNode):
                service.outputs.append(element)
            elif local(target) == "inputDecision" and isinstance(element, DecisionNode):
                service.input_decisions.append(element)
            else:
                self.fault("service", f"{target.get('href')!r} is no {local(target)}", target)

    def _check_cycles(self, pairs: list[tuple[etree._Element, Element]]) -> None:
        done: set[Element] = set()
        for node, start in pairs:
            path: list[Element] = []
            pending: list[tuple[Element, int]] = [(start, 0)]
            while pending:
                element, depth = pending.pop()
                del path[depth:]
                if element in path:
                    if isinstance(element, DecisionNode):
                        names = " -> ".join(part.name for part in (*path[path.index(element) :], element))
                        self.fault("cycle", f"decisions require each other in a circle: {names}", node)
                    done.update(path)
                    continue
                if element in done:
                    continue
                path.append(element)
                requirements = getattr(element, "requirements", ())
                if requirements:
                    pending.extend((requirement.element, len(path)) for requirement in requirements)
                else:
                    done.add(element)
            done.add(start)

    def _constraint(self, node: etree._Element, text: str) -> Expression | None:
        """The allowed values of an item definition, as tests."""
        try:
            return Expression(text, (), "unary-tests")
        except FeelError as error:
            if not self.lenient:
                self.fault("allowed-values", str(error), node)
            return None


def _first_name(requirement: Requirement) -> str:
    return requirement.prefix[0] if requirement.prefix else requirement.element.name


def _made(kind: str, id: str, name: str, wanted: Type, title: str) -> Element:
    if kind == "inputData":
        return InputData(id, name, wanted)
    if kind == "decision":
        return DecisionNode(id, name, wanted, title)
    if kind == "businessKnowledgeModel":
        return Knowledge(id, name, wanted)
    return Service(id, name, wanted)


def _parsed(xml: bytes, file: str | None) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    if len(xml) > MAX_BYTES:
        raise Faulty(
            [Fault(message=f"the document is larger than {MAX_BYTES} bytes", rule="dmn.size", file=file)]
        )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise Faulty(
            [Fault(message=f"not readable as XML: {error.msg}", rule="dmn.xml", file=file, line=error.lineno)]
        ) from error
    name = etree.QName(root)
    if name.localname != "definitions" or name.namespace not in NAMESPACES:
        raise Faulty(
            [
                Fault(
                    message=f"{root.tag!r} is no DMN model of version 1.1 to 1.5",
                    rule="dmn.namespace",
                    file=file,
                    line=line_of(root),
                )
            ]
        )
    return root
