"""What a form asks and the case does not say, what it cannot carry, and what it does not ask for."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from adapters._notifier import second_human
from adapters.handoff.filling import Answer, Filled
from adapters.handoff.form import Form
from reporter.cases.model import Case
from reporter.errors import Finding

#: Schemes that name a place; others, such as ``data:``, may carry what lies there.
_PLACES = frozenset({"http", "https", "ftp", "ftps"})


def needs(filled: Filled, case: Case) -> Iterator[Finding]:
    """Give what stops the submission, by case path."""
    yield from _people(filled.form, case)
    for answer in filled.answers:
        yield from _answer(answer)


def notes(filled: Filled) -> Iterator[Finding]:
    """Give what is left out, and what nobody has verified."""
    form = filled.form
    for place in filled.left_out:
        yield Finding(place, "not_sent", "is not sent: the form has no field for it")
    if unverified := [answer.blank.id for answer in filled.answers if answer.blank.unverified]:
        yield Finding(
            "", "unverified", f"no source says how {form.title} words or orders these fields: {', '.join(unverified)}"
        )
    if not form.source.verified:
        yield Finding("", "unverified", f"the form is not from {form.title}'s own words; ask counsel")


def _people(form: Form, case: Case) -> Iterator[Finding]:
    """A notifier is named in another role only by a second human's decision (law 8)."""
    for index, person in enumerate(case.people or []):
        roles = set(person.roles)
        if "notifier" in roles and roles & form.names:
            yield from second_human(case, person, f"people[{index}]")


def _answer(answer: Answer) -> Iterator[Finding]:
    blank = answer.blank
    path = blank.fill[0]
    if blank.required and not answer.entries:
        yield Finding(path, "required", f"missing; the form asks for it ({blank.id})")
    if blank.max_entries is not None and len(answer.entries) > blank.max_entries:
        yield Finding(path, "too_many", f"more than {blank.max_entries}, which is what the form takes ({blank.id})")
    for entry in answer.entries:
        length = sum(len(text) for _, text in entry.parts)
        if blank.max_chars is not None and length > blank.max_chars:
            yield Finding(entry.place, "too_long", f"longer than {blank.max_chars} characters ({blank.id})")
        if blank.addresses and not all(_is_address(text) for _, text in entry.parts):
            yield Finding(
                entry.place, "address", "not an Internet address (IP, http, https or ftp); the form takes nothing else"
            )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        pass
    else:
        return True
    try:
        parts = urlsplit(text)
        return parts.scheme in _PLACES and bool(parts.hostname) and text.isprintable() and " " not in text
    except ValueError:
        return False
