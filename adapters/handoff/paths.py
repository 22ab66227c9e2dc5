"""
Paths into a case document: which of its values a field of a form takes.

``people[suspect].account.id``: names joined by dots; ``[]`` is every entry of a list, ``[a|b]`` those whose ``kind`` is
one of these words or whose ``roles`` hold one. ``evidence[].{size,sha256}`` takes these names of every entry together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_PART = re.compile(r"([a-z_0-9]+)(?:\[([a-z_|]*)\])?")
_PICK = re.compile(r"(.+)\.\{([a-z_0-9,]+)\}")
_INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a path; ``chosen`` is None where the whole value is meant, else the words that entries must have."""

    name: str
    chosen: frozenset[str] | None


def parse(path: str) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """
    Read a path: its steps, and the names that it takes together at their end, if any.

    Raises:
        ValueError: It is none.
    """
    steps = []
    picked = _PICK.fullmatch(path)
    for part in (picked[1] if picked else path).split("."):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{path} is no path")
        words = match[2]
        steps.append(Step(match[1], None if words is None else frozenset(words.split("|")) - {""}))
    return tuple(steps), tuple(picked[2].split(",")) if picked else ()


def select(document: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Give the values that a path names, each with its place in the document; absent ones and empty ones not."""
    steps, names = parse(path)
    for place, value in _select(document, steps, ""):
        if not names:
            yield place, value
        elif found := {name: value[name] for name in names if name in value}:
            yield place, found


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Give the scalars in a value, each with its place."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{place}[{number}]")
    else:
        yield place, value


def pattern(place: str) -> str:
    """Give a place without the numbers in it."""
    return _INDEX.sub("[]", place)


def _select(value: Any, steps: tuple[Step, ...], place: str) -> Iterator[tuple[str, Any]]:
    if not steps:
        if value not in ({}, [], ""):
            yield place, value
        return
    first, *rest = steps
    if not isinstance(value, dict) or first.name not in value:
        return
    inner, place = value[first.name], f"{place}.{first.name}" if place else first.name
    if first.chosen is None:
        yield from _select(inner, tuple(rest), place)
        return
    for number, entry in enumerate(inner):
        if not first.chosen or first.chosen & _words(entry):
            yield from _select(entry, tuple(rest), f"{place}[{number}]")


def _words(entry: Any) -> set[str]:
    return {*entry.get("roles", ()), entry.get("kind", "")} if isinstance(entry, dict) else set()
