"""A notifier is not a suspect (law 8): what every authority's adapter asks before one is named in another role."""

from __future__ import annotations

from collections.abc import Iterator

from reporter.cases.model import Case
from reporter.cases.people import InvolvedPerson
from reporter.errors import Finding


def second_human(case: Case, person: InvolvedPerson, path: str) -> Iterator[Finding]:
    """Give what lacks of the second human's decision, in words, that a notifier stands in another role too."""
    decision = person.role_decision
    if decision is None:
        yield Finding(
            f"{path}.role_decision", "required", "missing; a notifier in another role needs a second human's decision"
        )
        return
    if not decision.reason.strip():
        yield Finding(f"{path}.role_decision.reason", "not_blank", "blank")
    if decision.by.strip().casefold() == case.confirmation.by.strip().casefold() or not decision.by.strip():
        yield Finding(
            f"{path}.role_decision.by", "second_human", "not another human than the one who confirmed the case"
        )
