"""Where two case documents differ: by path, never by value."""

from __future__ import annotations

from collections.abc import Iterator
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
        for index in range(max(len(old), len(new))):
            was, now = (entries[index] if index < len(entries) else _MISSING for entries in (old, new))
            yield from differences(was, now, f"{path}[{index}]")
    elif new is _MISSING:
        yield Finding(path, "removed", "is on record, and not in this document")
    elif old is _MISSING:
        yield Finding(path, "added", "is in this document, and not on record")
    elif old != new or isinstance(old, bool) is not isinstance(new, bool):
        yield Finding(path, "changed", "differs from what is on record")


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
