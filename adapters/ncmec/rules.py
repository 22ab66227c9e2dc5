"""Hold a case, and later its frozen package, against NCMEC's structure, documented rules and own schema."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from lxml import etree

from adapters.ncmec import documented, duties, payload, relations
from adapters.ncmec.codec import codec
from adapters.ncmec.node import Node
from adapters.ncmec.notes import unsent_finding
from adapters.ncmec.parsing import parser
from adapters.ncmec.payload import Composition
from adapters.ncmec.schema import compiled
from adapters.ncmec.simple import SIMPLE_TYPES
from reporter.authority import Check, Package, Packaging
from reporter.cases.model import Case
from reporter.errors import Finding

#: Ids that stand in for the ones NCMEC gives later; any xs:long and xs:token would do.
_SAMPLE_IDS = ("1", "0")
_STEP = re.compile(r"/(\w+)(?:\[(\d+)\])?")
_NO_SCHEMA = Finding("", "schema", "what was fetched as NCMEC's schema is not one; fetch it again")


def check(case: Case, packaging: Packaging) -> Check:
    """Give what stops the report (``needs``) and what is only shown (``notes``), in the case document's own paths."""
    composition = payload.compose(case, packaging)
    documents = [composition.report, *composition.files.values()]
    needs: list[Finding] = [*duties.check(case, packaging)]
    notes: list[Finding] = [*duties.notes(case)]
    for document in documents:
        for node in document.walk():
            needs += _texts(node, packaging.now)
            needs += _counts(node)
            needs += relations.within(node)
            notes += relations.outside_iso(node)
    needs += relations.across(composition.report)
    if case.incident.batch is not None:
        needs += relations.batched(composition.report, list(composition.files.values()))
    for need, note in map(unsent_finding, _unsent(case, composition)):
        needs += [need] if need else []
        notes += [note] if note else []
    for path, kind, name in composition.writing.left_out:
        if (kind, name) == ("fileDetails", "industryClassification"):
            notes.append(Finding(path, "not_sent", "is not sent: [authority.ncmec] industry_classification is off"))
        else:
            needs.append(Finding(path, "schema", f"cannot be sent: the schema at hand from NCMEC does not have {name}"))
    notes += [
        Finding(path, "replaced_characters", "holds characters that XML cannot carry; each is sent as U+FFFD")
        for path in composition.writing.replaced
    ]
    if packaging.schema is not None and not needs:
        needs += _by_schema(documents, packaging.schema)
    return Check(tuple(dict.fromkeys(needs)), tuple(dict.fromkeys(notes)))


def _leaves(node: Node) -> Iterator[tuple[str, str, str, str]]:
    """Give (name, simple type, text, path) of each text of one element: its own, its attributes' and its leaves'."""
    kind = node.complex
    if kind is None:
        return
    if kind.text:
        yield "#text", kind.text, node.text, node.text_path
    for attribute in node.attributes:
        yield f"@{attribute.name}", attribute.type, attribute.text, attribute.path
    for child in node.children:
        if child.type in SIMPLE_TYPES:
            yield child.name, child.type, child.text, child.path


def _texts(node: Node, now: datetime) -> Iterator[Finding]:
    """Hold each text against the documented rules, and then against its type."""
    for name, type_name, text, path in _leaves(node):
        if broken := documented.first_broken(node.type, name, text, now):
            yield Finding(path, *broken)
        elif complaint := SIMPLE_TYPES[type_name].complaint(text):
            yield Finding(path, "type", complaint)


def _counts(node: Node) -> Iterator[Finding]:
    """Say which children an element lacks, or has too often."""
    kind = node.complex
    if kind is None:
        return
    count = Counter(child.name for child in node.children)
    for child in kind.children.values():
        if child.required and kind.model != "choice" and not count[child.name]:
            yield Finding(_field(node, child.name), "required", "needs at least one entry")
        if count[child.name] > 1 and not child.many:
            yield Finding(node.path, "once", f"holds {child.name} more than once")


def _field(node: Node, child: str) -> str:
    return ".".join((node.path, *codec(node.type).items[child].fields))


def _unsent(case: Case, composition: Composition) -> list[str]:
    """Give the filled fields that none of a person's elements carries; of other parts, those their element lacks."""
    times = Counter(composition.writing.unsent)
    elements = {
        f"people[{index}]": len(set(person.roles) & duties.SENT_ROLES) for index, person in enumerate(case.people or [])
    }
    return [path for path, count in times.items() if count >= elements.get(path.partition(".")[0], 1)]


def _by_schema(documents: list[Node], schema: bytes) -> Iterator[Finding]:
    ready = compiled(schema)
    if ready is None:
        yield _NO_SCHEMA
        return
    for document in documents:
        for fault in ready.faults(_filled(document.document())):
            at = _node_at(document, fault.xpath)
            yield Finding(at.text_path or at.path, fault.rule, fault.message)


def _node_at(document: Node, xpath: str) -> Node:
    """Find the node that libxml2 names, or the nearest one around it."""
    at = document
    for name, number in _STEP.findall(xpath)[1:]:
        alike = [child for child in at.children if child.name == name]
        if len(alike) < int(number or 1):
            break
        at = alike[int(number or 1) - 1]
    return at


def _filled(body: bytes) -> etree._Element:
    return etree.fromstring(payload.fill(body, *_SAMPLE_IDS), parser())


def validate(package: Package, schema: bytes) -> list[Finding]:
    """Hold the exact documents of a package against a schema; paths name the document and the element."""
    ready = compiled(schema)
    if ready is None:
        return [_NO_SCHEMA]
    return [
        Finding("/".join((document.name, *fault.xpath.split("/")[2:])), fault.rule, fault.message)
        for document in package.documents
        for fault in ready.faults(_filled(document.body))
    ]
