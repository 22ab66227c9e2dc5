"""
What a changed rule pack would do to the clocks that run, shown before it is applied; applying never shortens one.

A clock keeps the rule as it was when it started. Where the packs now say something longer of the very version under
which a case was filed, a longer clock can be added beside it; where they say something shorter, or nothing any more, it
stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Engine, select
from sqlmodel import col

from reporter.cases.records import CaseState
from reporter.cases.tables import CaseRecord
from reporter.clock import Clock as Time
from reporter.db.engine import reading, transaction
from reporter.retention import reach
from reporter.retention.filed import clocks_of
from reporter.retention.model import Clock, Side
from reporter.retention.started import StartedClocks, clocks_on_record, filings
from reporter.retention.words import tell
from reporter.submissions.routing import Router


class Change(StrEnum):
    """What the packs say of a clock that runs, against what it says itself."""

    LONGER = "longer"
    NEW = "new"
    SHORTER = "shorter"
    GONE = "gone"

    @property
    def applies(self) -> bool:
        """Whether applying does anything: nothing is ever taken away."""
        return self in (Change.LONGER, Change.NEW)


@dataclass(frozen=True, slots=True)
class Effect:
    """One change to one case: the clock that the packs ask for, or where that is gone the one that stays."""

    reference: str
    change: Change
    clock: Clock


class RuleEffect:
    """Compares the clocks that run with the rule packs."""

    def __init__(self, database: Engine, time: Time, started: StartedClocks, routes: Router) -> None:
        self._database, self._time, self._started, self._routes = database, time, started, routes

    def effects(self) -> Iterator[Effect]:
        """Give what would change; nothing is changed by asking."""
        for reference in self._cases():
            with reading(self._database) as connection:
                found = self._of(connection, reference)
            yield from found

    def apply(self, actor: str) -> int:
        """Add the clocks that are longer or new, and give how many; none that runs is touched."""
        added = 0
        for reference in self._cases():
            with transaction(self._database) as connection:
                reach.lock(connection, [reference])
                effects = [each for each in self._of(connection, reference) if each.change.applies]
                for each in effects:
                    added += self._started.add(connection, reference, each.clock.cause, [each.clock])
                if effects:
                    tell(connection, self._time.now(), actor, "rules_applied", "retention", f"{added}", reference)
        return added

    def _cases(self) -> list[str]:
        query = select(col(CaseRecord.reference)).where(col(CaseRecord.state) != CaseState.DESTROYED)
        with reading(self._database) as connection:
            return list(connection.execute(query.order_by(col(CaseRecord.reference))).scalars())

    def _of(self, connection: Connection, reference: str) -> list[Effect]:
        running = clocks_on_record(connection, reference)
        found = []
        for filed in filings(connection, reference):
            mine = [clock for clock in running if clock.cause == filed.cause]
            if not mine:  # it has not started: it will by these rules
                continue
            asked = clocks_of(self._routes.rules, filed)
            names = {clock.retention for clock in asked}
            found += [Effect(reference, Change.GONE, clock) for clock in mine if clock.retention not in names]
            found += [
                Effect(reference, change, clock)
                for clock in asked
                if (change := _change(clock, [each for each in mine if each.retention == clock.retention]))
            ]
        return found


def _change(asked: Clock, running: list[Clock]) -> Change | None:
    """Say what changes; of a cap, "longer" is what ends sooner: both are what the law asks more of."""
    if not running:
        return Change.NEW
    ends = [clock.ends for clock in running]
    if asked.ends in ends:
        return None
    if asked.ends is None:
        return Change.LONGER
    known = [end for end in ends if end is not None]
    if len(known) < len(ends):
        return Change.SHORTER
    more = asked.ends > max(known) if asked.side is Side.FLOOR else asked.ends < min(known)
    return Change.LONGER if more else Change.SHORTER
