"""Plain types of the cases room: what is on record, and what became of something handed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from reporter.authority import EvidenceFacts
from reporter.cases.model import Case
from reporter.errors import Finding
from reporter.evidence.model import Look

#: The commands by which a case, as a revision of it has it, is handed in or confirmed; whoever runs one prepares it.
PREPARES = ("case add", "case revise", "case confirm", "case import")


class CaseState(StrEnum):
    """Where a case stands; only ``CONFIRMED`` is ever sent."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    CLOSED = "closed"
    DESTROYED = "destroyed"


class Outcome(StrEnum):
    """What became of a document handed in."""

    ADDED = "added"
    UNCHANGED = "unchanged"
    VIEWS_ADDED = "views_added"
    REVISED = "revised"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Revision:
    """One document of a case: who handed it in or made it, when, and the digest of its canonical form."""

    number: int
    state: CaseState
    digest: str
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StoredCase:
    """A case as its latest revision has it; ``prepared_by`` is who handed in or confirmed that revision."""

    reference: str
    state: CaseState
    revision: int
    prepared_by: str
    created_at: datetime
    digest: str
    case: Case = field(repr=False)
    raw: dict[str, Any] = field(repr=False)
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """A line of the list of cases."""

    reference: str
    state: CaseState
    revision: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """
    What became of a document handed in.

    ``sealed`` items and ``views`` are counted as far as they are new; ``sources`` says how many copies of evidence are
    still where they were, ``removed`` how many were removed; ``waiting`` names the items that have no file yet.
    """

    reference: str
    outcome: Outcome
    state: CaseState
    revision: int
    sealed: int = 0
    views: int = 0
    sources: int = 0
    removed: int = 0
    waiting: tuple[str, ...] = ()
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseDescription:
    """
    What is on record of a case besides what it says: its revisions, and of each item facts, views and claims.

    ``destroyed`` holds the items that are no more, each with the id of its certificate.
    """

    stored: StoredCase
    revisions: Sequence[Revision]
    facts: Mapping[str, EvidenceFacts]
    views: Mapping[str, Sequence[Look]]
    claims: Mapping[str, Mapping[str, bool]]
    destroyed: Mapping[str, str]
