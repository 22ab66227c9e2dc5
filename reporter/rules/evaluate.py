"""
What the rules say about one case of one organisation on one day: pure, and the same for the same three.

Every obligation names the rule and the version it comes from, and says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from reporter.rules.calendar import add
from reporter.rules.model import Condition, Deadline, Length, Retention, Rule, Start, Urgency, Verdict


@dataclass(frozen=True, slots=True)
class Provider:
    """What rules ask of an organisation."""

    established_in: str
    serves: frozenset[str] = frozenset()
    ncmec_arrangement: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules ask of a case; ``content`` says whether it holds content at all, or only accounts and groups."""

    incident: str
    aware_at: datetime
    content: bool
    urgency: Urgency = "routine"
    uk_linked: bool = False
    private_messages: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """By when: the law's words, the moment that it sets, and the operator's own target where it sets none."""

    words: str
    starts: Start
    law_by: datetime | None
    target_by: datetime | None
    verified: bool

    @property
    def by(self) -> datetime | None:
        """Give the moment to work to: the sooner of the two."""
        return min(filter(None, (self.law_by, self.target_by)), default=None)

    @property
    def by_law(self) -> bool:
        """Whether that moment is the law's; else it is the operator's own target."""
        return self.law_by is not None and self.by == self.law_by


@dataclass(frozen=True, slots=True)
class Obligation:
    """
    What one rule says, and why. ``binding`` is false where the rule is unverified: then it only advises.

    ``instead`` is an authority that may hear of it by other means.
    """

    rule: Rule = field(repr=False)
    verdict: Verdict
    reason: str
    due: Due | None
    instead: str = ""

    @property
    def binding(self) -> bool:
        """Whether the rule may forbid."""
        return self.rule.source.mark.verified

    @property
    def forbids(self) -> bool:
        """Whether nothing may be sent to this authority."""
        return self.verdict is Verdict.MUST_NOT and self.binding

    @property
    def retentions(self) -> tuple[Retention, ...]:
        """Give the clocks that a submission starts; none where there is no submission."""
        return self.rule.retentions if self.verdict in (Verdict.MUST, Verdict.MAY) else ()


#: Where no outcome of a rule fits.
_ELSEWHERE = "The rule does not reach this organisation or this case."


def evaluate(
    rules: Iterable[Rule],
    provider: Provider,
    facts: Facts,
    day: date,
    targets: Mapping[str, Length] | None = None,
) -> tuple[Obligation, ...]:
    """
    Say what every rule in force asks, in the order of the packs.

    Args:
        rules: The rule packs.
        provider: The organisation.
        facts: The case.
        day: The day on which it is asked (UTC).
        targets: The operator's own targets by ``rule`` or ``rule.urgency``, in place of the packs'.
    """
    return tuple(_obligation(rule, provider, facts, targets or {}) for rule in rules if rule.in_force(day))


def _obligation(rule: Rule, provider: Provider, facts: Facts, targets: Mapping[str, Length]) -> Obligation:
    outcome = next((each for each in rule.outcomes if _holds(each.when, provider, facts)), None)
    if outcome is None:
        return Obligation(rule, Verdict.NOT_BOUND, _ELSEWHERE, None)
    asks = outcome.verdict in (Verdict.MUST, Verdict.MAY)
    deadline = next((each for each in rule.deadlines if facts.urgency in each.urgency), None)
    due = _due(rule, deadline, facts, targets) if asks and deadline else None
    return Obligation(rule, outcome.verdict, outcome.reason, due, outcome.instead)


def _due(rule: Rule, deadline: Deadline, facts: Facts, targets: Mapping[str, Length]) -> Due:
    target = targets.get(f"{rule.id}.{facts.urgency}", targets.get(rule.id, deadline.target))
    started = facts.aware_at if deadline.starts is Start.AWARENESS else None
    return Due(
        words=deadline.words,
        starts=deadline.starts,
        law_by=add(started, deadline.within, late=False) if started and deadline.within else None,
        target_by=add(started, target, late=False) if started and target else None,
        verified=(deadline.mark or rule.source.mark).verified,
    )


def _holds(when: Condition, provider: Provider, facts: Facts) -> bool:
    return (
        (not when.established_in or provider.established_in in when.established_in)
        and (not when.established_outside or provider.established_in not in when.established_outside)
        and (not when.serves or bool(provider.serves & set(when.serves)))
        and when.ncmec_arrangement in (None, provider.ncmec_arrangement)
        and when.content in (None, facts.content)
        and when.uk_linked in (None, facts.uk_linked)
        and when.life_at_risk in (None, facts.urgency == "immediate")
        and when.private_messages in (None, facts.private_messages)
        and (not when.incident or facts.incident in when.incident)
    )
