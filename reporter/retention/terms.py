"""How long a demand holds, by the rules: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from reporter.retention.demand import DemandKind
from reporter.rules.calendar import floor_ends
from reporter.rules.model import Retention, Rule

#: The rule and the clock of it that sets how long a kind holds; every other kind holds until it is released.
_SET_BY = {
    DemandKind.PRESERVATION_LETTER: ("us-2703f", "us-2703f-90"),
    DemandKind.EU_PRESERVATION_ORDER: ("eu-eevid-preservation", "eu-eevid-60"),
}
_UNTIL_RELEASED = "a demand, until it is released in writing"


@dataclass(frozen=True, slots=True)
class Term:
    """
    How long a hold stands: until ``ends``, or where that is None until it is released.

    ``advised`` is the end that a rule names which nobody has read in the law: it lets nothing be destroyed.
    """

    ends: datetime | None
    advised: datetime | None
    rule: str
    version: int
    retention: str
    source: str

    @property
    def renewable(self) -> bool:
        """Whether a rule knows of renewals."""
        return bool(self.rule)


def term(rules: Iterable[Rule], kind: DemandKind, served_at: datetime) -> Term:
    """Give how long a demand of that kind holds, by the rule in force when it was served."""
    found = _rule(rules, kind, served_at)
    if found is None:
        return Term(None, None, "", 0, "", _UNTIL_RELEASED)
    rule, retention = found
    end = floor_ends(served_at, retention.length) if retention.length else None
    verified = (retention.mark or rule.source.mark).verified
    source = f"{rule.source.text}, {rule.source.section}"
    return Term(end if verified else None, None if verified else end, rule.id, rule.version, retention.id, source)


def renewed(rules: Iterable[Rule], kind: DemandKind, standing: Term, requested_at: datetime) -> Term:
    """
    Give how long it holds once a request was renewed: its length more, from its end, or from the request if it lapsed.

    It never ends sooner than it did, whatever rule is in force by then.
    """
    found = _rule(rules, kind, requested_at)
    length = (found[1].renewable or found[1].length) if found else None
    if length is None:
        return standing
    requested_at = requested_at.astimezone(UTC)

    def later(end: datetime | None) -> datetime | None:
        return max(end, floor_ends(max(end, requested_at), length)) if end else None

    return replace(standing, ends=later(standing.ends), advised=later(standing.advised))


def _rule(rules: Iterable[Rule], kind: DemandKind, at: datetime) -> tuple[Rule, Retention] | None:
    if kind not in _SET_BY:
        return None
    wanted, clock = _SET_BY[kind]
    day = at.astimezone(UTC).date()
    for rule in rules:
        if rule.id == wanted and rule.in_force(day):
            return next(((rule, each) for each in rule.retentions if each.id == clock), None)
    return None
