"""Write and read one complex type by the mapping table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from types import UnionType
from typing import Any, Union, get_args, get_origin

from lxml import etree
from pydantic import BaseModel

from adapters.ncmec import vocabulary
from adapters.ncmec.converters import (
    BOOLEAN,
    ESCALATION,
    PRIOR,
    Converter,
    Flags,
    Human,
    Involved,
    Nested,
    OneOf,
    Reading,
    Writing,
    text_of_type,
    words,
)
from adapters.ncmec.mapping import GIVEN, LOCATIONS, TABLE, TYPES
from adapters.ncmec.node import Node
from adapters.ncmec.structure import elements, name_of, text_of
from adapters.ncmec.tables import COMPLEX_TYPES, Attribute, Child, Complex

_WORDS = {
    "addressType": vocabulary.ADDRESS_TYPES,
    "associatedAccountType": vocabulary.ASSOCIATED_ACCOUNT_TYPES,
    "batchReason": vocabulary.BATCH_REASONS,
    "classification": vocabulary.CLASSIFICATIONS,
    "emailType": vocabulary.EMAIL_TYPES,
    "eventName": vocabulary.EVENTS,
    "incidentType": vocabulary.INCIDENT_TYPES,
    "metadataType": vocabulary.METADATA_TYPES,
    "phoneType": vocabulary.PHONE_TYPES,
    "relevance": vocabulary.RELEVANCES,
}
_ROLES = {"personOrUserReported": "suspect", "intendedRecipient": "intended_recipient", "victim": "victim"}


@dataclass(frozen=True, slots=True)
class Item:
    """One pair of the table. ``many``: the case holds a list, whose entries become elements one by one."""

    name: str
    type: str
    required: bool
    fields: tuple[str, ...]
    many: bool
    converter: Converter


@dataclass(frozen=True, slots=True)
class Codec:
    """Both directions for one complex type; ``unmapped`` are the fields of the model without a place in it."""

    type: str
    items: dict[str, Item]
    order: tuple[str, ...]
    unmapped: tuple[tuple[str, ...], ...]

    def write(self, part: Any, path: str, name: str, writing: Writing) -> Node:
        """Give the element ``name`` for ``part``, which stands at ``path`` in the case."""
        node = Node(name, self.type, path)
        for key in self.order:
            item = self.items.get(key)
            if item is None:
                if key in writing.given:
                    node.children.append(writing.given[key])
                continue
            value, at = _value(part, item.fields), _join(path, item.fields)
            if value is None:
                item.converter.write_absent(at, item, node)
            elif (self.type, key) in writing.omitted:
                writing.left_out.append((at, self.type, key))
            elif item.many:
                for index, entry in enumerate(value):
                    item.converter.write(entry, f"{at}[{index}]", item, node, writing)
            else:
                item.converter.write(value, at, item, node, writing)
        writing.unsent += [_join(path, fields) for fields in self.unmapped if _says_something(_value(part, fields))]
        return node

    def read(self, element: etree._Element, path: str, reading: Reading) -> dict[str, Any]:
        """Give the part of the case document that ``element`` stands for."""
        document: dict[str, Any] = {}
        reading.places[path] = (element, "")
        if "#text" in self.items:
            self._read("#text", element, text_of(element), document, path, reading)
        for name, value in element.attrib.items():
            if f"@{name}" in self.items:
                self._read(f"@{name}", element, str(value), document, path, reading)
        for child in elements(element):
            name = name_of(child)
            if name in self.items:
                self._read(name, child, text_of(child), document, path, reading)
            elif name not in GIVEN.get(self.type, ()):
                reading.refuse(child, "not_carried", "the case document has no field for it")
        return document

    def _read(
        self, name: str, element: etree._Element, text: str, document: dict[str, Any], path: str, reading: Reading
    ) -> None:
        item = self.items[name]
        *outer, last = item.fields
        for step in outer:
            document = document.setdefault(step, {})
        at = _join(path, item.fields)
        if item.many:
            entries = document.setdefault(last, [])
            at = f"{at}[{len(entries)}]"
            entries.append(item.converter.read(element, text, at, reading))
        elif last in document and not isinstance(document[last], dict):
            reading.refuse(element, "not_carried", "the case document holds only one")
        else:
            value = item.converter.read(element, text, at, reading)
            document[last] = {**document.get(last, {}), **value} if isinstance(value, dict) else value
        reading.places[at] = (element, f"/{name}" if name.startswith("@") else "")


def _value(part: Any, fields: tuple[str, ...]) -> Any:
    for name in fields:
        if part is None:
            return None
        part = getattr(part, name)
    return part


def _join(path: str, fields: tuple[str, ...]) -> str:
    return ".".join((path, *fields)) if path else ".".join(fields)


def _says_something(value: Any) -> bool:
    if isinstance(value, BaseModel):
        return any(_says_something(getattr(value, name)) for name in value.model_fields_set)
    return value is not None and value not in ("", [], ())


@cache
def codec(name: str) -> Codec:
    """Give the codec that the mapping table describes under ``name``."""
    model, line = TABLE[name]
    kind = COMPLEX_TYPES[TYPES.get(name, name)]
    pairs = {element: tuple(field.split(".")) for element, _, field in (pair.partition("=") for pair in line.split())}
    items = {element: _item(kind, model, element, fields) for element, fields in pairs.items()}
    given = GIVEN.get(name, frozenset())
    order = [key for key in ("#text", *(f"@{each}" for each in kind.attributes)) if key in items]
    order += [key for key in kind.children if key in items or key in given]
    return Codec(kind.name, items, tuple(order), tuple(_unmapped(model, set(pairs.values()))))


def _item(kind: Complex, model: type[BaseModel], name: str, fields: tuple[str, ...]) -> Item:
    declared: Child | Attribute | None = None
    if name.startswith("@"):
        declared = kind.attributes[name[1:]]
    elif name != "#text":
        declared = kind.children[name]
    type_name = declared.type if declared else kind.text
    converter = _converter(kind.name, name, type_name)
    many = not converter.whole and _is_list(_annotation(model, fields))
    return Item(name, type_name, declared is not None and declared.required, fields, many, converter)


def _converter(kind: str, name: str, type_name: str) -> Converter:
    if name in _ROLES:
        return Involved(partial(codec, name), _ROLES[name])
    if name == "escalateToHighPriority":
        return ESCALATION
    if name in {"priorCTReports", "priorCTReport"}:
        return PRIOR
    if type_name == "internetDetails":
        return OneOf(LOCATIONS, codec)
    if type_name == "reportAnnotations":
        return Flags(vocabulary.REPORT_ANNOTATIONS)
    if type_name == "fileAnnotations":
        return Flags(vocabulary.FILE_ANNOTATIONS)
    if type_name in COMPLEX_TYPES:
        nested = partial(codec, name if name in TYPES else type_name)
        return Human(nested) if type_name == "person" and kind in _ROLES else Nested(nested)
    if type_name == "boolean":
        return BOOLEAN
    return words(_WORDS[type_name]) if type_name in _WORDS else text_of_type(type_name)


def _annotation(model: type[BaseModel], fields: tuple[str, ...]) -> Any:
    annotation: Any = model
    for name in fields:
        annotation = _without_none(annotation.model_fields[name].annotation)
    return annotation


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in {Union, UnionType}:
        (annotation,) = (each for each in get_args(annotation) if each is not type(None))
    return annotation


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) in {list, tuple}


def _unmapped(
    model: type[BaseModel], mapped: set[tuple[str, ...]], outer: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        fields = (*outer, name)
        if fields in mapped:
            continue
        if any(each[: len(fields)] == fields for each in mapped):
            yield from _unmapped(_without_none(field.annotation), mapped, fields)
        else:
            yield fields
