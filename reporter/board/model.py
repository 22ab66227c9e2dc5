"""Plain types of the board. Nothing in them is content or personal data: references, codes, roles, times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reporter.tasks.model import Basis


@dataclass(frozen=True, slots=True)
class Line:
    """
    Something open: by when, what it waits for, who can move it and how.

    ``basis`` says whose clock it is, ``verified`` whether the rule behind it was read in the law's own words.
    ``movers`` are roles, or the worker. ``state`` is the submission's, where there is one.
    """

    what: str
    authority: str
    waits_for: str
    movers: tuple[str, ...]
    next_step: str
    reference: str | None = None
    environment: str = ""
    level: int | None = None
    due: datetime | None = None
    basis: Basis | None = None
    rule: str = ""
    verified: bool | None = None
    state: str = ""
    task: int | None = None

    def overdue(self, now: datetime) -> bool:
        """Whether its clock has run out; an instant that is reached is over."""
        return self.due is not None and self.due <= now

    @property
    def order(self) -> tuple[bool, float, int, str]:
        """Give its place: an immediate risk before all else, then what is due first, and what has no clock last."""
        due = self.due.timestamp() if self.due else float("inf")
        return self.level != 1, due, self.level or 4, self.reference or self.what


def span(time: timedelta) -> str:
    """Give a length of time in its two greatest units, rounded down: ``3 h 12 min``."""
    minutes = int(abs(time.total_seconds()) // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else "less than a minute"
