"""
The watch: derives from submissions, lanes, workers, jobs, evidence and the custody log what a person must hear of.

Nothing else raises an alarm, so what was missed while no watch ran is found by the next one, and an alarm whose matter
is over clears by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, and_, func, or_, select
from sqlmodel import col

from reporter.alarms import service as alarms
from reporter.alarms.model import Kind, Matter
from reporter.alarms.notices import Notifier
from reporter.audit import findings
from reporter.authority import Outcome
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.delivery.due import clocks_running_out
from reporter.delivery.model import lane_name
from reporter.delivery.queue import URGENT, oldest_due
from reporter.delivery.tables import Circuit, Delivery, LanePause, LateAnswer, LedgerEntry, Quarantine, WorkerSeen
from reporter.evidence.tables import EvidenceItem, Verification
from reporter.evidence.unfinished import unfinished
from reporter.jobs import service as jobs
from reporter.retention.routine import conflicts
from reporter.submissions.latest import is_latest
from reporter.submissions.model import NEEDS_PERSON, State
from reporter.submissions.tables import Submission

#: What an alarm is about when there is no worker to name.
NO_WORKER = "no worker"
#: States in which nothing looks at the ledger any more.
_OVER = (State.ACCEPTED, State.WITHDRAWN, State.REJECTED)
#: So many lost answers in one delivery call for a person, while the calls go on: about a quarter of an hour of repeats
#: of the final step, so that most of the day is left in which a draft at the authority lives.
UNANSWERED_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an urgent submission may wait, how long a worker may say nothing, and how early a clock is told of."""

    urgent: timedelta
    silent: timedelta
    due: timedelta = timedelta(minutes=30)


