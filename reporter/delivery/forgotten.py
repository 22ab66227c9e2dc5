"""What the database may have forgotten: the rows that hold deliveries back until people have looked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select
from sqlmodel import col

from reporter.audit import service as audit
from reporter.delivery.model import Marker
from reporter.delivery.queue import ACTOR
from reporter.delivery.tables import ForgottenFiling, HandOut, LedgerEntry, Quarantine, Resolution


def impose(connection: Connection, reason: str, at: datetime, actor: str = ACTOR) -> None:
    """Stop all deliveries until people release them; where they stand still already, nothing changes."""
    if standing(connection) is None:
        connection.execute(insert(Quarantine), {"since": at, "reason": reason, "release_reason": ""})
        audit.record(connection, at=at, actor=actor, kind="quarantine_imposed")


def standing(connection: Connection) -> Quarantine | None:
    """Give the quarantine that nobody has released yet."""
    query = select(Quarantine.__table__).where(col(Quarantine.released_at).is_(None))  # type: ignore[attr-defined]
    row = connection.execute(query.order_by(col(Quarantine.id)).limit(1)).mappings().one_or_none()
    return Quarantine(**row) if row else None


def unremembered(connection: Connection, markers: Sequence[Marker], *, apart_from: str = "") -> list[Marker]:
    """Give the markers of what is not on record, but for what the submission ``apart_from`` has."""
    ids = [marker.entry for marker in markers]
    ledger = select(col(LedgerEntry.id)).where(col(LedgerEntry.submission_id) != apart_from)
    told = select(col(ForgottenFiling.entry_id)).where(col(ForgottenFiling.entry_id).in_(ids))
    decided = select(col(Resolution.marker)).where(col(Resolution.marker).in_(ids))
    handed = select(col(HandOut.marker)).where(col(HandOut.marker).in_(ids))
    called = ledger.where(col(LedgerEntry.id).in_(ids))
    known = set(connection.execute(called.union_all(told, decided, handed)).scalars())
    return [marker for marker in markers if marker.entry not in known]


def remember(connection: Connection, submission_id: str, markers: Sequence[Marker], at: datetime) -> None:
    """Put forgotten filings on record again, for people to decide about."""
    rows = [
        {
            "entry_id": marker.entry,
            "submission_id": submission_id,
            "attempt": marker.attempt,
            "draft": marker.draft,
            "decision": marker.decision,
            "marked_at": marker.at,
            "found_at": at,
        }
        for marker in markers
    ]
    connection.execute(insert(ForgottenFiling), rows)
