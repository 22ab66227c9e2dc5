"""
The integrity job: many items examined, one after another, at a pace; it can be interrupted and gone on with.

What was verified since a run began is what the run has done, so its progress is on record with every item. A damaged
item is an alarm until it is found whole again. Evidence itself is never changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from sqlalchemy import Connection, Engine, insert, or_, select, update
from sqlmodel import col

from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import EnvironmentTroubleError, UsageError
from reporter.evidence import service as evidence
from reporter.evidence.examination import Examiner, Finding
from reporter.evidence.model import SealedItem
from reporter.evidence.tables import EvidenceItem, Verification, VerificationRun

_RUN = VerificationRun.__table__  # type: ignore[attr-defined]
#: As many objects in a row that cannot be read are no damage: the store itself is in trouble.
_TROUBLE = 3
_SOUND = frozenset({Finding.WHOLE, Finding.DESTROYED})


@dataclass(frozen=True, slots=True)
class Verified:
    """How one item, of so many bytes, was found; ``detail`` holds ids and sizes that tell more."""

    reference: str
    item: str
    evidence_id: str
    finding: Finding
    detail: str
    size: int

    @property
    def sound(self) -> bool:
        """Whether it is as it should be."""
        return self.finding in _SOUND


class IntegrityService:
    """Verifies items; ``damaged`` is called at the first damaged one of a run, so that somebody hears of it at once."""

    def __init__(
        self, engine: Engine, clock: Clock, examiner: Examiner, due_after: timedelta, damaged: Callable[[], object]
    ) -> None:
        self._engine, self._clock, self._examiner = engine, clock, examiner
        self._due_after, self._damaged = due_after, damaged

    def everything(self, actor: str, rate: float | None = None) -> Iterator[Verified]:
        """
        Begin a run over every item, and give each as it was found; at most ``rate`` bytes are read in a second.

        Raises:
            EnvironmentTroubleError: A store, the key provider or the database does not work; ``resume`` goes on.

        """
        return self._begin("all", actor, rate)

    def due(self, actor: str, rate: float | None = None) -> Iterator[Verified]:
        """Verify what was not verified for as long as the configuration allows, as ``everything``."""
        return self._begin("due", actor, rate)

    def sample(self, count: int, actor: str, rate: float | None = None) -> Iterator[Verified]:
        """Verify so many items drawn at random, as ``everything``."""
        return self._begin(f"sample {count} {token_hex(8)}", actor, rate)

    def one(self, reference: str, item: str | None, actor: str, rate: float | None = None) -> Iterator[Verified]:
        """
        Verify one case, or one item of it, as ``everything``.

        Raises:
            NotFoundError: There is no such item.

        """
        if item is None:
            return self._begin(f"case {reference}", actor, rate)
        with reading(self._engine) as connection:
            sealed = evidence.find_item(connection, reference, item)
        return self._begin(f"item {sealed.id}", actor, rate)

    def resume(self, actor: str, rate: float | None = None) -> Iterator[Verified]:
        """
        Go on with the run that was begun last and not finished.

        Raises:
            UsageError: There is none.
            EnvironmentTroubleError: As ``everything``.

        """
        query = select(VerificationRun).where(col(VerificationRun.finished_at).is_(None))
        with reading(self._engine) as connection:
            row = connection.execute(query.order_by(col(VerificationRun.id).desc()).limit(1)).one_or_none()
        if row is None:
            raise UsageError("No run was interrupted.", next_step="Begin one: reporter evidence verify --due")
        return self._run(row.id, row.scope, row.started_at, actor, rate)

    def go_on_with_due(self, actor: str, size: int) -> None:
        """
        Verify what is due until about so many bytes were read; the next call goes on, in the same run.

        Raises:
            EnvironmentTroubleError: As ``everything``; the next call goes on.

        """
        run = select(VerificationRun).where(
            col(VerificationRun.finished_at).is_(None),
            col(VerificationRun.scope) == "due",
            col(VerificationRun.actor) == actor,
        )
        with reading(self._engine) as connection:
            row = connection.execute(run.order_by(col(VerificationRun.id)).limit(1)).one_or_none()
        if row is not None:
            found = self._run(row.id, row.scope, row.started_at, actor, None)
        elif self._left("due", self._clock.now(), limit=1):
            found = self._begin("due", actor, None)
        else:
            return
        for verified in found:
            size -= verified.size
            if size <= 0:
                return

    def _begin(self, scope: str, actor: str, rate: float | None) -> Iterator[Verified]:
        with transaction(self._engine) as connection:
            now = self._clock.now()
            row = insert(VerificationRun).values(scope=scope, actor=actor, started_at=now)
            number: int = connection.execute(row.returning(_RUN.c.id)).scalar_one()
            self._tell(connection, "verification_begun", actor, f"run {number} {scope}")
        return self._run(number, scope, now, actor, rate)

    def last(self, connection: Connection, reference: str) -> dict[str, tuple[datetime, Finding]]:
        """Give when each item of a case was last verified, and how it was found, by the id of its record."""
        query = select(Verification).join(EvidenceItem, col(EvidenceItem.id) == col(Verification.evidence_id))
        rows = connection.execute(query.where(col(EvidenceItem.reference) == reference))
        return {row.evidence_id: (row.at, Finding(row.finding)) for row in rows}

    def _run(self, number: int, scope: str, since: datetime, actor: str, rate: float | None) -> Iterator[Verified]:
        pace, called, trouble, bad = _Pace(self._clock, rate), False, 0, 0
        for evidence_id in self._left(scope, since):
            with reading(self._engine) as connection:
                sealed = evidence.item_of(connection, evidence_id)
            if sealed is None:
                continue
            finding, detail = self._examiner.examine(sealed, pace.took)
            trouble = trouble + 1 if finding is Finding.OBJECT_UNREADABLE else 0
            if trouble == _TROUBLE:
                raise EnvironmentTroubleError(detail, next_step="Then go on: reporter evidence verify --resume")
            found = Verified(sealed.reference, sealed.item, sealed.id, finding, detail, sealed.size)
            self._write(found, sealed, actor)
            if not found.sound:
                bad += 1
                if not called:
                    self._damaged()
                    called = True
            yield found
        with transaction(self._engine) as connection:
            now = self._clock.now()
            done = update(VerificationRun).where(col(VerificationRun.id) == number).values(finished_at=now)
            connection.execute(done)
            self._tell(connection, "verification_finished", actor, f"run {number}, {bad} not as they should be")

    def _left(self, scope: str, since: datetime, limit: int | None = None) -> list[str]:
        """Give the items of a run, at most ``limit``, that were not verified since it began."""
        which, *rest = scope.split(" ")
        query = (
            select(col(EvidenceItem.id))
            .outerjoin(Verification, col(Verification.evidence_id) == col(EvidenceItem.id))
            .order_by(col(EvidenceItem.id))
        )
        undone = or_(col(Verification.at).is_(None), col(Verification.at) < since)
        match which:
            case "due":
                query = query.where(
                    or_(col(Verification.at).is_(None), col(Verification.at) <= since - self._due_after)
                )
            case "case":
                query = query.where(col(EvidenceItem.reference) == rest[0])
            case "item":
                query = query.where(col(EvidenceItem.id) == rest[0])
        with reading(self._engine) as connection:
            left = list(connection.execute(query.where(undone).limit(limit)).scalars())
            if which != "sample":
                return left
            drawn = sorted(connection.execute(query).scalars(), key=lambda item: _drawn(rest[1], item))[: int(rest[0])]
            return sorted(set(drawn).intersection(left))

    def _write(self, found: Verified, sealed: SealedItem, actor: str) -> None:
        now = self._clock.now()
        told = {"at": now, "finding": "" if found.sound else found.finding.value, "detail": found.detail}
        with transaction(self._engine) as connection:
            known = select(col(Verification.finding)).where(col(Verification.evidence_id) == sealed.id)
            before = connection.execute(known.with_for_update()).one_or_none()
            if before is None:
                connection.execute(insert(Verification).values(evidence_id=sealed.id, since=now, **told))
            else:
                begun = {} if before.finding == told["finding"] else {"since": now}
                of_this = update(Verification).where(col(Verification.evidence_id) == sealed.id)
                connection.execute(of_this.values(**told, **begun))
            if not found.sound:
                detail = f"{sealed.id} {found.finding}"
                self._tell(connection, "evidence_damaged", actor, detail, sealed)

    def _tell(
        self, connection: Connection, kind: str, actor: str, detail: str, sealed: SealedItem | None = None
    ) -> None:
        reference, item = (sealed.reference, sealed.item) if sealed else (None, None)
        audit.record(
            connection, at=self._clock.now(), actor=actor, kind=kind, reference=reference, item=item, detail=detail
        )


class _Pace:
    """Keeps what is read below so many bytes a second, on the average of a run."""

    def __init__(self, clock: Clock, rate: float | None) -> None:
        self._clock, self._rate, self._since, self._bytes = clock, rate, clock.now(), 0

    def took(self, size: int) -> None:
        """Hear of bytes that were read, and wait where they came too fast."""
        self._bytes += size
        if self._rate:
            ahead = self._bytes / self._rate - (self._clock.now() - self._since).total_seconds()
            if ahead > 0:
                self._clock.sleep(ahead)


def _drawn(seed: str, item: str) -> str:
    return hashlib.sha256(f"{seed} {item}".encode()).hexdigest()
