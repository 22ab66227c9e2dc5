"""From a case to a form that is filled in, and what the form has no place for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from adapters.handoff.form import Blank, Form
from adapters.handoff.paths import leaves, pattern, select
from reporter.authority import Packaging
from reporter.cases.model import Case

#: What is not said to any authority by its nature: our own bookkeeping, and who told us (law 8).
OURS = (
    "case_version", "confirmation", "detected_by[]", "evidence[].id", "evidence[].path", "evidence[].received_from",
    "evidence[].views[]", "locations[].kind", "people[].id", "people[].roles[]", "people[].role_decision",
    "people[].context",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that stands in a field: its place in the case, and its parts, each with our name for it."""

    place: str
    parts: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """One field with what stands in it."""

    blank: Blank
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """
    A form that is filled in, and the places in the case for which it has no field.

    ``adds_to`` are the receipts of what was reported before, where this is a supplement.
    """

    form: Form
    answers: tuple[Answer, ...]
    left_out: tuple[str, ...]
    adds_to: tuple[str, ...] = ()


def fill(form: Form, case: Case, packaging: Packaging) -> Filled:
    """Fill in the form of any case, ready or not."""
    document = _document(case, packaging)
    taken: set[str] = set()
    answers = []
    for blank in form.fields:
        found = [(place, value) for path in blank.fill for place, value in select(document, path)]
        for place, value in found:
            taken.update(inner for inner, _ in leaves(value, place))
        answers.append(Answer(blank, tuple(_entries(blank, found))))
    supplement = packaging.supplement
    adds_to = tuple(earlier.reference for earlier in supplement.earlier) if supplement else ()
    return Filled(form, tuple(answers), tuple(_left_out(case, taken)), adds_to)


def _document(case: Case, packaging: Packaging) -> dict[str, Any]:
    """Give all that a form may ask for: the case, the facts of its files, who reports, and the form's settings."""
    document = case.model_dump(exclude_none=True)
    for item in document.get("evidence", ()):
        if facts := packaging.evidence.get(item["id"]):
            item |= {"sha256": facts.sha256, "size": facts.size}
    document["organisation"] = packaging.organisation.model_dump(mode="json", exclude_none=True)
    document["settings"] = dict(packaging.settings)
    return document


def _entries(blank: Blank, found: list[tuple[str, Any]]) -> Iterator[Entry]:
    for place, value in found:
        for at, one in _each(place, value):
            parts = tuple((_name(inner), _text(blank, leaf)) for inner, leaf in leaves(one) if leaf != "")
            if parts:
                yield Entry(at, parts)


def _each(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Give the entries of a list one by one."""
    if isinstance(value, list):
        for number, one in enumerate(value):
            yield from _each(f"{place}[{number}]", one)
    else:
        yield place, value


def _name(place: str) -> str:
    return pattern(place).replace("[]", "").replace(".", " ").replace("_", " ")


def _text(blank: Blank, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return blank.words.get(str(value), str(value))


def _left_out(case: Case, taken: set[str]) -> Iterator[str]:
    """Give the first place of each kind for which the form has no field; a notifier is none of its business."""
    notifiers = tuple(
        f"people[{number}]." for number, person in enumerate(case.people or []) if person.roles == ["notifier"]
    )
    seen: set[str] = set()
    for place, value in leaves(case.model_dump(exclude_none=True)):
        if place in taken or value in ({}, [], "") or place == "reference":
            continue
        kind = pattern(place)
        ours = any(kind == name or kind.startswith((f"{name}.", f"{name}[")) for name in OURS)
        if ours or kind in seen or place.startswith(notifiers or ("\0",)):
            continue
        seen.add(kind)
        yield place
