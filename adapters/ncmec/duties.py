"""What a case must settle before it can be a CyberTipline report: who stands where, and which files go with it."""

from __future__ import annotations

from collections.abc import Iterator

from reporter.authority import Environment, Packaging
from reporter.cases.model import Case
from reporter.cases.people import Prior
from reporter.errors import Finding

#: Roles that have an element in the report.
SENT_ROLES = frozenset({"suspect", "intended_recipient", "victim"})


def check(case: Case, packaging: Packaging) -> Iterator[Finding]:
    """Give what stops the report, by case path."""
    yield from _people(case)
    yield from _priors(case, packaging.environment)
    yield from _supplement(case, packaging)
    yield from _urgency(case)
    yield from _evidence(case, packaging)


def notes(case: Case) -> Iterator[Finding]:
    """Give what is left out on purpose and somebody could miss."""
    urgency = case.incident.urgency
    if urgency and urgency.level != "immediate":
        yield Finding("incident.urgency", "not_sent", "is not sent: NCMEC takes an immediate urgency alone")
    for path, prior in _all_priors(case):
        if prior.authority != "ncmec":
            yield Finding(path, "not_sent", "is not sent: it is a report to another authority")


def _people(case: Case) -> Iterator[Finding]:
    for index, person in enumerate(case.people or []):
        roles, path = set(person.roles), f"people[{index}]"
        if roles == {"notifier"}:
            continue
        if not roles & SENT_ROLES:
            yield Finding(
                f"{path}.roles", "role", "no role that NCMEC has an element for: suspect, victim, intended_recipient"
            )
    suspects = case.people_in("suspect")
    if case.incident.batch is None:
        for index, _ in suspects[1:]:
            yield Finding(
                f"people[{index}].roles",
                "one_suspect",
                "a second suspect; a report names one: carry the others as associated_accounts, or split the case",
            )


def _all_priors(case: Case) -> Iterator[tuple[str, Prior]]:
    for index, previous in enumerate(case.previous_reports or []):
        yield f"previous_reports[{index}]", previous
    for place, person in enumerate(case.people or []):
        if not set(person.roles) & SENT_ROLES:
            continue
        for index, prior in enumerate(person.prior_reports or []):
            yield f"people[{place}].prior_reports[{index}]", prior
        for number, account in enumerate(person.associated_accounts or []):
            for index, prior in enumerate(account.prior_reports or []):
                yield f"people[{place}].associated_accounts[{number}].prior_reports[{index}]", prior


def _priors(case: Case, environment: Environment) -> Iterator[Finding]:
    for path, prior in _all_priors(case):
        if prior.authority != "ncmec":
            continue
        if environment is not Environment.SANDBOX and prior.environment != environment.value:
            yield Finding(
                f"{path}.environment",
                "environment",
                f"not {environment.value}; test and production know only their own reports",
            )
    reported = bool(case.people_in("suspect"))
    for index, previous in enumerate(case.previous_reports or []):
        if previous.authority != "ncmec":
            continue
        if case.incident.batch is not None:
            yield Finding(f"previous_reports[{index}]", "batch", "not allowed in a batched report")
        elif not reported:
            yield Finding(f"previous_reports[{index}]", "reported_person", "cannot be named without a suspect")


def _supplement(case: Case, packaging: Packaging) -> Iterator[Finding]:
    """A further report names those before it under the reported person: nowhere else is there an element for them."""
    if packaging.supplement is None:
        return
    if case.incident.batch is not None:
        yield Finding("supplement", "batch", "a batched report cannot name the one that it adds to")
    elif not case.people_in("suspect"):
        yield Finding("supplement", "reported_person", "cannot name the report that it adds to without a suspect")


def _urgency(case: Case) -> Iterator[Finding]:
    urgency = case.incident.urgency
    if urgency and urgency.level == "immediate" and not (urgency.reason or "").strip():
        yield Finding("incident.urgency.reason", "required", "missing; an immediate urgency is sent with its reason")


def _evidence(case: Case, packaging: Packaging) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for index, item in enumerate(case.evidence or []):
        path = f"evidence[{index}]"
        facts = packaging.evidence.get(item.id)
        if item.id in seen:
            yield Finding(f"{path}.id", "unique", f"the same as evidence[{seen[item.id]}].id")
        seen.setdefault(item.id, index)
        if packaging.supplement and packaging.supplement.has(item):
            continue
        if facts is None or item.path is None or item.sha256 is None:
            yield Finding(f"{path}.path", "file", "the file is not sealed here yet; hand it in with case revise")
        elif facts.size == 0:
            yield Finding(f"{path}.path", "empty_file", "the file is empty (0 bytes)")
