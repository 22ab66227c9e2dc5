"""An element about to be sent, which still knows the case field that each of its texts came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from adapters.ncmec.tables import COMPLEX_TYPES, Complex

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(slots=True, repr=False)
class Node:
    """
    An element, or (in ``attributes``) an attribute.

    ``type`` names its simple or complex type in the structural table, ``path`` the case field. For an element with
    text and attributes, ``text_path`` names the field of the text.
    """

    name: str
    type: str
    path: str
    text: str = ""
    text_path: str = ""
    attributes: list[Node] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    @property
    def complex(self) -> Complex | None:
        """The complex type; None for a leaf."""
        return COMPLEX_TYPES.get(self.type)

    def find(self, name: str) -> Node | None:
        """Give the first child of that name, or the attribute where ``name`` begins with ``@``."""
        if name.startswith("@"):
            return next((node for node in self.attributes if node.name == name[1:]), None)
        return next((node for node in self.children if node.name == name), None)

    def find_all(self, path: str) -> list[Node]:
        """Give every descendant at that path of names."""
        found = [self]
        for name in path.split("/"):
            found = [child for node in found for child in node.children if child.name == name]
        return found

    def walk(self) -> Iterator[Node]:
        """Give this element and all within it, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def insert(self, child: Node) -> None:
        """Put ``child`` where the structural table wants it, after its like."""
        declared = COMPLEX_TYPES[self.type].children
        group = declared[child.name].group
        place = sum(1 for node in self.children if declared[node.name].group <= group)
        self.children.insert(place, child)

    def element(self, parent: etree._Element | None = None) -> etree._Element:
        """Render as an element."""
        element = etree.Element(self.name) if parent is None else etree.SubElement(parent, self.name)
        for attribute in self.attributes:
            element.set(attribute.name, attribute.text)
        if self.text:
            element.text = self.text
        for child in self.children:
            child.element(element)
        return element

    def document(self) -> bytes:
        """Render as a document: UTF-8, no white space between elements, no namespaces."""
        return DECLARATION + etree.tostring(self.element(), encoding="UTF-8", xml_declaration=False)
