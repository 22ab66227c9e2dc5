"""Destructions that were decided and are not finished: gone on with by a job, and an alarm where that takes long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from reporter.alarms.model import Kind, Matter
from reporter.errors import PolicyError
from reporter.evidence.case_destruction import WholeCaseDestruction
from reporter.evidence.destruction import EvidenceDestruction
from reporter.evidence.tables import CaseDestruction, Destruction

#: How long a destruction may take before a person hears of it: three times the interval of the job beside a worker.
PATIENCE = timedelta(minutes=15)
_TABLES = (Destruction.__table__, CaseDestruction.__table__)  # type: ignore[attr-defined]


def go_on(items: EvidenceDestruction, cases: WholeCaseDestruction, actor: str) -> None:
    """
    Go on with what was interrupted; what an object store holds waits, and is an alarm.

    Raises:
        EnvironmentTroubleError: A store cannot be read or written.

    """
    for room in (items, cases):
        for number in room.interrupted():
            with suppress(PolicyError):
                room.carry_out(number, actor)


def unfinished(connection: Connection, now: datetime) -> Iterator[Matter]:
    """Give what was decided long ago and is not finished, for a person to hear of."""
    for table in _TABLES:
        query = select(table.c.id, table.c.decided_at, table.c.reference).where(
            table.c.decided_at <= now - PATIENCE, table.c.certificate.is_(None)
        )
        for row in connection.execute(query):
            yield Matter(Kind.DESTRUCTION_UNFINISHED, row.id, row.decided_at, row.reference)