class Watch:
    """
    Looks in the database and ``elsewhere``, settles the register of alarms, and tells people; safe with others.

    ``before`` it looks, it lets what has a clock keep step.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        patience: Patience,
        notifier: Notifier,
        elsewhere: Callable[[Connection, datetime], Iterable[Matter]] = lambda _connection, _now: (),
        before: Callable[[Connection, datetime], None] = lambda _connection, _now: None,
    ) -> None:
        self._engine, self._clock, self._patience, self._notifier = engine, clock, patience, notifier
        self._elsewhere, self._before = elsewhere, before

    def check(self) -> dict[str, str]:
        """Look once; give the channels that failed, each with its trouble."""
        with transaction(self._engine) as connection:
            alarms.lock(connection)
            now = self._clock.now()
            self._before(connection, now)
            so_now = [*survey(connection, now, self._patience), *self._elsewhere(connection, now)]
            alarms.settle(connection, so_now, now)
        return self._notifier.notify()


def survey(connection: Connection, now: datetime, patience: Patience) -> Iterator[Matter]:
    """Give everything that a person must hear of now."""
    yield from _submissions_that_wait(connection)
    yield from _contradicted_ones(connection)
    yield from _unanswered_ones(connection)
    yield from _urgent_ones(connection, now - patience.urgent)
    yield from clocks_running_out(connection, now, patience.due)
    for pause in connection.execute(select(col(LanePause.lane), col(LanePause.since))):
        yield Matter(Kind.LANE_PAUSED, pause.lane, pause.since, lane=pause.lane)
    for circuit in connection.execute(select(col(Circuit.lane), col(Circuit.opened_at))):
        yield Matter(Kind.CIRCUIT_OPEN, circuit.lane, circuit.opened_at, lane=circuit.lane)
    in_force = select(col(Quarantine.id), col(Quarantine.since)).where(col(Quarantine.released_at).is_(None))
    quarantines = connection.execute(in_force).all()
    for quarantine in quarantines:
        yield Matter(Kind.QUARANTINE, f"quarantine {quarantine.id}", quarantine.since)
    damaged = select(col(Verification.evidence_id), col(Verification.since), col(EvidenceItem.reference))
    damaged = damaged.join(EvidenceItem, col(EvidenceItem.id) == col(Verification.evidence_id))
    for item in connection.execute(damaged.where(col(Verification.finding) != "")):
        yield Matter(Kind.EVIDENCE_DAMAGED, item.evidence_id, item.since, item.reference)
    yield from unfinished(connection, now)
    if broken_since := findings.standing(connection):
        yield Matter(Kind.LOG_BROKEN, "custody log", broken_since)
    yield from jobs.troubled(connection, now)
    yield from conflicts(connection)
    if not quarantines:
        yield from _silence(connection, now, patience.silent)


def _submissions_that_wait(connection: Connection) -> Iterator[Matter]:
    """Those for a person to look at; a rejected one no longer once a corrected version has taken its place."""
    last_call = (
        select(func.max(func.coalesce(col(LedgerEntry.outcome_at), col(LedgerEntry.intent_at))))
        .where(col(LedgerEntry.submission_id) == col(Submission.id))
        .scalar_subquery()
    )
    query = select(
        col(Submission.id), col(Submission.state), col(Submission.reference), col(Submission.authority),
        col(Submission.environment), func.coalesce(last_call, col(Submission.created_at)).label("since"),
    ).where(
        col(Submission.state).in_(sorted(NEEDS_PERSON)),
        is_latest(),
    )  # fmt: skip
    for row in connection.execute(query):
        lane = lane_name(row.authority, row.environment)
        yield Matter(Kind(row.state), row.id, row.since, row.reference, lane)


def _contradicted_ones(connection: Connection) -> Iterator[Matter]:
    """Those of which a worker brought home, too late to count, that they are filed, against what is recorded."""
    as_recorded = and_(
        col(Submission.state) == State.ACCEPTED, col(LateAnswer.reference).in_(["", col(Submission.receipt_reference)])
    )
    query = (
        select(
            col(LateAnswer.entry_id), col(LateAnswer.at), col(Submission.reference), col(Submission.authority),
            col(Submission.environment),
        )
        .join(LedgerEntry, col(LedgerEntry.id) == col(LateAnswer.entry_id))
        .join(Submission, col(Submission.id) == col(LedgerEntry.submission_id))
        .where(col(LateAnswer.filed), col(Submission.state).in_(_OVER), ~as_recorded)
    )  # fmt: skip
    for row in connection.execute(query):
        lane = lane_name(row.authority, row.environment)
        yield Matter(Kind.CONTRADICTED, row.entry_id, row.at, row.reference, lane)


def _unanswered_ones(connection: Connection) -> Iterator[Matter]:
    """Those on their way whose calls keep losing their answers, be they of one attempt or of many."""
    query = (
        select(
            col(Submission.id), col(Submission.reference), col(Delivery.lane),
            func.min(col(LedgerEntry.intent_at)).label("since"),
        )
        .join(Delivery, col(Delivery.submission_id) == col(Submission.id))
        .join(LedgerEntry, col(LedgerEntry.submission_id) == col(Submission.id))
        .where(
            col(Submission.state) == State.DELIVERING,
            col(Delivery.available_at).is_not(None),
            or_(col(LedgerEntry.outcome) == Outcome.UNKNOWN, col(LedgerEntry.outcome).is_(None)),
        )
        .group_by(col(Submission.id), col(Submission.reference), col(Delivery.lane))
        .having(func.count() > UNANSWERED_LIMIT)
    )  # fmt: skip
    for row in connection.execute(query):
        yield Matter(Kind.UNANSWERED, row.id, row.since, row.reference, row.lane)


def _urgent_ones(connection: Connection, approved_before: datetime) -> Iterator[Matter]:
    query = (
        select(col(Submission.id), col(Submission.reference), col(Submission.approved_at), col(Delivery.lane))
        .join(Delivery, col(Delivery.submission_id) == col(Submission.id))
        .where(
            col(Delivery.priority) == URGENT,
            col(Delivery.available_at).is_not(None),
            col(Submission.approved_at) <= approved_before,
        )
    )
    for row in connection.execute(query):
        yield Matter(Kind.URGENT_UNDELIVERED, row.id, row.approved_at, row.reference, row.lane)


def _silence(connection: Connection, now: datetime, patience: timedelta) -> Iterator[Matter]:
    """
    Workers that fell silent while deliveries are due, and deliveries long due that nobody works.

    While another worker is well, a silent one is told of only when deliveries wait for as long. A worker that began
    since has taken its place.
    """
    due = oldest_due(connection, now)
    if due is None:
        return
    overdue = due <= now - patience
    running = connection.execute(
        select(col(WorkerSeen.name), col(WorkerSeen.seen_at)).where(col(WorkerSeen.stopped_at).is_(None))
    ).all()
    latest = connection.execute(select(func.max(col(WorkerSeen.started_at)))).scalar_one()
    silent = [worker for worker in running if worker.seen_at <= now - patience]
    well = len(silent) < len(running)
    lost = [worker for worker in silent if worker.seen_at >= latest]
    if overdue or not well:
        for worker in lost:
            yield Matter(Kind.WORKER_SILENT, worker.name, worker.seen_at)
    if overdue and not well and not lost:
        yield Matter(Kind.WORKER_SILENT, NO_WORKER, due)
