"""What is known of the log between verifications: how far it was verified in parts, and whether it holds."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Engine, select, update

from reporter.audit.faults import Fault
from reporter.audit.tables import LogCheck
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.db.statements import inserting

_CHECK = LogCheck.__table__  # type: ignore[attr-defined]
_WHOLE = {"wrong": "", "wrong_position": None, "since": None}


class Findings:
    """The row that says so; the alarm follows from it."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def note(self, fault: Fault) -> None:
        """Keep that the log does not hold, unless that is known already, until all of it is found to hold."""
        now = self._clock.now()
        with transaction(self._engine) as connection:
            _row(connection)
            found = {"wrong": fault.wrong.value, "wrong_position": fault.position, "since": now}
            connection.execute(update(LogCheck).where(_CHECK.c.since.is_(None)).values(**found))

    def clear(self) -> None:
        """Say that all of the log holds."""
        with reading(self._engine) as connection:
            if standing(connection) is None:
                return
        with transaction(self._engine) as connection:
            connection.execute(update(LogCheck).values(**_WHOLE))

    def reached(self) -> int | None:
        """Give up to where this round verified the log; None while it does not hold, and a person must look."""
        with reading(self._engine) as connection:
            row = connection.execute(select(_CHECK.c.position, _CHECK.c.since)).one_or_none()
        if row is None:
            return 0
        position: int = row.position
        return position if row.since is None else None

    def reach(self, position: int) -> None:
        """Say up to where this round verified the log."""
        with transaction(self._engine) as connection:
            _row(connection)
            connection.execute(update(LogCheck).values(position=position))


def standing(connection: Connection) -> datetime | None:
    """Give since when it is known that the log does not hold."""
    since: datetime | None = connection.execute(select(_CHECK.c.since)).scalar_one_or_none()
    return since


def _row(connection: Connection) -> None:
    row = inserting(connection, LogCheck).values(number=1, position=0, **_WHOLE)
    connection.execute(row.on_conflict_do_nothing())
