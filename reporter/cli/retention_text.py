"""How retention is shown."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from reporter.cli.output import moment, say

if TYPE_CHECKING:
    from reporter.retention.clocks import Kept
    from reporter.retention.model import Clock

_STANDINGS = {
    "unknown": "no clock says how long it is kept; nothing happens by itself",
    "held": "held until it is released",
    "kept": "kept",
    "conflict": "CONFLICT: one law says keep, another says destroy; a person decides",
    "due": "due: nothing keeps it any more",
    "overdue": "OVERDUE: nothing keeps it any more, and a law says that it should be gone",
}


def summary(kept: Kept) -> dict[str, Any]:
    """Give in short how long a case is kept, for programs."""
    return {
        "standing": kept.material.standing.value,
        "earliest_destroy": text(kept.material.earliest_destroy),
        "latest_keep": text(kept.material.latest_keep),
        "advised_until": text(kept.material.advised_until),
        "due": kept.due,
        "owed": list(kept.owed),
        "conflict_decided_until": text(kept.decided_until),
        "holds": [hold.number for hold in kept.holds],
    }


def data(kept: Kept) -> dict[str, Any]:
    """Give all of it, for programs."""
    return {
        "reference": kept.reference,
        **summary(kept),
        "receipts": {
            "standing": kept.receipts.standing.value,
            "earliest_destroy": text(kept.receipts.earliest_destroy),
        },
        "clocks": [_clock(clock) for clock in (*kept.material.clocks, *kept.receipts.clocks)],
    }


def say_summary(found: dict[str, Any]) -> None:
    """Say in two lines how long a case is kept."""
    until = f" until {found['earliest_destroy']}" if found["standing"] == "kept" else ""
    say(f"Retention: {_STANDINGS[found['standing']]}{until}")
    if found["holds"]:
        say(f"  holds: {', '.join(map(str, found['holds']))}")


def say_kept(kept: Kept) -> None:
    """Say how long a case is kept, with every clock."""
    say(f"Case {kept.reference}: {_STANDINGS[kept.material.standing.value]}")
    if kept.material.earliest_destroy:
        say(f"  destroyed at the earliest: {moment(kept.material.earliest_destroy)}")
    if kept.material.latest_keep:
        say(f"  kept at the latest until:  {moment(kept.material.latest_keep)}")
    if kept.material.advised_until:
        say(f"  an unverified rule would have it gone after {moment(kept.material.advised_until)}: ask your counsel")
    if kept.decided_until:
        say(f"  somebody decided the conflict; it comes up again on {moment(kept.decided_until)}")
    if kept.owed:
        say(f"  not proposed for destruction: {', '.join(kept.owed)} must still be told")
    for clock in kept.material.clocks:
        say(f"  {_line(clock)}")
    if kept.receipts.clocks:
        say("The authority's reference, as a record of its own:")
    for clock in kept.receipts.clocks:
        say(f"  {_line(clock)}")


def text(at: datetime | None) -> str | None:
    """Give an instant for programs."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def _clock(clock: Clock) -> dict[str, Any]:
    return {
        "part": clock.part.value,
        "side": clock.side.value,
        "origin": clock.origin.value,
        "begins": text(clock.begins),
        "ends": text(clock.ends),
        "rule": f"{clock.rule}/{clock.version}" if clock.version else clock.rule,
        "retention": clock.retention,
        "verified": clock.verified,
        "source": clock.source,
        "words": clock.words,
        "cause": clock.cause,
    }


def _line(clock: Clock) -> str:
    side = "at least until" if clock.side == "floor" else "at most until"
    end = moment(clock.ends) if clock.ends else "it is released"
    rule = f"{clock.rule}/{clock.version}" if clock.version else clock.rule
    advice = "" if clock.verified else " (unverified)"
    return f"{side} {end}: {rule} {clock.retention}{advice}, {clock.cause}. {clock.source}: {clock.words}"
