"""How holds are shown, and what both ``hold`` and ``demand`` read from the command line."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from reporter.cli.output import counted, moment, say

if TYPE_CHECKING:
    from reporter.retention.holds import Placed
    from reporter.retention.register import Hold


def instant(text: str) -> datetime:
    """
    Give the moment that an option names.

    Raises:
        UsageError: It is none, or has no zone.
    """
    from reporter.errors import UsageError

    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise UsageError("A time needs its zone, such as 2026-11-20T14:05:00Z.")
    return at


def placed(hold: Placed) -> dict[str, Any]:
    """Give a new hold for programs."""
    return {
        "hold": hold.number,
        "cases": list(hold.cases),
        "too_late": list(hold.too_late),
        "object_store_holds": hold.flagged,
        "trouble": hold.trouble or None,
    }


def say_placed(hold: Placed) -> None:
    """Say what a new hold reaches, and what it came too late for."""
    named = f": {', '.join(hold.cases)}" if hold.cases else ""
    say(f"Hold {hold.number} stands. It reaches {counted(len(hold.cases), 'case')} now{named}")
    for item in hold.too_late:
        say(f"  too late: the destruction of {item} was decided before")
    if hold.trouble:
        say(f"  the object store does not hold them yet: {hold.trouble}", stderr=True)


def data(hold: Hold, now: datetime) -> dict[str, Any]:
    """Give a hold for programs."""
    return {
        "hold": hold.number,
        "demand": hold.demand,
        "standing": hold.standing(now),
        "begins": _text(hold.begins),
        "ends": _text(hold.ends),
        "review_at": _text(hold.review_at),
        "rule": f"{hold.rule}/{hold.version}" if hold.rule else None,
        "source": hold.source,
        "placed_by": hold.placed_by,
        "placed_at": _text(hold.placed_at),
        "release_asked_by": hold.release_asked_by,
        "released_by": hold.released_by,
        "released_at": _text(hold.released_at),
    }


def line(hold: Hold, now: datetime) -> str:
    """Give a hold in one line."""
    if hold.released_at:
        state = f"released by {hold.release_asked_by} and {hold.released_by} at {moment(hold.released_at)}"
    elif hold.ends:
        state = f"{'until' if hold.standing(now) else 'ended'} {moment(hold.ends)}"
    else:
        state = f"until it is released; to be reviewed by {moment(hold.review_at)}"
    asked = f"; {hold.release_asked_by} asks for its release" if hold.release_asked_by and not hold.released_at else ""
    origin = f"demand {hold.demand}" if hold.demand else f"placed by {hold.placed_by}"
    return f"{hold.number:>5}  {origin}; {state}{asked}"


def _text(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else None
