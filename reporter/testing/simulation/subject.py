"""What is explored: one adapter with its double, and how to see what the double holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Filed:
    """One finished report at the double: its reference, its files' bytes, and whether its documents are in order."""

    reference: str
    files: tuple[bytes, ...]
    in_order: bool = True


@dataclass(frozen=True, slots=True)
class Subject:
    """
    One adapter under exploration.

    ``faults`` are lines of the double's fault script without the endpoint, one for each thing that can go wrong with a
    call. ``classes`` holds one of them for each outcome that the engine can tell apart: it sees nothing else of an
    answer, so where several things go wrong in one schedule these stand for all. ``lies`` are faults in which the
    authority states as fact what is not so; they go wrong alone, for no client can be right where it is lied to twice.
    ``expiry`` is longer than any draft lives.
    """

    authority: str
    faults: Sequence[str]
    filed: Callable[[Any], Sequence[Filed]]
    open_drafts: Callable[[Any], Collection[str]]
    classes: Sequence[str] = ()
    lies: frozenset[str] = frozenset()
    expiry: timedelta = timedelta(hours=25)
