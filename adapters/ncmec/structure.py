"""Hold CyberTipline documents against the project's own table of their structure, or publish it as a W3C schema."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from lxml import etree

from adapters.ncmec.simple import SIMPLE_TYPES, Simple
from adapters.ncmec.tables import COMPLEX_TYPES, ROOTS, Child, Complex

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
#: Hints that any element of an instance may carry without meaning anything for the report.
_HINTS = {f"{_XSI}schemaLocation", f"{_XSI}noNamespaceSchemaLocation"}


def element_path(element: etree._Element) -> str:
    """Name an element by its path, with a number wherever siblings share a name: ``report/victim[2]/espService``."""
    steps = []
    at: etree._Element | None = element
    while at is not None:
        parent = at.getparent()
        alike = [] if parent is None else [sibling for sibling in parent if sibling.tag == at.tag]
        number = f"[{alike.index(at) + 1}]" if len(alike) > 1 else ""
        steps.append(f"{name_of(at)}{number}")
        at = parent
    return "/".join(reversed(steps))


def name_of(element: etree._Element) -> str:
    """Give the name of an element; the documents have no namespaces."""
    return str(element.tag)


def elements(parent: etree._Element) -> list[etree._Element]:
    """Give the child elements without comments and processing instructions."""
    return [child for child in parent if isinstance(child.tag, str)]


def text_of(element: etree._Element) -> str:
    """Give the text that stands directly in ``element``."""
    return (element.text or "") + "".join(child.tail or "" for child in element)


def violations(root: etree._Element, *, additions: bool = False) -> list[str]:
    """
    Name every place where a document breaks the structure, by element path and rule, never by value.

    ``additions`` allows the elements that are newer than the schema of November 2025.
    """
    name = name_of(root)
    if name not in ROOTS:
        return [f"{name}: is not a document of this interface"]
    return list(_complex(root, COMPLEX_TYPES[name], additions))


def _complex(element: etree._Element, kind: Complex, additions: bool) -> Iterator[str]:
    yield from _attributes(element, kind)
    if kind.model == "text":
        if elements(element):
            yield f"{element_path(element)}: may hold text only"
        if complaint := SIMPLE_TYPES[kind.text].complaint(text_of(element)):
            yield f"{element_path(element)}: {complaint}"
        return
    if text_of(element).strip(" \t\n\r"):
        yield f"{element_path(element)}: may not hold text of its own"
    yield from _order(element, kind, additions)
    for child in elements(element):
        declared = kind.children.get(name_of(child))
        if declared is None:
            continue
        if declared.type in COMPLEX_TYPES:
            yield from _complex(child, COMPLEX_TYPES[declared.type], additions)
        else:
            yield from _leaf(child, SIMPLE_TYPES[declared.type])


def _leaf(element: etree._Element, kind: Simple) -> Iterator[str]:
    if elements(element):
        yield f"{element_path(element)}: may hold text only"
    for name in element.attrib:
        if name not in _HINTS:
            yield f"{element_path(element)}/@{name}: is not an attribute of this element"
    if complaint := kind.complaint(text_of(element)):
        yield f"{element_path(element)}: {complaint}"


def _attributes(element: etree._Element, kind: Complex) -> Iterator[str]:
    for name, value in element.attrib.items():
        if name in _HINTS:
            continue
        declared = kind.attributes.get(str(name))
        if declared is None:
            yield f"{element_path(element)}/@{name}: is not an attribute of this element"
        elif complaint := SIMPLE_TYPES[declared.type].complaint(str(value)):
            yield f"{element_path(element)}/@{name}: {complaint}"
    for declared in kind.attributes.values():
        if declared.required and declared.name not in element.attrib:
            yield f"{element_path(element)}/@{declared.name}: is required"


def _order(element: etree._Element, kind: Complex, additions: bool) -> Iterator[str]:
    """Check which children there are, how many, and (in a sequence) in which order."""
    known: list[tuple[etree._Element, Child]] = []
    for child in elements(element):
        declared = kind.children.get(name_of(child))
        if declared is None or (declared.addition and not additions):
            yield f"{element_path(child)}: is not an element of {kind.name}"
        else:
            known.append((child, declared))
    reached = 0
    for child, declared in known:
        if kind.model == "sequence" and declared.group < reached:
            yield f"{element_path(child)}: stands too late; the order of elements is fixed"
        reached = max(reached, declared.group)
    count = Counter(declared.name for _, declared in known)
    for name, declared in kind.children.items():
        if declared.required and not count[name]:
            yield f"{element_path(element)}/{name}: is required"
        if count[name] > 1 and not declared.many:
            yield f"{element_path(element)}/{name}: may stand only once"
    if kind.model == "choice" and len(known) != 1:
        yield f"{element_path(element)}: must hold exactly one element"
    if kind.model == "sequence":
        for names in _alternatives(kind):
            if len(names) > 1 and sum(bool(count[name]) for name in names) > 1:
                yield f"{element_path(element)}: may hold only one of {', '.join(names)}"


def _alternatives(kind: Complex) -> list[list[str]]:
    """Give the children's names in order, those of one choice together."""
    groups: dict[int, list[str]] = {}
    for child in kind.children.values():
        groups.setdefault(child.group, []).append(child.name)
    return list(groups.values())


