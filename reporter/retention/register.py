"""The holds on record, and which of them stand on a case or an item of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from reporter.errors import NotFoundError
from reporter.retention import reach
from reporter.retention.model import Clock, Origin, Part, Side
from reporter.retention.tables import LegalHold, ScopeEntry

HOLD = LegalHold.__table__  # type: ignore[attr-defined]
_ENTRY = ScopeEntry.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold as it stands; ``standing`` says whether it holds now."""

    number: int
    scope: int
    demand: int | None
    begins: datetime
    ends: datetime | None
    advised: datetime | None
    review_at: datetime
    rule: str
    version: int
    retention: str
    source: str
    placed_by: str
    placed_at: datetime
    release_asked_by: str | None
    release_asked_at: datetime | None
    released_by: str | None
    released_at: datetime | None

    def standing(self, now: datetime) -> bool:
        """Whether it holds at that moment."""
        return self.released_at is None and (self.ends is None or now < self.ends)

    @property
    def clock(self) -> Clock:
        """Give it as the clock that it is for whatever it reaches."""
        words = "held until this moment" if self.ends else "held until it is released"
        cause = f"hold {self.number}" + (f", demand {self.demand}" if self.demand else "")
        return Clock(
            Part.MATERIAL, Side.FLOOR, Origin.HOLD, self.begins, self.ends, self.rule or "hold", self.version,
            self.retention or "until-released", self.source, words, cause,
        )  # fmt: skip


def find_hold(connection: Connection, number: int, *, lock: bool = False) -> Hold:
    """
    Give a hold.

    Raises:
        NotFoundError: There is none of that number.
    """
    query = select(HOLD).where(HOLD.c.number == number)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no hold {number}.", next_step="See: reporter hold list")
    return hold_of(row)


def holds_on(connection: Connection, reference: str, now: datetime, evidence_id: str | None = None) -> list[Hold]:
    """Give the holds that stand on any part of a case, or on one item of it; its people must be indexed by then."""
    query = select(HOLD).where(stand(now)).join(_ENTRY, _ENTRY.c.scope == HOLD.c.scope).distinct()
    partly = evidence_id is None
    rows = connection.execute(reach.of_case(query, reference, evidence_id, partly=partly).order_by(HOLD.c.number))
    return [hold_of(row) for row in rows]


def stand(now: datetime) -> Any:
    """Give the condition under which a hold stands at that moment."""
    return HOLD.c.released_at.is_(None) & or_(HOLD.c.ends.is_(None), HOLD.c.ends > now)


def hold_of(row: Any) -> Hold:
    """Give the hold that a row holds."""
    return Hold(**{name: getattr(row, name) for name in Hold.__dataclass_fields__})
