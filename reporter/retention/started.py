"""
Clocks that run: started once for each filing, written down with the rule as it was, and never changed.

They are started when somebody first needs them, at the latest in the transaction that would destroy something, and by
the retention job. A rule that changes later changes none of them (``rules.py`` may add longer ones).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlmodel import col

from reporter.audit import service as audit
from reporter.cases.records import StoredCase
from reporter.cases.scalars import instant
from reporter.cases.store import CaseStore
from reporter.cases.tables import CaseRecord
from reporter.clock import Clock as Time
from reporter.evidence.bodies import BodyVault
from reporter.retention.filed import Filed, clocks_of, clocks_of_case
from reporter.retention.model import Clock, Origin, Part, Side
from reporter.retention.tables import ClocksStarted, ReferenceRecord, RetentionClock
from reporter.submissions.model import ReceiptKind, State
from reporter.submissions.routing import Router
from reporter.submissions.tables import Submission
from reporter.tasks.model import Kind, Outcome
from reporter.tasks.tables import TaskRecord

_CLOCK = RetentionClock.__table__  # type: ignore[attr-defined]
_SUBMISSION = Submission.__table__  # type: ignore[attr-defined]
_TASK = TaskRecord.__table__  # type: ignore[attr-defined]
_ACTOR = "retention"


class StartedClocks:
    """Starts clocks and gives those that run."""

    def __init__(self, time: Time, bodies: BodyVault, routes: Router) -> None:
        self._time, self._store, self._routes = time, CaseStore(bodies), routes

    def of(self, connection: Connection, reference: str) -> list[Clock]:
        """Start what has not started yet, and give every clock of a case that its filings and itself started."""
        self.start(connection, reference)
        return clocks_on_record(connection, reference)

    def start(self, connection: Connection, reference: str) -> int:
        """
        Start the clocks of a case that have not started yet, and give how many; the caller's transaction may hold it.

        Raises:
            CustodyError: The case document does not open.
        """
        query = select(col(ClocksStarted.about)).where(col(ClocksStarted.reference) == reference)
        known = set(connection.execute(query).scalars())
        revision = select(col(CaseRecord.revision)).where(col(CaseRecord.reference) == reference)
        about_case = f"revision {connection.execute(revision).scalar_one()}"
        new = [filed for filed in filings(connection, reference) if filed.cause not in known]
        if not new and about_case in known:
            return 0
        held = select(col(CaseRecord.reference)).where(col(CaseRecord.reference) == reference).with_for_update()
        connection.execute(held)
        known = set(connection.execute(query).scalars())  # somebody else may have started them meanwhile
        started = 0
        for filed in (each for each in new if each.cause not in known):
            clocks = clocks_of(self._routes.rules, filed)
            started += self.add(connection, reference, filed.cause, clocks)
            self._remember(connection, reference, filed, clocks)
        if about_case not in known and (stored := self._store.find(connection, reference)) is not None:
            started += self.add(connection, reference, about_case, self._of_case(stored))
        return started

    def add(self, connection: Connection, reference: str, about: str, clocks: Iterable[Clock]) -> int:
        """Write clocks down, but for those that run already, and that those of ``about`` are started."""
        running, now = set(clocks_on_record(connection, reference)), self._time.now()
        fresh = [clock for clock in clocks if clock not in running]
        for clock in fresh:
            values = {name: getattr(clock, name) for name in _COLUMNS}
            connection.execute(insert(RetentionClock).values(reference=reference, started_at=now, **values))
            until = f"{clock.ends:%Y-%m-%dT%H:%M:%SZ}" if clock.ends else "until released"
            audit.record(
                connection, at=now, actor=_ACTOR, kind="clock_started", reference=reference, item=about,
                detail=f"{clock.rule}/{clock.version} {clock.retention} {clock.side} {until}",
            )  # fmt: skip
        done = select(col(ClocksStarted.about)).where(
            col(ClocksStarted.reference) == reference, col(ClocksStarted.about) == about
        )
        if connection.execute(done).first() is None:
            connection.execute(insert(ClocksStarted).values(reference=reference, about=about))
        return len(fresh)

    def _of_case(self, stored: StoredCase) -> list[Clock]:
        if stored.state == "not_confirmed":
            return []
        route = self._routes.route(stored.case, self._time.now().date())
        said = [(each.rule, each.retentions) for each in route.obligations]
        return clocks_of_case(said, instant(stored.case.detected_at))

    def _remember(self, connection: Connection, reference: str, filed: Filed, clocks: Iterable[Clock]) -> None:
        wanted = [clock for clock in clocks if clock.part is Part.REFERENCE and clock.side is Side.FLOOR]
        if not wanted or not filed.reference:
            return
        ends = [clock.ends for clock in wanted]
        until = None if None in ends else max(end for end in ends if end)
        connection.execute(
            insert(ReferenceRecord).values(
                about=filed.cause, reference=reference, authority=filed.authority, environment=filed.environment,
                receipt=filed.reference, issued_at=filed.latest, keep_until=until,
            )
        )  # fmt: skip


_COLUMNS = ("part", "side", "begins", "ends", "rule", "version", "retention", "source", "words", "cause", "verified")


def clocks_on_record(connection: Connection, reference: str) -> list[Clock]:
    """Give the clocks of a case that were started."""
    rows = connection.execute(select(_CLOCK).where(_CLOCK.c.reference == reference).order_by(_CLOCK.c.id))
    return [_clock_of(row) for row in rows]


def filings(connection: Connection, reference: str) -> list[Filed]:
    """Give what authorities took of a case: accepted submissions, and what people told by other means."""
    query = select(_SUBMISSION).where(
        _SUBMISSION.c.reference == reference, _SUBMISSION.c.state == State.ACCEPTED
    )  # fmt: skip
    found = [_filed(row) for row in connection.execute(query.order_by(_SUBMISSION.c.created_at))]
    told = select(_TASK).where(
        _TASK.c.reference == reference, _TASK.c.kind == Kind.TELL, _TASK.c.outcome == Outcome.DONE,
        _TASK.c.closed_at.is_not(None),
    )  # fmt: skip
    return found + [
        Filed(f"task {row.id}", row.authority, tuple(row.rule.split()), row.opened_at, row.closed_at, row.receipt)
        for row in connection.execute(told.order_by(_TASK.c.id))
    ]


def _filed(row: Any) -> Filed:
    """
    Give a submission as a filing; only the authority's own words say when it was filed.

    A time that people typed may lie before we knew of the case: no floor begins before there was something to file.
    """
    at: datetime = row.receipt_at or row.created_at
    earliest = latest = at
    if row.receipt_kind != ReceiptKind.ACKNOWLEDGED:
        earliest, latest = min(at, row.approved_at or row.created_at), max(at, row.created_at)
    cause, rules = f"submission {row.id}", tuple(row.rules.split())
    return Filed(cause, row.authority, rules, earliest, latest, row.receipt_reference or "", row.environment)


def _clock_of(row: Any) -> Clock:
    values = {name: getattr(row, name) for name in _COLUMNS}
    return Clock(origin=Origin.RULE, **{**values, "part": Part(row.part), "side": Side(row.side)})
