"""Short ways to write one part of a case, and to ask what the rules say of it."""

from __future__ import annotations

from typing import Any

from adapters.ncmec import rules
from reporter.cases.model import Case
from tests.unit.ncmec_packaging.support import evidence, minimal, packaging

PAST = "2026-11-01T00:00:00Z"


def needs(**changes: Any) -> list[str]:
    document = Case.model_validate(minimal(**changes))
    return [str(need) for need in rules.check(document, packaging(document)).needs]


def someone(role: str = "suspect", **fields: Any) -> dict[str, Any]:
    return {"people": [{"id": "p1", "roles": [role], **fields}]}


def account(role: str = "suspect", **fields: Any) -> dict[str, Any]:
    return someone(role, account=fields)


def human(**fields: Any) -> dict[str, Any]:
    return someone(person=fields)


def associated(**fields: Any) -> dict[str, Any]:
    return someone(associated_accounts=[{"type": "other", **fields}])


def incident(**fields: Any) -> dict[str, Any]:
    return {"incident": {"type": "csam", "occurred_at": PAST, **fields}}


def located(**fields: Any) -> dict[str, Any]:
    return {"locations": [fields]}


def file(**fields: Any) -> dict[str, Any]:
    return {"evidence": [evidence(**fields)]}
