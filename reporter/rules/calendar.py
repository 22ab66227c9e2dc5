"""
Calendar arithmetic for clocks, in UTC: a year is a calendar year, never 365 days.

Where a day does not exist (29 February a year later), what must be kept is kept the day longer, and what must go goes
the day sooner.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from reporter.rules.model import Length, Telephone

_MONTHS = 12


def add(start: datetime, length: Length, *, late: bool) -> datetime:
    """
    Give the moment ``length`` after ``start``, in UTC.

    Args:
        start: A moment with a zone.
        length: Calendar years and months first, then days, hours and minutes of fixed length.
        late: Whether a day that does not exist becomes the day after it, or the day before.

    Raises:
        ValueError: ``start`` has no zone.
        OverflowError: The end lies beyond the calendar.
    """
    if start.tzinfo is None:
        raise ValueError("a clock starts at a moment with a zone")
    start = start.astimezone(UTC)
    months = start.month - 1 + length.months + _MONTHS * length.years
    year, month = start.year + months // _MONTHS, months % _MONTHS + 1
    if year > MAXYEAR:
        raise OverflowError("the clock ends beyond the calendar")
    last = monthrange(year, month)[1]
    moved = start.replace(year=year, month=month, day=min(start.day, last))
    if start.day > last and late:
        moved += timedelta(days=1)
    return moved + timedelta(days=length.days, hours=length.hours, minutes=length.minutes)


def floor_ends(start: datetime, length: Length, margin: Length | None = None) -> datetime:
    """Give the first moment at which what is kept for ``length`` need no longer be."""
    end = add(start, length, late=True)
    return add(end, margin, late=True) if margin else end


def cap_ends(start: datetime, length: Length) -> datetime:
    """Give the last moment at which what may be kept for ``length`` may still be."""
    return add(start, length, late=False)


def renewed(start: datetime, length: Length, renewals: Iterable[tuple[datetime, Length]]) -> datetime:
    """
    Give the end of a floor that was renewed; a renewal adds its length, from its own moment if the floor had lapsed.

    A renewal never shortens, whatever the order in which they are told.
    """
    end = floor_ends(start, length)
    for at, more in sorted(renewals, key=lambda renewal: renewal[0]):
        end = max(end, floor_ends(max(end, at.astimezone(UTC)), more))
    return end


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """When an office answers: weekdays (Monday is 0) from ``opens`` until ``closes``, by its own wall clock."""

    zone: str
    weekdays: frozenset[int]
    opens: time
    closes: time

    @classmethod
    def of(cls, telephone: Telephone) -> OfficeHours:
        """Give the hours that a rule names."""
        return cls(telephone.zone, frozenset(telephone.weekdays), telephone.opens, telephone.closes)

    def closed_from(self, moment: datetime) -> datetime:
        """Give the first moment from ``moment`` on at which the office is closed, in UTC."""
        if not self.open_at(moment):
            return moment.astimezone(UTC)
        zone = ZoneInfo(self.zone)
        return datetime.combine(moment.astimezone(zone).date(), self.closes, zone).astimezone(UTC)

    def open_at(self, moment: datetime) -> bool:
        """Whether the office is open at that moment; public holidays are not known here."""
        local = moment.astimezone(ZoneInfo(self.zone))
        return local.weekday() in self.weekdays and self.opens <= local.time().replace(tzinfo=None) < self.closes
