"""Reads the XML of strangers: no document type, no entities, nothing fetched, bounded depth and size.

    root = parse_xml(data)                     # xml.etree.ElementTree.Element; MalformedInput

The parser of the standard library reports a document type before it expands anything; we stop there.
"""

from __future__ import annotations

from typing import Any, NoReturn
from xml.etree.ElementTree import Element, ParseError, TreeBuilder
from xml.parsers import expat

from certs.errors import MalformedInput

MAX_SIZE = 64 * 1024 * 1024
"""The largest national lists have some tens of MiB."""
MAX_DEPTH = 64
MAX_ELEMENTS = 2_000_000
MAX_NAMES = 256
"""Attributes of one element, and namespaces declared around one: others who read the same take the square of that."""


def parse_xml(data: bytes) -> Element:
    """Return the document element; names are "{namespace}local". Raises MalformedInput."""
    if len(data) > MAX_SIZE:
        raise MalformedInput("the XML document is too large")
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    depth = count = declared = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > MAX_DEPTH or count > MAX_ELEMENTS:
            raise MalformedInput("the XML document is nested too deep or too long")
        if len(attributes) > MAX_NAMES:
            raise MalformedInput("an element of the XML document has too many attributes")
        builder.start(_named(tag), {_named(key): value for key, value in attributes.items()})

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_named(tag))

    def declare(*_: Any) -> None:
        nonlocal declared
        declared += 1
        if declared > MAX_NAMES:
            raise MalformedInput("the XML document declares too many namespaces")

    def forget(*_: Any) -> None:
        nonlocal declared
        declared -= 1

    def refuse(*_: Any) -> NoReturn:
        raise MalformedInput("the XML document has a document type or entities, which are not read")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, builder.data
    parser.StartNamespaceDeclHandler, parser.EndNamespaceDeclHandler = declare, forget
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(data, True)
        return builder.close()
    except (expat.ExpatError, ParseError, LookupError, ValueError, AssertionError) as error:
        raise MalformedInput("this is no well-formed XML") from error


def _named(tag: str) -> str:
    return "{" + tag if "}" in tag else tag


def text_of(element: Element | None, path: str, namespaces: dict[str, str] | None = None) -> str:
    """Return the text of the first element at `path`, without space around it; "" where there is none."""
    found = element.find(path, namespaces) if element is not None else None
    return (found.text or "").strip() if found is not None else ""
