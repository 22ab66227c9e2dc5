"""Every clock of a case, what they come to now, and what stands against destroying anything of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select
from sqlmodel import col

from reporter.cases.store import CaseStore, unknown
from reporter.cases.tables import CaseRecord, CaseRevision
from reporter.clock import Clock as Time
from reporter.config import Retention
from reporter.db.engine import transaction
from reporter.evidence.bodies import BodyVault
from reporter.evidence.model import SealedItem
from reporter.retention import longer
from reporter.retention.filed import house_clock
from reporter.retention.model import Assessment, Clock, Origin, Part, Side, Standing, assess, stands_against
from reporter.retention.register import Hold, holds_on
from reporter.retention.started import StartedClocks, filings
from reporter.retention.subjects import Subjects
from reporter.submissions.model import State
from reporter.submissions.routing import Router
from reporter.submissions.tables import Submission
from reporter.tasks.model import Kind, Outcome
from reporter.tasks.service import TASK, open_tasks

_SUBMISSION = Submission.__table__  # type: ignore[attr-defined]
#: States of a submission in which it is not filed and never will be by itself.
_OVER = (State.REJECTED, State.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Kept:
    """
    How long a case is kept, and why.

    ``owed`` are authorities that must still be told: until they are, or people said that they need not be, nothing of
    the case is destroyed.
    ``decided_until`` is when a conflict comes up again that somebody has decided.
    """

    reference: str
    material: Assessment
    receipts: Assessment
    holds: tuple[Hold, ...]
    owed: tuple[str, ...]
    decided_until: datetime | None

    @property
    def due(self) -> bool:
        """Whether the case may be proposed for destruction."""
        return self.material.due and not self.owed


class Clocks:
    """Asks for the clocks of cases."""

    def __init__(
        self,
        database: Engine,
        time: Time,
        bodies: BodyVault,
        subjects: Subjects,
        started: StartedClocks,
        routes: Router,
        authorities: Sequence[str],
        settings: Retention,
    ) -> None:
        self._database, self._time, self._store, self._subjects = database, time, CaseStore(bodies), subjects
        self._started, self._routes, self._authorities, self._settings = started, routes, authorities, settings

    def show(self, reference: str) -> Kept:
        """
        Say how long a case is kept; clocks that have not started yet start with it.

        Raises:
            NotFoundError: There is no such case.
            CustodyError: Its document does not open.
        """
        with transaction(self._database) as connection:
            return self.of(connection, reference)

    def of(self, connection: Connection, reference: str) -> Kept:
        """Say how long a case is kept, in the caller's transaction, which may hold the case."""
        known = select(col(CaseRecord.reference)).where(col(CaseRecord.reference) == reference)
        if connection.execute(known).first() is None:
            raise unknown(reference)
        now = self._time.now()
        self._subjects.index(connection, reference)
        holds = tuple(holds_on(connection, reference, now))
        clocks = self._legal(connection, reference) + [hold.clock for hold in holds]
        clocks += self._house(connection, reference, clocks)
        return Kept(
            reference, assess(clocks, Part.MATERIAL, now), assess(clocks, Part.REFERENCE, now), holds,
            self._owed(connection, reference), longer.decided_until(connection, reference, now),
        )  # fmt: skip

    def in_conflict(self, connection: Connection, reference: str) -> bool:
        """Whether a case is in conflict now, decided or not."""
        return self.of(connection, reference).material.standing is Standing.CONFLICT

    def objection(self, connection: Connection, sealed: SealedItem) -> str | None:
        """Give what stands against destroying an item, or None; the caller holds the case."""
        clock = self._objection(connection, sealed, frozenset())
        return clock or _untold(self._owed(connection, sealed.reference), sealed.reference)

    def objection_to_request(self, connection: Connection, sealed: SealedItem) -> str | None:
        """Give the same for what an authenticated police request asks to destroy: only holds stand against it."""
        return self._objection(connection, sealed, frozenset({Origin.RULE, Origin.EXTENSION}))

    def case_objection(self, connection: Connection, reference: str) -> str | None:
        """Give what stands against destroying a whole case, or None; the caller holds it."""
        kept = self.of(connection, reference)
        clock = stands_against(kept.material.clocks, self._time.now())
        return _said(clock, reference) if clock else _untold(kept.owed, reference)

    def _objection(self, connection: Connection, sealed: SealedItem, besides: frozenset[Origin]) -> str | None:
        now = self._time.now()
        self._subjects.index(connection, sealed.reference)
        holds = [hold.clock for hold in holds_on(connection, sealed.reference, now, sealed.id)]
        clock = stands_against([*self._legal(connection, sealed.reference), *holds], now, besides=besides)
        return _said(clock, sealed.reference) if clock else None

    def _legal(self, connection: Connection, reference: str) -> list[Clock]:
        return self._started.of(connection, reference) + longer.clocks_of(connection, reference)

    def _house(self, connection: Connection, reference: str, clocks: Sequence[Clock]) -> list[Clock]:
        """Give the house's own clock: of what was never filed, or of what no law that was read keeps."""
        filed = filings(connection, reference)
        if not filed:
            return [house_clock(_last(connection, reference), self._settings.unfiled_days, "unfiled_days", _UNFILED)]
        ruled = any(
            clock.origin is Origin.RULE and clock.side is Side.FLOOR and clock.verified and clock.part is Part.MATERIAL
            for clock in clocks
        )
        if ruled:
            return []
        latest = max(each.latest for each in filed)
        return [house_clock(latest, self._settings.unruled_days, "unruled_days", _UNRULED)]

    def _owed(self, connection: Connection, reference: str) -> tuple[str, ...]:
        """Give the authorities that must be told and are not; what people withdrew, or find not needed, is not owed."""
        stored = self._store.find(connection, reference)
        if stored is None or stored.state != "confirmed":
            return ()
        route = self._routes.route(stored.case, self._time.now().date())
        states = {
            row.authority: row.state
            for row in connection.execute(
                select(_SUBMISSION).where(_SUBMISSION.c.reference == reference).order_by(_SUBMISSION.c.version)
            )
        }
        told = {State.ACCEPTED, *_OVER} | {each.authority for each in filings(connection, reference)}
        spared = select(TASK.c.authority).where(
            TASK.c.reference == reference, TASK.c.kind == Kind.REPORT, TASK.c.outcome == Outcome.NOT_NEEDED,
            TASK.c.closed_at.is_not(None),
        )  # fmt: skip
        told |= set(connection.execute(spared).scalars())
        by_hand = [task.authority for task in open_tasks(connection, reference=reference, kinds=[Kind.TELL])]
        owed = [name for name in route.goes_to(self._authorities) if not {name, states.get(name)} & told]
        return tuple(dict.fromkeys([*owed, *by_hand]))


def _said(clock: Clock, reference: str) -> str:
    until = f"until {clock.ends:%Y-%m-%d %H:%M:%S}Z" if clock.ends else "until it is released"
    what = clock.cause if clock.origin is Origin.HOLD else f"{clock.rule}/{clock.version}, {clock.cause}"
    return f"it is kept {until} ({what}). See: reporter retention show {reference}"


def _untold(owed: Sequence[str], reference: str) -> str | None:
    if not owed:
        return None
    return (
        f"{', '.join(owed)} must still be told, or two say it is not needed. See: reporter task list --of {reference}"
    )


_UNFILED = "never filed: kept for review, from the last that happened to it"
_UNRULED = "filed where no law that was read sets a length"


def _last(connection: Connection, reference: str) -> datetime:
    """Give when something last happened to a case that was never filed."""
    revised = select(func.max(col(CaseRevision.at))).where(col(CaseRevision.reference) == reference)
    row = select(func.max(_SUBMISSION.c.created_at), func.max(_SUBMISSION.c.approved_at))
    found = connection.execute(row.where(_SUBMISSION.c.reference == reference)).one()
    moments: list[datetime | None] = [connection.execute(revised).scalar_one(), *found]
    return max(moment for moment in moments if moment is not None)
