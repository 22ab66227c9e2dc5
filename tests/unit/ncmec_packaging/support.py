"""What the tests of this folder share."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lxml import etree

from adapters.ncmec.structure import elements, text_of
from adapters.ncmec.tables import COMPLEX_TYPES
from reporter.authority import Environment, EvidenceFacts, Packaging
from reporter.cases.model import Case
from reporter.organisation import Contact, Organisation
from tests.unit.ncmec_packaging.full_case import FULL_CASE

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OFFICIAL = os.environ.get("REPORTER_NCMEC_XSD")
ORGANISATION = Organisation.model_validate(
    {
        "name": "Example Forum Ltd",
        "legal_url": "https://forum.example/terms",
        "terms_of_service": "SYNTHETIC terms",
        "company_template": "SYNTHETIC template",
        "reporting_person": {"first_name": "Ann", "emails": [{"address": "ann@forum.example"}]},
        "law_enforcement_contact": Contact(last_name="Desk"),
    }
)


def official_schema() -> bytes:
    """Read the schema that the environment names."""
    assert OFFICIAL
    return Path(OFFICIAL).read_bytes()


def packaging(case: Case | None = None, **changes: Any) -> Packaging:
    """Give what a package is built from; every file of ``case`` is sealed and nobody viewed it."""
    evidence = (case.evidence if case else None) or []
    facts = {item.id: EvidenceFacts(item.id, item.sha256 or "0" * 64, "0" * 32, 10) for item in evidence}
    given = {"organisation": ORGANISATION, "environment": Environment.SANDBOX, "evidence": facts, "now": NOW}
    return Packaging(**{**given, **changes})


def minimal(**changes: Any) -> dict[str, Any]:
    """Give the smallest case document that may be sent, with ``changes``."""
    return {
        "case_version": 1,
        "reference": "TS-2026-000001",
        "detected_at": "2026-11-18T10:00:00Z",
        "confirmation": {
            "decision": "confirmed",
            "by": "reviewer-7",
            "at": "2026-11-18T10:04:30Z",
            "basis": "SYNTHETIC",
        },
        "incident": {"type": "csam", "occurred_at": "2026-11-18T09:55:00Z"},
        **changes,
    }


def evidence(**changes: Any) -> dict[str, Any]:
    """Give one evidence item, with ``changes``."""
    return {"id": "e1", "path": "files/e1.png", "sha256": "0" * 64, **changes}


def case(**changes: Any) -> Case:
    """Give the smallest case, with ``changes``."""
    return Case.model_validate(minimal(**changes))


def full_organisation() -> Organisation:
    """Give a profile in which every field that NCMEC can carry is filled."""
    contact = Contact.model_validate(
        {name: FULL_CASE["law_enforcement"]["officer"][name] for name in Contact.model_fields}
    )
    return ORGANISATION.model_copy(update={"reporting_person": contact, "law_enforcement_contact": contact})


def canonical(element: etree._Element, type_name: str) -> tuple[Any, ...]:
    """Reduce an element to what it says: white space that its type ignores, and ways to write a boolean, are gone."""
    kind = COMPLEX_TYPES.get(type_name)
    if kind is None:
        return (element.tag, _value(text_of(element), type_name))
    attributes = {name: _value(str(text), kind.attributes[str(name)].type) for name, text in element.attrib.items()}
    text = _value(text_of(element), kind.text) if kind.text else None
    children = tuple(canonical(child, kind.children[str(child.tag)].type) for child in elements(element))
    return (element.tag, attributes, text, children)


def _value(text: str, type_name: str) -> str:
    if type_name == "flag":
        return ""
    if type_name in {"boolean"}:
        return {"1": "true", "0": "false"}.get(text.strip(), text.strip())
    return text.strip() if type_name in {"int", "long", "double", "dateTime", "date"} else text


def without_reporter(body: bytes) -> tuple[Any, ...]:
    """Reduce a <report> to what it says, its <reporter> aside."""
    root = etree.fromstring(body)
    root.remove(root.find("reporter"))
    return canonical(root, "report")
