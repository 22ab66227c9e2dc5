"""Where two case documents differ: by path, never by value."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from reporter.cases.reader import name_in
from reporter.errors import Finding

_MISSING = object()


def differences(old: Any, new: Any, path: str = "") -> Iterator[Finding]:
    """Give every path at which ``new`` differs from ``old`` (plain JSON values), in the order of the documents."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(name for name in new if name not in old)]:
            yield from differences(old.get(name, _MISSING), new.get(name, _MISSING), name_in(path, name))
    elif isinstance(old, list) and isinstance(new, list):
        for index, was, now in _paired(old, new):
            yield from differences(was, now, f"{path}[{index}]")
        if _ids(old) and _ids(old) != _ids(new) and set(_ids(old)) == set(_ids(new)):
            yield Finding(path, "order", "stands in another order than on record")
    elif new is _MISSING:
        yield Finding(path, "removed", "is on record, and not in this document")
    elif old is _MISSING:
        yield Finding(path, "added", "is in this document, and not on record")
    elif old != new or isinstance(old, bool) is not isinstance(new, bool):
        yield Finding(path, "changed", "differs from what is on record")


def _paired(old: list[Any], new: list[Any]) -> Iterator[tuple[int, Any, Any]]:
    """Pair the entries of two lists by their ids, where they have any, else by position."""
    names, others = _ids(old), _ids(new)
    if names and others:
        known, given = dict(zip(names, old, strict=True)), dict(zip(others, new, strict=True))
        for index, (name, entry) in enumerate(given.items()):
            yield index, known.get(name, _MISSING), entry
        for index, (name, entry) in enumerate(known.items()):
            if name not in given:
                yield index, entry, _MISSING
    else:
        for index, (was, now) in enumerate(zip_longest(old, new, fillvalue=_MISSING)):
            yield index, was, now


def _ids(entries: list[Any]) -> list[str]:
    """Give the ids of a list of people or of evidence; none where an entry lacks one or two share one."""
    ids: list[str] = [entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
    return ids if len(set(ids)) == len(entries) else []


def only_adds_views(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether ``new`` says what ``old`` says, and at most that somebody looked at evidence since."""
    return (
        not any(differences(_without_views(old), _without_views(new)))
        and len(old.get("evidence", [])) == len(new.get("evidence", []))
        and all(
            _contains(after.get("views", []), before.get("views", []))
            for before, after in zip(old.get("evidence", []), new.get("evidence", []), strict=True)
        )
    )


def _without_views(document: dict[str, Any]) -> dict[str, Any]:
    items = [{name: value for name, value in item.items() if name != "views"} for item in document.get("evidence", [])]
    return {**document, "evidence": items} if "evidence" in document else document


def _contains(views: list[Any], those: list[Any]) -> bool:
    left = list(views)
    for view in those:
        if view not in left:
            return False
        left.remove(view)
    return True
