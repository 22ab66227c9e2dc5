"""When somebody at the NCA reads: registration requests are handled Mon-Fri 07:00-17:00, says its page as quoted."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

_LONDON = ZoneInfo("Europe/London")
_OPENS, _CLOSES = time(7), time(17)
_SATURDAY = 5


def within_office_hours(now: datetime, bank_holidays: Container[date] = ()) -> bool:
    """Whether a moment lies within them, in UK time; no table of bank holidays is built in."""
    here = now.astimezone(_LONDON)
    return here.weekday() < _SATURDAY and here.date() not in bank_holidays and _OPENS <= here.time() < _CLOSES
