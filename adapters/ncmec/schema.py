"""The authority's own schema, as fetched: compiled once, asked for what it declares, and held against documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock

from lxml import etree

from adapters.ncmec.parsing import parser
from adapters.ncmec.tables import COMPLEX_TYPES

_XS = "{http://www.w3.org/2001/XMLSchema}"
#: (complex type, element) of everything newer than the schema of November 2025.
ADDITIONS = frozenset(
    (kind.name, child.name) for kind in COMPLEX_TYPES.values() for child in kind.children.values() if child.addition
)
#: libxml2's names for what is wrong, in words that cannot hold content.
_RULES = {
    "SCHEMAV_CVC_ENUMERATION_VALID": ("enumeration", "is not one of the words that NCMEC's schema allows here"),
    "SCHEMAV_CVC_PATTERN_VALID": ("pattern", "does not follow the pattern that NCMEC's schema asks for"),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": ("type", "is not of the type that NCMEC's schema asks for"),
    "SCHEMAV_ELEMENT_CONTENT": (
        "element",
        "is not an element that NCMEC's schema allows here, or one before it is missing",
    ),
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": ("attribute", "has an attribute that NCMEC's schema does not allow"),
    "SCHEMAV_CVC_COMPLEX_TYPE_4": ("attribute", "lacks an attribute that NCMEC's schema requires"),
    "SCHEMAV_CVC_ELT_1": ("element", "is not a document of NCMEC's schema"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A place in a document that breaks the schema; ``xpath`` is absolute."""

    xpath: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class CompiledSchema:
    """A schema ready for use, one thread at a time: libxml2's complaints are kept on the schema itself."""

    schema: etree.XMLSchema
    additions: frozenset[tuple[str, str]]
    lock: Lock = field(default_factory=Lock)

    def faults(self, root: etree._Element) -> list[Fault]:
        """Give what is wrong with a document."""
        with self.lock:
            if self.schema.validate(root):
                return []
            log = [(entry.path, entry.type_name) for entry in self.schema.error_log]
        rules = (_RULES.get(kind, ("schema", "breaks NCMEC's schema")) for _, kind in log)
        return list(dict.fromkeys(Fault(path or "", *rule) for (path, _), rule in zip(log, rules, strict=True)))


@lru_cache(maxsize=4)
def compiled(schema: bytes) -> CompiledSchema | None:
    """Compile a schema (about 5 ms, once); None where it is no schema."""
    try:
        root = etree.fromstring(schema, parser())
        return CompiledSchema(etree.XMLSchema(root), _additions(root))
    except etree.LxmlError:
        return None


def declared_additions(schema: bytes | None) -> frozenset[tuple[str, str]]:
    """Say which of the newer elements a fetched schema declares; none where there is no schema."""
    ready = compiled(schema) if schema else None
    return ready.additions if ready else frozenset()


def _additions(root: etree._Element) -> frozenset[tuple[str, str]]:
    found = set()
    for kind, name in ADDITIONS:
        for definition in root:
            if definition.get("name") == kind and any(
                element.get("name") == name for element in definition.iter(f"{_XS}element")
            ):
                found.add((kind, name))
    return frozenset(found)
