"""What a scope reaches: asked of the database as it is now, so that a case that arrives later is reached too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, insert, or_, select
from sqlmodel import col

from keycustody.blind_index import Kind
from reporter.cases.records import CaseState
from reporter.cases.scalars import instant
from reporter.cases.store import unknown
from reporter.cases.tables import CaseRecord
from reporter.errors import PolicyError, UsageError
from reporter.evidence import service as evidence
from reporter.retention.demand import Scope
from reporter.retention.subjects import Subjects
from reporter.retention.tables import CaseSubject, LegalScope, ScopeEntry

_SCOPE = LegalScope.__table__  # type: ignore[attr-defined]
_ENTRY = ScopeEntry.__table__  # type: ignore[attr-defined]
_CASE = CaseRecord.__table__  # type: ignore[attr-defined]
_OF_SUBJECT = (
    exists()
    .where(col(CaseSubject.reference) == _CASE.c.reference, col(CaseSubject.subject) == _ENTRY.c.subject)
    .correlate(_CASE, _ENTRY)
)
_BY_DATE = and_(
    or_(_ENTRY.c.since.is_not(None), _ENTRY.c.until.is_not(None)),
    or_(_ENTRY.c.since.is_(None), _ENTRY.c.since <= _CASE.c.created_at),
    or_(_ENTRY.c.until.is_(None), _CASE.c.created_at < _ENTRY.c.until),
)
_THERE = _CASE.c.state != CaseState.DESTROYED
#: Whether an entry reaches a case, or a part of it.
_REACHES = or_(_ENTRY.c.reference == _CASE.c.reference, _OF_SUBJECT, _BY_DATE)


def keep(connection: Connection, scope: Scope, subjects: Subjects, now: datetime) -> int:
    """
    Write a scope, in the caller's transaction, and give its number.

    Raises:
        NotFoundError: It names a case or an item that is not here.
        UsageError: A person or account is nothing once it is brought to its one form, or an item's name means several.
    """
    entries: list[dict[str, Any]] = [{"reference": require_case(connection, reference)} for reference in scope.cases]
    for named in scope.items:
        sealed = evidence.find_item(connection, require_case(connection, named.case), named.item)
        entries.append({"reference": named.case, "evidence_id": sealed.id})
    for subject in scope.subjects:
        try:
            index = subjects.index_of(connection, Kind(subject.kind), subject.value)
        except ValueError as error:
            raise UsageError(f"A subject of kind {subject.kind} in the scope is empty.") from error
        entries.append({"subject": index, "subject_body": subjects.seal(connection, subject.model_dump_json(), now)})
    for dates in scope.dates:
        since, until = (instant(text) if text else None for text in (dates.since, dates.until))
        entries.append({"since": since, "until": until})
    number = int(connection.execute(insert(_SCOPE).returning(_SCOPE.c.number)).scalar_one())
    empty = dict.fromkeys(("reference", "evidence_id", "subject", "subject_body", "since", "until"))
    connection.execute(insert(_ENTRY), [{**empty, **entry, "scope": number} for entry in entries])
    return number


def cases_in(connection: Connection, scope: int, *, gone_too: bool = False) -> list[str]:
    """Give the cases that a scope reaches now, wholly or in part, in order; or those that are destroyed too."""
    query = select(_CASE.c.reference).distinct().where(_ENTRY.c.scope == scope, _REACHES)
    if not gone_too:
        query = query.where(_THERE)
    return list(connection.execute(query.order_by(_CASE.c.reference)).scalars())


def reaches(connection: Connection, scope: int, reference: str, evidence_id: str | None = None) -> bool:
    """Whether a scope reaches all of a case, or one item of it."""
    query = select(_ENTRY.c.id).where(_ENTRY.c.scope == scope)
    return connection.execute(of_case(query, reference, evidence_id).limit(1)).first() is not None


def of_case(query: Select[Any], reference: str, evidence_id: str | None, *, partly: bool = False) -> Select[Any]:
    """
    Narrow a query over scope entries to those that reach a case, or one item of it.

    An entry for one item reaches its case only where ``partly`` counts.
    """
    item: list[ColumnElement[bool]] = []
    if evidence_id is not None:
        item = [or_(_ENTRY.c.evidence_id.is_(None), _ENTRY.c.evidence_id == evidence_id)]
    elif not partly:
        item = [_ENTRY.c.evidence_id.is_(None)]
    return query.where(_CASE.c.reference == reference, _REACHES, *item)


def lock(connection: Connection, references: Sequence[str]) -> None:
    """Wait for whoever decides about these cases, and keep everybody from it until this transaction ends."""
    for reference in sorted(references):  # in one order, so that nobody waits for each other
        query = select(_CASE.c.reference).where(_CASE.c.reference == reference).with_for_update()
        connection.execute(query)


def require_case(connection: Connection, reference: str) -> str:
    """
    Give the reference of a case that is here.

    Raises:
        NotFoundError: It is not.
    """
    if connection.execute(select(_CASE.c.reference).where(_CASE.c.reference == reference)).first() is None:
        raise unknown(reference)
    return reference


def require_some(connection: Connection, cases: Sequence[str], *, everything: bool) -> None:
    """
    Refuse a scope that reaches nothing, or without being told so everything.

    Raises:
        UsageError: It reaches no case.
        PolicyError: It reaches every case here.
    """
    if not cases:
        raise UsageError(
            "The scope reaches no case here, so nothing would be held.",
            next_step="For a person or account of whom nothing is here yet, say so: --expect-none",
        )
    there, reached = select(_CASE.c.reference).where(_THERE).limit(len(cases) + 1), set(cases)
    if len(cases) > 1 and not everything and reached.issuperset(connection.execute(there).scalars()):
        raise PolicyError(
            f"The scope reaches every one of the {len(cases)} cases here.",
            next_step="Narrow it, or where it is meant, say so: --everything",
        )
