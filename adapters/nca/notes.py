"""
What becomes of the case's fields that no line of the mapping table takes.

They are sent in words, at the end of the summary, unless they are kept here by design. So nothing is dropped (law 12).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from reporter.errors import Finding

#: Fields that by design are no part of a report: decisions made here, or facts that reach it by another way.
KEPT = {
    "case_version": "the version of the document",
    "confirmation.decision": "a decision made here",
    "confirmation.by": "a decision made here",
    "confirmation.at": "a decision made here",
    "detected_by[].person": "a notifier is named in that role only",
    "incident.urgency.assessed_by": "a decision made here",
    "locations[].kind": "the kind of content it becomes, or said in words beside it",
    "people[].role_decision": "a decision made here; roleConfirmedByHuman says that there is one",
    "people[].to_follow": "billing that follows is said to follow",
    "people[].prior_reports[].environment": "checked against the environment of the submission",
    "previous_reports[].environment": "checked against the environment of the submission",
    "evidence[].path": "where the file was handed in",
    "evidence[].sha256": "the address of the file, and one of its hashes",
    "evidence[].to_follow": "metadata that follows is said to follow",
    "evidence[].views": "viewedByReporter comes from the view records alone",
    "uk.declaration.by": "the submission's approvals say who stands behind it",
}
#: Kept as well, but somebody could expect them to be sent, so they are shown.
NOTED = {
    "detected_by[].note": "how the matter came to notice is told by its method; the summary can say more",
    "evidence[].classification": "industry classifications are NCMEC's",
    "people[].context": "the contract takes it from notifiers only",
}
_NOTIFIER = "a notifier who stands in no other role is named by that role alone (law 8)"
_INDEX = re.compile(r"\[\d+\]")


def pattern_of(path: str) -> str:
    """Give a path without its numbers: ``people[].person.age``."""
    return _INDEX.sub("[]", path)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give each value of a document that holds no other, with its path; what is empty is content of its own."""
    if isinstance(value, dict) and value:
        for name, each in value.items():
            yield from leaves(each, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list) and value:
        for number, each in enumerate(value):
            yield from leaves(each, f"{path}[{number}]")
    else:
        yield path, value


def left_out(path: str, notifiers: set[str]) -> tuple[bool, Finding | None]:
    """Say whether a field is left out by design, with the finding that shows it."""
    if path.partition(".")[0] in notifiers:
        return True, Finding(path, "not_sent", f"is not sent: {_NOTIFIER}")
    pattern = pattern_of(path)
    for table, shown in ((KEPT, False), (NOTED, True)):
        for name, reason in table.items():
            if pattern == name or pattern.startswith((f"{name}.", f"{name}[]")):
                return True, Finding(path, "not_sent", f"is not sent: {reason}") if shown else None
    return False, None
