"""
What turns up after a report was accepted: a further submission that adds to it, and never takes its place.

A version corrects what was not filed; a supplement comes after what was. It holds what the case has gained since,
names the reports before it in the authority's own way, and is approved and delivered like every other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, select

from reporter.authority import Earlier, Supplement
from reporter.cases.service import CaseService
from reporter.errors import Finding
from reporter.submissions.dispatch import Dispatch
from reporter.submissions.model import State
from reporter.submissions.tables import Submission

_SUBMISSION = Submission.__table__  # type: ignore[attr-defined]


def submissions_of(connection: Connection, reference: str) -> list[Submission]:
    """Give every submission of a case, oldest first."""
    query = select(_SUBMISSION).where(_SUBMISSION.c.reference == reference).order_by(_SUBMISSION.c.created_at)
    return [Submission(**row) for row in connection.execute(query).mappings()]


def to_authority(rows: Iterable[Submission], authority: str, environment: str) -> list[Submission]:
    """Give a case's versions for one authority in one environment, oldest first."""
    found = [row for row in rows if (row.authority, row.environment) == (authority, environment)]
    return sorted(found, key=lambda row: row.version)


def revised_since(row: Submission, revision: int) -> Iterator[Finding]:
    """Say of what the authority has that the case was revised since, and what sends that."""
    if row.state == State.ACCEPTED and row.revision < revision:
        text = f"the case was revised since version {row.version} was accepted; see: reporter submission supplement"
        yield Finding("supplement", "revised_since", text)


def supplement_of(
    connection: Connection, versions: Sequence[Submission], cases: CaseService, dispatch: Dispatch
) -> Supplement | None:
    """Give what the latest of a case's versions for one authority adds to; None where it is no supplement."""
    adds_to = versions[-1].supplements if versions else None
    if adds_to is None:
        return None
    *before, latest = versions
    accepted = [row for row in before if row.state == State.ACCEPTED]
    earlier = [Earlier(row.receipt_reference or "", dispatch.learnt(connection, row.id)) for row in accepted]
    return Supplement(tuple(earlier), cases.at(connection, latest.reference, accepted[-1].revision), adds_to)
