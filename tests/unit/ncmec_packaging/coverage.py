"""Every path of the CyberTipline's documents: by the project's table, by a W3C schema, and as far as a case reaches."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from adapters.ncmec import payload
from adapters.ncmec.node import Node
from adapters.ncmec.notes import pattern_of
from adapters.ncmec.structure import as_xsd
from adapters.ncmec.tables import COMPLEX_TYPES, ROOTS
from reporter.cases.model import Case
from tests.unit.ncmec_packaging.full_case import FULL_CASE
from tests.unit.ncmec_packaging.support import full_organisation, packaging

_XS = "{http://www.w3.org/2001/XMLSchema}"


def table_paths() -> list[str]:
    """Walk the structural table."""
    return [path for root in ROOTS for path in _table_paths(root, root)]


def _table_paths(path: str, type_name: str) -> Iterator[str]:
    yield path
    kind = COMPLEX_TYPES.get(type_name)
    if kind is not None:
        yield from (f"{path}/@{name}" for name in kind.attributes)
        for child in kind.children.values():
            yield from _table_paths(f"{path}/{child.name}", child.type)


def schema_paths(schema: bytes) -> set[str]:
    """Walk a W3C schema, whoever wrote it."""
    root = etree.fromstring(schema)
    named = {(definition.tag, definition.get("name")): definition for definition in root}
    found: set[str] = set()

    def walk(path: str, element: etree._Element) -> None:
        found.add(path)
        kind = element.find(f"{_XS}complexType")
        if kind is None:
            kind = named.get((f"{_XS}complexType", element.get("type")))
        if kind is None:
            return
        extension = kind.find(f"{_XS}simpleContent/{_XS}extension")
        holder = kind if extension is None else extension
        found.update(f"{path}/@{attribute.get('name')}" for attribute in holder.findall(f"{_XS}attribute"))
        groups = [kind.find(f"{_XS}{model}") for model in ("sequence", "all", "choice")]
        for group in (group for group in groups if group is not None):
            children = [*group.findall(f"{_XS}element"), *group.findall(f"{_XS}choice/{_XS}element")]
            for child in children:
                declared = named[f"{_XS}element", child.get("ref")] if child.get("ref") else child
                walk(f"{path}/{declared.get('name')}", declared)

    for name in ROOTS:
        walk(name, named[f"{_XS}element", name])
    return found


def everything() -> Case:
    """Give the full case, batched at the same time, which no report may be but every path needs."""
    incident = {**FULL_CASE["incident"], "batch": {"reason": "viral_potential_meme"}}
    return Case.model_validate({**FULL_CASE, "incident": incident})


def reached(case: Case) -> dict[str, str]:
    """Give every path that a case and a profile reach, with the field that its text comes from."""
    given = packaging(
        case,
        organisation=full_organisation(),
        settings={"industry_classification": True},
        schema=as_xsd(additions=True),
    )
    composition = payload.compose(case, given)
    paths: dict[str, str] = {}

    def walk(path: str, node: Node) -> None:
        paths[path] = pattern_of(node.text_path or node.path)
        for attribute in node.attributes:
            paths[f"{path}/@{attribute.name}"] = pattern_of(attribute.path)
        for child in node.children:
            walk(f"{path}/{child.name}", child)

    for document in (composition.report, *composition.files.values()):
        walk(document.name, document)
    return paths
