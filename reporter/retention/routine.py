"""
What this room does by itself: clocks started, conflicts told, what is due proposed, what was confirmed gone on with.

Nothing is destroyed here that two people have not confirmed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine, String, cast, delete, exists, func, literal, or_, select, update
from sqlmodel import col

from reporter.alarms.model import Kind as Alarm
from reporter.alarms.model import Matter
from reporter.cases.records import CaseState
from reporter.cases.tables import CaseRecord
from reporter.clock import Clock as Time
from reporter.db.engine import reading, transaction
from reporter.errors import CustodyError
from reporter.retention.batches import BATCH
from reporter.retention.clocks import Clocks
from reporter.retention.disposition import Dispositions
from reporter.retention.flags import ObjectFlags
from reporter.retention.model import Part, Side, Standing
from reporter.retention.policy import present
from reporter.retention.reach import cases_in
from reporter.retention.register import HOLD
from reporter.retention.subjects import Subjects
from reporter.retention.tables import ClocksStarted, KeepLonger, ReferenceRecord, RetentionClock
from reporter.retention.words import tell
from reporter.submissions.model import State
from reporter.submissions.tables import Submission
from reporter.tasks.model import Kind
from reporter.tasks.service import close_task, open_task, open_tasks

ACTOR = "reporter"
#: What happened since then is done again by the next runs, in case a store did not work.
_RECENT = timedelta(hours=3)
_CASE = CaseRecord.__table__  # type: ignore[attr-defined]
_THERE = _CASE.c.state != CaseState.DESTROYED


@dataclass(frozen=True, slots=True)
class Routine:
    """The retention job."""

    database: Engine
    time: Time
    subjects: Subjects
    clocks: Clocks
    dispositions: Dispositions
    flags: ObjectFlags

    def run(self) -> None:
        """
        Do all of it once; what cannot be read is left out, told at the end, and tried again.

        Raises:
            CustodyError: A case document does not open.
            EnvironmentTroubleError: The database or a store does not work.
        """
        self.subjects.complete()
        troubled = [reference for reference in self._not_started() if not self._start(reference)]
        self._conflicts()
        self.flags.apply(self._held())
        self._lock_objects()
        self._close_what_ended()
        if not self._open_batch() and self.dispositions.dispose_by(ACTOR) is None and not self._by_policy():
            self.dispositions.propose(ACTOR)
        self._expire()
        self.dispositions.resume(ACTOR)  # at the end: what nobody signed stops here, and nothing else with it
        if troubled:
            raise CustodyError(f"The clocks of {len(troubled)} cases cannot be started; the first is {troubled[0]}.")

    def _start(self, reference: str) -> bool:
        try:
            self.clocks.show(reference)
        except CustodyError:
            return False
        return True

    def _not_started(self) -> list[str]:
        def started(about: object) -> object:
            return exists().where(col(ClocksStarted.reference) == _CASE.c.reference, col(ClocksStarted.about) == about)

        revision = literal("revision ") + cast(_CASE.c.revision, String)
        filed = exists().where(
            col(Submission.reference) == _CASE.c.reference,
            col(Submission.state) == State.ACCEPTED,
            ~started(literal("submission ") + col(Submission.id)),  # type: ignore[operator]
        )
        query = select(_CASE.c.reference).where(_THERE, or_(~started(revision), filed))  # type: ignore[operator]
        with reading(self.database) as connection:
            return list(connection.execute(query.order_by(_CASE.c.reference)).scalars())

    def _conflicts(self) -> None:
        """Open a task for each conflict that nobody has decided, and close those that are none any more."""
        capped = exists().where(
            col(RetentionClock.reference) == _CASE.c.reference,
            col(RetentionClock.side) == Side.CAP,
            col(RetentionClock.verified),
        )
        with reading(self.database) as connection:
            asked = set(connection.execute(select(_CASE.c.reference).where(_THERE, capped)).scalars())
            told = {task.about for task in open_tasks(connection, kinds=[Kind.RETENTION_CONFLICT])}
        for reference in sorted(asked | told):
            with transaction(self.database) as connection:
                now = self.time.now()
                kept = self.clocks.of(connection, reference) if reference in asked else None
                if kept and kept.material.standing is Standing.CONFLICT and kept.decided_until is None:
                    open_task(
                        connection, now, kind=Kind.RETENTION_CONFLICT, about=reference, reference=reference, due=now,
                        actor=ACTOR,
                    )  # fmt: skip
                else:
                    close_task(
                        connection, now, kind=Kind.RETENTION_CONFLICT, about=reference, actor=ACTOR, outcome="over"
                    )  # fmt: skip

    def _held(self) -> list[str]:
        """Give the cases that holds reach which stand, or ended or were released not long ago."""
        recently = self.time.now() - _RECENT
        standing = or_(HOLD.c.released_at.is_(None), HOLD.c.released_at > recently)
        with reading(self.database) as connection:
            query = select(HOLD.c.scope).where(standing, or_(HOLD.c.ends.is_(None), HOLD.c.ends > recently))
            scopes = connection.execute(query).scalars().all()
            return sorted({reference for scope in scopes for reference in cases_in(connection, scope)})

    def _lock_objects(self) -> None:
        """Lock in the object store, where it can, what a floor that started not long ago keeps."""
        floors = select(col(RetentionClock.reference), func.max(col(RetentionClock.ends)).label("until")).where(
            col(RetentionClock.side) == Side.FLOOR, col(RetentionClock.part) == Part.MATERIAL,
            col(RetentionClock.started_at) > self.time.now() - _RECENT, col(RetentionClock.ends).is_not(None),
        )  # fmt: skip
        with reading(self.database) as connection:
            rows = connection.execute(floors.group_by(col(RetentionClock.reference))).all()
        for row in rows:
            self.flags.retain(row.reference, row.until)

    def _close_what_ended(self) -> None:
        """Close the tasks of holds and extensions whose time is over."""
        now = self.time.now()
        ended = (
            (Kind.HOLD_ENDS, select(HOLD.c.number).where(HOLD.c.ends <= now)),
            (Kind.EXTENSION_REVIEW, select(col(KeepLonger.id)).where(col(KeepLonger.until) <= now)),
        )
        with transaction(self.database) as connection:
            for kind, query in ended:
                waiting = {task.about for task in open_tasks(connection, kinds=[kind])}
                for about in waiting & set(map(str, connection.execute(query).scalars())):
                    close_task(connection, now, kind=kind, about=about, actor=ACTOR, outcome="ended")

    def _open_batch(self) -> bool:
        query = select(BATCH.c.number).where(BATCH.c.withdrawn_at.is_(None), BATCH.c.carried_out_at.is_(None))
        with reading(self.database) as connection:
            return connection.execute(query.limit(1)).first() is not None

    def _by_policy(self) -> bool:
        """Whether a standing policy takes care of what is due; the rest of a day's waits for the next."""
        with reading(self.database) as connection:
            policy = present(connection, self.time.now())
        return policy is not None and policy.adopted

    def _expire(self) -> None:
        """Remove references and certificates whose own time is over."""
        now = self.time.now()
        with transaction(self.database) as connection:
            over = col(ReferenceRecord.keep_until) <= now
            for row in connection.execute(select(ReferenceRecord.__table__).where(over)).all():  # type: ignore[attr-defined]
                tell(connection, now, ACTOR, "reference_forgotten", row.about, row.authority, row.reference)
            connection.execute(delete(ReferenceRecord).where(over))
            connection.execute(update(BATCH).where(BATCH.c.keep_until <= now).values(certificate=None, keep_until=None))


def conflicts(connection: Connection) -> Iterator[Matter]:
    """Give the conflicts that nobody has decided, for a person to hear of."""
    for task in open_tasks(connection, kinds=[Kind.RETENTION_CONFLICT]):
        yield Matter(Alarm.RETENTION_CONFLICT, task.about, task.opened_at, task.about)
