"""Which authorities a case goes to, and why: the rules of the day, asked about this organisation and this case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from reporter.cases.locations import Location
from reporter.cases.model import Case
from reporter.cases.scalars import instant
from reporter.config import Configuration
from reporter.errors import PolicyError
from reporter.organisation import Organisation
from reporter.rules.evaluate import Facts, Obligation, Provider, evaluate
from reporter.rules.model import Length, Rule, Start, Telephone, Verdict
from reporter.rules.reading import shipped
from reporter.rules.targets import TELEPHONE, require_targets

_WHY = "Why: reporter case check"
_ASKING = (Verdict.MUST, Verdict.MAY)
#: Locations that hold content in themselves: words, addresses of content, names of files.
_CONTENT = ("content", "urls", "file_names")
_PRIVATE = frozenset({"chat", "email"})


@dataclass(frozen=True, slots=True)
class Route:
    """What every rule says of one case."""

    obligations: tuple[Obligation, ...]

    def goes_to(self, authorities: Iterable[str]) -> list[str]:
        """Give those that must be told; one that no rule knows is told because it is configured."""
        return [name for name in authorities if not (said := self.of(name)) or _any(said, Verdict.MUST)]

    def addressed(self, configured: Iterable[str], authority: str | None) -> list[str]:
        """
        Give whom an approval is for: the authority that is named, or every configured one that must be told.

        Raises:
            PolicyError: A verified rule forbids the one named, or none has to be told.
        """
        names = list(configured)
        if authority is not None:
            if refusal := self.forbidden(authority):
                raise PolicyError(f"{refusal.rule.id}: {refusal.reason}", next_step=_WHY)
            return [authority]
        if told := self.goes_to(names):
            return told
        may = ", ".join(name for name in names if self.concerns(name))
        raise PolicyError(
            "No rule asks for a report to a configured authority.",
            next_step=f"It may go by choice, with --to ({may}). {_WHY}" if may else _WHY,
        )

    def concerns(self, authority: str) -> bool:
        """Whether the authority may be told at all, or no rule knows it."""
        said = self.of(authority)
        return not said or any(each.verdict in _ASKING for each in said)

    def forbidden(self, authority: str) -> Obligation | None:
        """Give the rule that forbids to tell it, unless another rule asks for it."""
        said = self.of(authority)
        return None if _any(said, Verdict.MUST) else next((each for each in said if each.forbids), None)

    def of(self, authority: str) -> list[Obligation]:
        """Give what the rules say of one authority."""
        return [each for each in self.obligations if each.rule.authority == authority]

    def grounds(self, authority: str) -> str:
        """Give the rules, with their versions, on which it is told; empty where none knows it."""
        return " ".join(f"{each.rule.id}/{each.rule.version}" for each in self.of(authority) if each.verdict in _ASKING)


@dataclass(frozen=True, slots=True)
class Router:
    """Asks the rule packs; ``targets`` are the operator's own, by rule and urgency."""

    rules: Sequence[Rule]
    organisation: Organisation
    targets: Mapping[str, Length] = field(default_factory=dict)

    def route(self, case: Case, day: date) -> Route:
        """Say where a case goes on that day (UTC)."""
        provider = Provider(
            self.organisation.established_in, frozenset(self.organisation.serves), self.organisation.ncmec_arrangement
        )
        return Route(evaluate(self.rules, provider, facts(case), day, self.targets))

    def verified(self) -> dict[str, bool]:
        """Say of each rule, and of what it says on telephoning, whether it was read in the law's own words."""
        said = {f"{rule.id}/{rule.version}": rule.source.mark.verified for rule in self.rules}
        return said | {telephone_rule(rule): rule.telephone.mark.verified for rule in self.rules if rule.telephone}

    def served(self, authority: str, day: date) -> Iterator[tuple[Rule, Length]]:
        """Give the rules by which an authority's own request has a clock on that day, from when it is received."""
        for rule in self.rules:
            for each in rule.deadlines:
                if rule.authority == authority and each.starts is Start.SERVED and each.within and rule.in_force(day):
                    yield rule, each.within

    def telephone(self, authority: str, day: date) -> tuple[Rule, Telephone, Length] | None:
        """Give the rule that asks to telephone an authority as well on that day, and how soon after the duty arises."""
        for rule in self.rules:
            if rule.authority == authority and rule.telephone and rule.in_force(day):
                return rule, rule.telephone, self.targets.get(f"{rule.id}.{TELEPHONE}", rule.telephone.target)
        return None


def telephone_rule(rule: Rule) -> str:
    """Name what a rule says on telephoning, whose source is another than the rule's own."""
    return f"{rule.id}/{rule.version}/telephone"


def router(configuration: Configuration) -> Router:
    """
    Give the router of a home: the rules that come with the program, and its own targets.

    Raises:
        ConfigurationError: A target is none that a rule has room for.
    """
    rules = shipped()
    targets = {
        f"{rule}.{urgency}": length
        for rule, section in configuration.targets.items()
        for urgency, length in section
        if length is not None
    }
    require_targets(rules, targets)
    return Router(rules, configuration.organisation, targets)


def facts(case: Case) -> Facts:
    """
    Give what the rules ask of a case. Text is content; an account or a group without any is not.

    The address of an account that the case names, and the papers of who holds it, are no content either.
    """
    locations, people = case.locations or [], case.people or []
    papers = {item for person in people for item in person.identity_documents or []}
    profiles = {url for person in people if person.account for url in person.account.profile_urls or []}
    urgency = case.incident.urgency
    return Facts(
        incident=case.incident.type,
        aware_at=instant(case.detected_at),
        content=any(item.id not in papers for item in case.evidence or [])
        or any(said.strip() for place in locations for said in _said(place) if said not in profiles),
        urgency=urgency.level if urgency else "routine",
        uk_linked=any(link.evidence.strip() for link in (case.uk and case.uk.links) or []),
        private_messages=any(place.kind in _PRIVATE for place in locations),
    )


def _said(place: Location) -> Iterator[str]:
    """Give what a location holds of content."""
    for name in _CONTENT:
        value = getattr(place, name, None) or ()
        yield from (value,) if isinstance(value, str) else value


def _any(said: Iterable[Obligation], verdict: Verdict) -> bool:
    return any(each.verdict is verdict for each in said)
