"""
The clocks that what was filed, or what came to notice, starts by the rules: pure.

Where nobody knows when exactly something was filed, a floor counts from the latest moment that it can have been, and a
cap from the earliest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reporter.retention.model import Clock, Origin, Part, Side
from reporter.rules.calendar import cap_ends, floor_ends
from reporter.rules.model import Retention, Rule, Start, Verdict

_BY_FILING = (Start.ACCEPTED, Start.REFERENCE, Start.NOTIFIED)


@dataclass(frozen=True, slots=True)
class Filed:
    """
    Something that an authority took: when, at the earliest and at the latest, and by which rules it was told.

    ``rules`` are ids with versions (``us-2258a/2``), empty where none was recorded; ``reference`` is the authority's.
    """

    cause: str
    authority: str
    rules: tuple[str, ...]
    earliest: datetime
    latest: datetime
    reference: str = ""
    environment: str = ""


def clocks_of(rules: Iterable[Rule], filed: Filed) -> list[Clock]:
    """Give the clocks that a filing starts, by the versions of the rules that it was made under."""
    return [
        _clock(rule, retention, filed.cause, filed.earliest, filed.latest)
        for rule in _rules_of(tuple(rules), filed)
        for retention in rule.retentions
        if retention.starts in _BY_FILING
    ]


def clocks_of_case(said: Iterable[tuple[Rule, Sequence[Retention]]], aware_at: datetime) -> list[Clock]:
    """Give the clocks that a case starts by itself, from when the organisation came to know."""
    return [
        _clock(rule, retention, "case", aware_at, aware_at)
        for rule, retentions in said
        for retention in retentions
        if retention.starts is Start.AWARENESS
    ]


def house_clock(since: datetime, days: int, retention: str, words: str) -> Clock:
    """Give the clock of a setting, for what no law speaks of."""
    end = since + timedelta(days=days)
    return Clock(
        Part.MATERIAL, Side.FLOOR, Origin.HOUSE, since, end, "house", 0, retention, f"retention.{retention}", words,
        "setting",
    )  # fmt: skip


def _rules_of(rules: Sequence[Rule], filed: Filed) -> list[Rule]:
    """Give the rules of a filing; a version that is gone is stood in for by what is in force, so that no floor is."""
    day = filed.latest.date()
    now = [rule for rule in rules if rule.in_force(day)]
    if not filed.rules:
        asks = (Verdict.MUST, Verdict.MAY)
        return [r for r in now if r.authority == filed.authority and any(o.verdict in asks for o in r.outcomes)]
    found = []
    for name in filed.rules:
        rule_id, _, version = name.partition("/")
        same = [rule for rule in rules if rule.id == rule_id]
        exact = [rule for rule in same if str(rule.version) == version]
        found += exact or [rule for rule in same if rule in now] or same[-1:]
    return found


def _clock(rule: Rule, retention: Retention, cause: str, earliest: datetime, latest: datetime) -> Clock:
    floor, length = retention.kind == "floor", retention.length
    begins = latest if floor else earliest
    ends = None
    if length is not None:
        ends = floor_ends(begins, length, retention.margin) if floor else cap_ends(begins, length)
    return Clock(
        Part.REFERENCE if retention.what == "reference" else Part.MATERIAL,
        Side(retention.kind), Origin.RULE, begins, ends, rule.id, rule.version, retention.id,
        f"{rule.source.text}, {rule.source.section}", retention.words, cause,
        verified=(retention.mark or rule.source.mark).verified,
    )  # fmt: skip
