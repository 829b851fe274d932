"""A DMN document as XML: read safely, and places in it told exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers import expat

from lxml import etree

from towpath.faults import Fault, Faulty

from .item_types import line_of

NAMESPACES: Mapping[str, str] = {
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd": "1.1",
    "http://www.omg.org/spec/DMN/20180521/MODEL/": "1.2",
    "https://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "https://www.omg.org/spec/DMN/20211108/MODEL/": "1.4",
    "https://www.omg.org/spec/DMN/20230324/MODEL/": "1.5",
}
MAX_BYTES = 20_000_000


def sentence(message: str) -> str:
    """A message as a sentence, unless an excerpt is its end."""
    told = message[:1].upper() + message[1:]
    return told if "\n" in told or told.endswith((".", "?")) else f"{told}."


def parsed(xml: bytes, file: str | None) -> etree._Element:
    """The ``definitions`` of a document; raises Faulty where it is none."""

    def refused(rule: str, message: str, remedy: str, line: int | None = None) -> Faulty:
        return Faulty(
            [Fault(message=sentence(message), rule=f"dmn.{rule}", remedy=remedy, file=file, line=line)]
        )

    if len(xml) > MAX_BYTES:
        raise refused("size", f"the document is larger than {MAX_BYTES:,} bytes", "Divide the model.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, etree.XMLSyntaxError) else None
        told = str(getattr(error, "msg", error) or "it is empty")
        raise refused(
            "xml", f"not readable as XML: {told}", "Save it again from the editor that made it.", line
        ) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise refused(
            "doctype", "the document has a DOCTYPE, which a DMN model does not need", "Take the line out.", 1
        )
    name = etree.QName(root)
    if name.localname != "definitions" or name.namespace not in NAMESPACES:
        written = f"<{name.localname}> of the namespace {name.namespace or '(none)'}"
        raise refused(
            "namespace",
            f"{written} is no DMN model of version 1.1 to 1.5",
            f"Its root is <definitions> of one of {', '.join(NAMESPACES)}.",
            line_of(root),
        )
    return root


@dataclass(slots=True)
class Positions:
    """Where text stands in a document, which the XML tree does not tell.

    Read by a second parser, and only when there is a fault to tell.
    """

    # Per element in document order the pieces of its text: (piece, line, column), from 1.
    _pieces: list[list[tuple[str, int, int]]]
    _order: dict[etree._Element, int]

    @classmethod
    def of(cls, xml: bytes, root: etree._Element) -> Positions:
        found: list[list[tuple[str, int, int]]] = []
        stack: list[int] = []
        parser = expat.ParserCreate()

        def start(_: str, __: dict[str, str]) -> None:
            stack.append(len(found))
            found.append([])

        def text(piece: str) -> None:
            found[stack[-1]].append((piece, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1))

        parser.StartElementHandler = start
        parser.EndElementHandler = lambda _: stack.pop()
        parser.CharacterDataHandler = text
        try:
            parser.Parse(xml, True)
        except (expat.ExpatError, ValueError):
            found = []  # an encoding that only the other parser knows
        order = {element: index for index, element in enumerate(root.iter(etree.Element))}
        return cls(found, order)

    def place(self, element: etree._Element, line: int, column: int) -> tuple[int, int] | None:
        """``(line, column)`` in the document of a place in an element's text; all count from 1."""
        index = self._order.get(element)
        if index is None or index >= len(self._pieces):
            return None
        best: tuple[int, int] | None = None
        row, start = 1, 1  # where in the text a piece starts
        for piece, at_line, at_column in self._pieces[index]:
            if row == line and start <= column:
                best = (at_line, at_column + column - start)
            row, start = (row + 1, 1) if piece == "\n" else (row, start + len(piece))
        return best
