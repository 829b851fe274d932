"""Parsing XML that nobody has to trust: no entities, no external references, bounded size and depth."""

from __future__ import annotations

from typing import cast

from lxml import etree

from towpath.faults import Fault, Faulty

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
ZEEBE = "http://camunda.org/schema/zeebe/1.0"

MAX_BYTES = 10 * 1024 * 1024  # a model of 5,000 elements with its diagram is about 4 MiB
MAX_DEPTH = 200  # libxml2 itself stops at 256


def parse(xml: bytes, file: str | None) -> etree._Element:
    """The root element. Raises :class:`Faulty` for what is not XML, or not XML that we accept."""
    if len(xml) > MAX_BYTES:
        raise Faulty(
            [
                Fault(
                    message=f"The file has {len(xml)} bytes, more than the {MAX_BYTES} that are read.",
                    rule="bpmn.xml-size",
                    remedy="Split the model into several processes that call each other.",
                    file=file,
                )
            ]
        )
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_pis=True
    )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise Faulty(
            [
                Fault(
                    message=f"This is not well-formed XML: {error.msg}.",
                    rule="bpmn.xml-syntax",
                    remedy="Save the file again from the modelling tool.",
                    file=file,
                    line=line or None,
                    column=column or None,
                )
            ]
        ) from None
    except ValueError as error:
        raise Faulty(
            [Fault(message=f"This cannot be read as XML: {error}.", rule="bpmn.xml-syntax", file=file)]
        ) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Faulty(
            [
                Fault(
                    message="The file declares a document type. Entities and external files are refused.",
                    rule="bpmn.xml-doctype",
                    remedy="Remove the <!DOCTYPE ...> declaration.",
                    file=file,
                    line=1,
                )
            ]
        )
    _check_depth(root, file)
    return root


def _check_depth(root: etree._Element, file: str | None) -> None:
    depth = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            raise Faulty(
                [
                    Fault(
                        message=f"Elements are nested deeper than {MAX_DEPTH} levels.",
                        rule="bpmn.xml-depth",
                        file=file,
                        line=element.sourceline,
                    )
                ]
            )


def split(element: etree._Element) -> tuple[str, str]:
    """Namespace and local name; comments have neither."""
    tag: object = element.tag
    if not isinstance(tag, str):
        return "", ""
    if tag.startswith("{"):
        namespace, _, local = tag[1:].partition("}")
        return namespace, local
    return "", tag


def line_of(element: etree._Element) -> int:
    return cast("int | None", element.sourceline) or 0


def text_of(element: etree._Element) -> str:
    """The text content, with comments left out."""
    parts = [element.text or ""]
    parts += [child.tail or "" for child in element]
    return "".join(parts).strip()
