"""Running jobs at their intervals: of many workers one runs a job, by a lease in the database."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from secrets import token_hex

from sqlalchemy import Connection, Engine, delete, func, or_, select, update

from reporter.alarms.model import Kind, Matter
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.db.statements import inserting
from reporter.errors import NotFoundError, ReporterError
from reporter.jobs.model import Job, Standing
from reporter.jobs.tables import JobRecord

_log = logging.getLogger(__name__)
_JOB = JobRecord.__table__  # type: ignore[attr-defined]
#: How often a worker looks for a job that is due.
POLL_SECONDS = 5.0
#: A job that failed is tried again after this, or at its interval if that is shorter.
RETRY = timedelta(minutes=5)


class JobService:
    """The jobs of this house; each name is there once."""

    def __init__(self, engine: Engine, clock: Clock, jobs: Sequence[Job]) -> None:
        self._engine, self._clock = engine, clock
        self._jobs = {job.name: job for job in jobs}
        self._known = False

    def standings(self) -> list[Standing]:
        """Give how each job stands, by name."""
        with reading(self._engine) as connection:
            rows = {row.name: row for row in connection.execute(select(_JOB))}
        return [
            Standing(name, job.every)
            if (row := rows.get(name)) is None
            else Standing(
                name, job.every, row.owner is not None and row.next_at > self._clock.now(), row.began_at, row.ended_at,
                row.next_at, row.failing_since, row.trouble,
            )
            for name, job in sorted(self._jobs.items())
        ]  # fmt: skip

    def _know(self) -> None:
        """Bring the rows in line, once, with the jobs that there are and with their intervals."""
        if self._known:
            return
        now = self._clock.now()
        with transaction(self._engine) as connection:
            connection.execute(delete(JobRecord).where(_JOB.c.name.not_in(self._jobs)))
            for name, job in self._jobs.items():
                row = {"name": name, "next_at": now, "expected_at": now + job.every + job.lease, "trouble": ""}
                connection.execute(inserting(connection, JobRecord).values(**row).on_conflict_do_nothing())
                soonest = {"next_at": now + job.every, "expected_at": now + 2 * job.every + job.lease}
                later = _JOB.c.name == name, _JOB.c.owner.is_(None), _JOB.c.next_at > now + job.every
                connection.execute(update(JobRecord).where(*later).values(**soonest))
        self._known = True

    def run(self, name: str) -> bool:
        """
        Run one job now, due or not; give whether it ran, which it does not while it runs elsewhere.

        Raises:
            NotFoundError: There is no such job.
            ReporterError: It failed.
        """
        if name not in self._jobs:
            raise NotFoundError(f"There is no job {name}.", next_step="See: reporter job list")
        self._know()
        return self._claimed_and_run(self._jobs[name], due_only=False)

    def run_due(self, over: threading.Event | None = None) -> dict[str, str]:
        """
        Run what is due, one after another, until ``over``; give the jobs that ran, each with its trouble.

        Raises:
            EnvironmentTroubleError: The database does not work.
        """
        self._know()
        with reading(self._engine) as connection:
            due = connection.execute(select(_JOB.c.name).where(_JOB.c.next_at <= self._clock.now())).scalars().all()
        ran: dict[str, str] = {}
        for name in (name for name in self._jobs if name in due):
            if over and over.is_set():
                break
            try:
                if self._claimed_and_run(self._jobs[name], due_only=True):
                    ran[name] = ""
            except Exception as error:
                ran[name] = _told(error)
                _log.error("job %s: %s", name, ran[name])
        return ran

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run jobs as they come due, in a thread of its own, during a block; at its end the one under way is ended."""
        over = threading.Event()
        thread = threading.Thread(target=self._repeat, args=(over,), name="jobs", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _repeat(self, over: threading.Event) -> None:
        while not over.is_set():
            try:
                self.run_due(over)
            except Exception as error:
                _log.error("jobs: %s; trying again", _told(error))
            over.wait(POLL_SECONDS)

    def _claimed_and_run(self, job: Job, *, due_only: bool) -> bool:
        owner = token_hex(8)
        if not self._claim(job, owner, due_only=due_only):
            return False
        try:
            job.run()
        except Exception as error:
            self._end(job, owner, _told(error))
            raise
        self._end(job, owner, "")
        return True

    def _claim(self, job: Job, owner: str, *, due_only: bool) -> bool:
        now = self._clock.now()
        free = _JOB.c.next_at <= now if due_only else or_(_JOB.c.next_at <= now, _JOB.c.owner.is_(None))
        leased = {"owner": owner, "began_at": now, "next_at": now + job.lease}
        with transaction(self._engine) as connection:
            return (
                connection.execute(update(JobRecord).where(_JOB.c.name == job.name, free).values(**leased)).rowcount > 0
            )

    def _end(self, job: Job, owner: str, trouble: str) -> None:
        """Write how a run ended, unless it outlived its lease and another has begun since."""
        now = self._clock.now()
        next_at = now + (min(job.every, RETRY) if trouble else job.every)
        ended = {"owner": None, "ended_at": now, "next_at": next_at, "expected_at": next_at + job.every + job.lease}
        failing_since = func.coalesce(_JOB.c.failing_since, now) if trouble else None
        mine = _JOB.c.name == job.name, _JOB.c.owner == owner
        with transaction(self._engine) as connection:
            connection.execute(
                update(JobRecord).where(*mine).values(**ended, trouble=trouble, failing_since=failing_since)
            )


def troubled(connection: Connection, now: datetime) -> Iterator[Matter]:
    """Give the jobs that fail, and those that should have run and did not, for a person to hear of."""
    wrong = or_(_JOB.c.failing_since.is_not(None), _JOB.c.expected_at <= now)
    for row in connection.execute(select(_JOB).where(wrong).order_by(_JOB.c.name)):
        yield Matter(Kind.JOB_FAILED, row.name, row.failing_since or row.expected_at)


def _told(error: Exception) -> str:
    return error.diagnostics() if isinstance(error, ReporterError) else type(error).__name__
