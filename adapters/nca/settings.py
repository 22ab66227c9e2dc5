"""
What ``[authority.nca]`` says: the registration with the NCA, who may report, what its interface can be relied on for.

Online Safety (CSEA Content Reporting …) Regulations 2026, SI 2026/268, as quoted by others: a provider registers before
its first report (reg 4(1)) and appoints an organisation administrator and a replacement (reg 5(1), (2)).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reporter.errors import Finding
from reporter.organisation import Organisation

#: For how long before an appointment ends the check-up says so; a choice of ours.
NOTICE = timedelta(days=30)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Appointed(_Section):
    """A person named to the NCA; ``until`` is the last day of the appointment, where one is set."""

    name: str = Field(min_length=1)
    email: str = Field(min_length=3)
    until: date | None = None

    def acts(self, today: date) -> bool:
        """Whether the appointment still stands on that day."""
        return self.until is None or self.until >= today


class Registration(_Section):
    """
    The adapter's keys.

    ``idempotency``: the interface answers a repeated report with the first receipt. ``look_up``: it can be asked for a
    report by our reference. Both are off unless somebody knows better: then a lost answer ends in doubt.
    """

    registration_id: str = ""
    registered_on: date | None = None
    on_behalf_of: str | None = None
    administrator: Appointed | None = None
    replacement: Appointed | None = None
    authorised_persons: tuple[Appointed, ...] = ()
    idempotency: bool = False
    look_up: bool = False

    @property
    def mode(self) -> str:
        """Give how a package is delivered, as it is frozen with it."""
        return "idempotency" if self.idempotency else "look_up" if self.look_up else "ask"

    def role_of(self, emails: list[str], today: date) -> str:
        """Give the role in which somebody with these addresses reports on that day, or nothing."""
        known = {address.casefold() for address in emails}

        def among(people: Iterable[Appointed | None]) -> bool:
            return any(person and person.acts(today) and person.email.casefold() in known for person in people)

        if among((self.administrator, self.replacement)):
            return "organisation_administrator"
        return "authorised_person" if among(self.authorised_persons) else ""


KEYS = frozenset(Registration.model_fields)


def read(settings: Mapping[str, Any]) -> tuple[Registration, list[Finding]]:
    """Read the keys; where one is wrong, give none of them, and what is wrong."""
    try:
        return Registration.model_validate(dict(settings)), []
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        return Registration(), [
            Finding(f"[authority.nca] {'.'.join(str(part) for part in problem['loc'])}", "setting", problem["msg"])
            for problem in problems
        ]


def missing(registration: Registration, organisation: Organisation, today: date) -> Iterator[Finding]:
    """Give what has to be settled before anything can be reported on that day."""
    if not registration.registration_id.strip():
        yield Finding("[authority.nca] registration_id", "required", "missing: register with the NCA first (reg 4(1))")
    if registration.registered_on and registration.registered_on > today:
        yield Finding("[authority.nca] registered_on", "future", "lies ahead; nothing is reported before it (reg 4(1))")
    if registration.administrator is None:
        yield Finding(
            "[authority.nca] administrator", "required", "missing: name the organisation administrator (reg 5(1))"
        )
    person = organisation.reporting_person
    if not person.emails or not person.phones:
        yield Finding("[organisation.reporting_person]", "required", "needs an e-mail address and a telephone number")
    elif not registration.role_of([each.address for each in person.emails], today):
        yield Finding(
            "[organisation.reporting_person]", "authorised",
            "is neither administrator, replacement nor one of authorised_persons in [authority.nca], as of today",
        )  # fmt: skip


def examine(registration: Registration, organisation: Organisation, today: date) -> Iterator[tuple[str, str, str]]:
    """Say of the registration and of those who act under it what is ok, and what is not."""
    for finding in missing(registration, organisation, today):
        yield "nca registration", "fail", f"{finding.path}: {finding.message}"
    registered = registration.registered_on
    if registered is None:
        yield "nca registration", "warn", "[authority.nca] registered_on is not set; note the day of the registration"
    elif registered <= today:
        yield "nca registration", "ok", f"{registration.registration_id or 'without a number'} since {registered}"
    administrator, replacement = registration.administrator, registration.replacement
    if replacement is None:
        yield "nca replacement", "fail", "[authority.nca] replacement is missing; regulation 5 asks for one"
    elif administrator and replacement.email.casefold() == administrator.email.casefold():
        yield "nca replacement", "fail", "[authority.nca] replacement is the administrator; it must be somebody else"
    others = (("authorised person", person) for person in registration.authorised_persons)
    for name, person in (("administrator", administrator), ("replacement", replacement), *others):
        if person and not person.acts(today):
            yield f"nca {name}", "fail", f"the appointment lapsed on {person.until}; appoint another and tell the NCA"
        elif person and person.until and person.until <= today + NOTICE:
            yield f"nca {name}", "warn", f"the appointment ends on {person.until}; appoint another"
        elif person:
            yield f"nca {name}", "ok", person.name