@functools.cache
def as_xsd(*, additions: bool = False) -> bytes:
    """Write the same table as a W3C schema, with or without the elements newer than November 2025."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">']
    lines += [f'<xs:element name="{name}" type="{name}"/>' for name in ROOTS]
    for kind in COMPLEX_TYPES.values():
        lines += _complex_as_xsd(kind, additions)
    for name, simple in SIMPLE_TYPES.items():
        lines += _simple_as_xsd(name, simple)
    lines.append("</xs:schema>")
    return "\n".join(lines).encode()


def _reference(name: str) -> str:
    simple = SIMPLE_TYPES.get(name)
    if simple is None or simple.words or simple.pattern:
        return f'type="{name}"'
    return f'type="xs:{simple.base}"' + (' fixed="true"' if simple.flag else "")


def _complex_as_xsd(kind: Complex, additions: bool) -> Iterator[str]:
    yield f'<xs:complexType name="{kind.name}">'
    attributes = [
        f'<xs:attribute name="{each.name}" {_reference(each.type)}' + (' use="required"/>' if each.required else "/>")
        for each in kind.attributes.values()
    ]
    if kind.model == "text":
        yield f'<xs:simpleContent><xs:extension base="xs:{kind.text}">'
        yield from attributes
        yield "</xs:extension></xs:simpleContent></xs:complexType>"
        return
    if kind.children:
        yield f"<xs:{kind.model}>"
        for names in _alternatives(kind):
            alternatives = [kind.children[name] for name in names if additions or not kind.children[name].addition]
            written = [_child_as_xsd(child, kind.model) for child in alternatives]
            yield from ["<xs:choice>", *written, "</xs:choice>"] if len(written) > 1 else written
        yield f"</xs:{kind.model}>"
    yield from attributes
    yield "</xs:complexType>"


def _child_as_xsd(child: Child, model: str) -> str:
    least = "" if child.required or model == "choice" else ' minOccurs="0"'
    most = ' maxOccurs="unbounded"' if child.many else ""
    return f'<xs:element name="{child.name}" {_reference(child.type)}{least}{most}/>'


def _simple_as_xsd(name: str, simple: Simple) -> Iterator[str]:
    if simple.words or simple.pattern:
        yield f'<xs:simpleType name="{name}"><xs:restriction base="xs:{simple.base}">'
        yield from (f"<xs:enumeration value={quoteattr(word)}/>" for word in sorted(simple.words))
        if simple.pattern:
            yield f"<xs:pattern value={quoteattr(simple.pattern)}/>"
        yield "</xs:restriction></xs:simpleType>"
