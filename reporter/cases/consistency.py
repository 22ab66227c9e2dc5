"""
Holding a case document against itself: what its shape alone cannot say.

The checks read plain JSON values and pass over what has the wrong shape, so that one run lists every problem.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from reporter.cases.scalars import instant
from reporter.errors import Finding

#: How far another machine's clock may be ahead of ours; a choice of ours.
CLOCK_SKEW = timedelta(minutes=5)
#: Ids stand in the database, in file lists and on screens; a bound of ours.
MAX_ID_LENGTH = 128


def inconsistencies(document: dict[str, Any], now: datetime) -> Iterator[Finding]:
    """Give what contradicts itself, names what is not there, or tells of our own doings in the future."""
    for group in ("people", "evidence"):
        yield from _ids(document, group)
    yield from _references(document)
    yield from _files(document)
    for path, moment in _our_moments(document):
        if _is_after(moment, now + CLOCK_SKEW):
            yield Finding(path, "future", "lies in the future")


def _ids(document: dict[str, Any], group: str) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for path, entry in _objects(document, group):
        name = entry.get("id")
        if not isinstance(name, str):
            continue
        yield from _printable(f"{path}.id", name)
        if name in first:
            yield Finding(f"{path}.id", "unique", f"is the id of {first[name]} already")
        first.setdefault(name, path)


def _printable(path: str, name: Any) -> Iterator[Finding]:
    if isinstance(name, str) and not (0 < len(name) <= MAX_ID_LENGTH and name.isprintable()):
        yield Finding(path, "printable", f"must be 1 to {MAX_ID_LENGTH} printable characters")


def _references(document: dict[str, Any]) -> Iterator[Finding]:
    people = {name for _, person in _objects(document, "people") if isinstance(name := person.get("id"), str)}
    named: list[tuple[str, Any]] = [
        (f"{path}.person", entry.get("person")) for path, entry in _objects(document, "detected_by")
    ]
    for path, item in _objects(document, "evidence"):
        named.append((f"{path}.received_from", item.get("received_from")))
        for field in ("uploaded_by", "created_by", "shared_by"):
            names = item.get(field)
            if isinstance(names, list):
                named += [(f"{path}.{field}[{index}]", name) for index, name in enumerate(names)]
    for path, name in named:
        if isinstance(name, str) and name not in people:
            yield Finding(path, "reference", "names nobody of people[].id")


def _files(document: dict[str, Any]) -> Iterator[Finding]:
    confirmation = document.get("confirmation")
    pending = isinstance(confirmation, dict) and confirmation.get("decision") == "pending"
    for path, item in _objects(document, "evidence"):
        for field in ("path", "sha256"):
            if field not in item and not pending:
                yield Finding(f"{path}.{field}", "required", "is required, unless the case is pending")
        for place, view in _objects(item, "views"):
            yield from _printable(f"{path}.{place}.by", view.get("by"))


def _our_moments(document: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the moments at which we, not the people of the case, did something."""
    yield "detected_at", document.get("detected_at")
    for path, entry in _objects(document, "detected_by"):
        yield f"{path}.at", entry.get("at")
    confirmation = document.get("confirmation")
    if isinstance(confirmation, dict):
        yield "confirmation.at", confirmation.get("at")
    for path, item in _objects(document, "evidence"):
        for place, view in _objects(item, "views"):
            yield f"{path}.{place}.at", view.get("at")


def _is_after(moment: Any, limit: datetime) -> bool:
    try:
        return isinstance(moment, str) and instant(moment) > limit
    except (ValueError, OverflowError):  # not a timestamp: found where the shape is checked
        return False


def _objects(parent: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    entries = parent.get(name)
    if isinstance(entries, list):
        for index, entry in enumerate(entries):
            if isinstance(entry, dict):
                yield f"{name}[{index}]", entry
