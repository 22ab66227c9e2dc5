"""
What clocks come to: the earliest moment at which something may be destroyed, and the latest at which it may be kept.

``earliest_destroy = max(floors)`` (holds are floors without a known end), ``latest_keep = min(caps)``. Where they cross
nothing happens by itself: a person decides. What nobody has read in the law only advises.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class Part(StrEnum):
    """What a clock is about: what was preserved of a case, or the reference that the authority gave it."""

    MATERIAL = "material"
    REFERENCE = "reference"


class Side(StrEnum):
    """Whether a clock says how long at least (its end is the first moment free of it), or at most (the last moment)."""

    FLOOR = "floor"
    CAP = "cap"


class Origin(StrEnum):
    """Where a clock comes from."""

    RULE = "rule"  # the law, started by an accepted submission or by the case itself
    HOLD = "hold"  # a legal demand, or a hold that somebody here placed
    EXTENSION = "extension"  # kept longer by choice (18 USC 2258A(h)(5))
    HOUSE = "house"  # a setting: what no law speaks of


@dataclass(frozen=True, slots=True)
class Clock:
    """
    One clock. ``ends`` is None where nobody knows the end: until it is released.

    ``rule``, ``version`` and ``retention`` name the rule; ``source`` says where it stands, ``cause`` what started it.
    """

    part: Part
    side: Side
    origin: Origin
    begins: datetime
    ends: datetime | None
    rule: str
    version: int
    retention: str
    source: str
    words: str
    cause: str
    verified: bool = True

    @property
    def binds(self) -> bool:
        """Whether it counts: an unverified cap destroys nothing, while an unverified floor costs nothing but space."""
        return self.verified or self.side is Side.FLOOR

    def over(self, now: datetime) -> bool:
        """Whether its end is past: of a floor once that moment is there, of a cap only after it."""
        return self.ends is not None and (self.ends <= now if self.side is Side.FLOOR else self.ends < now)


class Standing(StrEnum):
    """Where one part of a case stands."""

    UNKNOWN = "unknown"  # no clock says anything: nothing happens by itself
    HELD = "held"  # until somebody releases it
    KEPT = "kept"
    CONFLICT = "conflict"  # one law says keep, another says destroy: a person decides
    DUE = "due"
    OVERDUE = "overdue"  # due, and a law says that it should be gone


@dataclass(frozen=True, slots=True)
class Assessment:
    """
    What the clocks come to. ``earliest_destroy`` is None while a hold has no end, or where no floor is known;
    ``latest_keep`` is None where nothing limits. ``advised_until`` is what unverified caps would have it be.
    """

    standing: Standing
    earliest_destroy: datetime | None
    latest_keep: datetime | None
    advised_until: datetime | None
    clocks: tuple[Clock, ...]

    @property
    def due(self) -> bool:
        """Whether it may be proposed for destruction."""
        return self.standing in (Standing.DUE, Standing.OVERDUE)


def assess(clocks: Iterable[Clock], part: Part, now: datetime) -> Assessment:
    """Say where one part of a case stands at that moment; the order of the clocks does not matter."""
    told = tuple(sorted((clock for clock in clocks if clock.part is part), key=_order))
    floors = [clock for clock in told if clock.side is Side.FLOOR]
    caps = [clock.ends for clock in told if clock.side is Side.CAP and clock.verified and clock.ends]
    advised = [clock.ends for clock in told if clock.side is Side.CAP and not clock.verified and clock.ends]
    latest = min(caps, default=None)
    ends = [clock.ends for clock in floors if clock.ends and not _yields(clock, latest)]
    endless = any(clock.ends is None for clock in floors)
    earliest = None if endless else max(ends, default=latest)
    return Assessment(
        _standing(bool(floors), earliest, latest, now), earliest, latest, min(advised, default=None), told
    )


def stands_against(clocks: Iterable[Clock], now: datetime, *, besides: frozenset[Origin] = frozenset()) -> Clock | None:
    """
    Give the floor that stands longest against destroying what was preserved, or None.

    A house's own clock stands against nothing that people decide; ``besides`` are origins left out too.
    """
    left_out = besides | {Origin.HOUSE}
    standing = [
        clock for clock in clocks
        if clock.part is Part.MATERIAL and clock.side is Side.FLOOR
        and clock.origin not in left_out and not clock.over(now)
    ]  # fmt: skip
    return max(standing, key=lambda clock: clock.ends or _NEVER, default=None)


_NEVER = datetime.max.replace(tzinfo=UTC)


def _order(clock: Clock) -> tuple[Side, datetime, str, str]:
    return clock.side, clock.ends or _NEVER, clock.rule, clock.cause


def _yields(clock: Clock, latest: datetime | None) -> bool:
    """Whether it is a house's own clock that a law's cap comes before: then nothing is in conflict."""
    return clock.origin is Origin.HOUSE and latest is not None and clock.ends is not None and clock.ends > latest


def _standing(floors: bool, earliest: datetime | None, latest: datetime | None, now: datetime) -> Standing:
    past = latest is not None and latest < now
    if not floors:  # a cap alone says when it must be gone, and nothing says that it must be kept
        return Standing.UNKNOWN if latest is None else Standing.OVERDUE if past else Standing.DUE
    if earliest is not None and earliest <= now:
        return Standing.OVERDUE if past else Standing.DUE
    if latest is not None and (earliest is None or earliest > latest):
        return Standing.CONFLICT
    return Standing.HELD if earliest is None else Standing.KEPT
