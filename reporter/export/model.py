"""Plain types of an export: what goes to whom in which envelope, and how far it has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Gives(StrEnum):
    """How much of a case may leave, from nothing to the evidence itself; each includes those before it."""

    NOTHING = "nothing"
    RECORDS = "records"
    CONTENT = "content"

    def covers(self, other: Gives) -> bool:
        """Whether this allows what ``other`` is."""
        order = list(Gives)
        return order.index(self) >= order.index(other)


class Envelope(StrEnum):
    """How a bundle is encrypted to its recipient."""

    OPENPGP = "openpgp"
    CMS = "cms"
    AGE = "age"
    ZIP = "zip"


class State(StrEnum):
    """How far an export has come."""

    ASKED = "asked"
    APPROVED = "approved"
    SEALED = "sealed"
    WRITTEN = "written"
    RECEIVED = "received"
    WITHDRAWN = "withdrawn"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Redaction(_Part):
    """A value of the case document that is replaced by the reason why."""

    path: str = Field(min_length=1, max_length=300)
    reason: str = Field(min_length=3, max_length=2000)


class Withheld(_Part):
    """A document as it was sent, or received, that is left out; a note with its digest stands in its place."""

    document: str = Field(min_length=1, max_length=300)
    reason: str = Field(min_length=3, max_length=2000)


class Scope(_Part):
    """
    What leaves: ``content`` names items whose bytes do, ``fields`` are paths into the case document, ``submissions``
    are authorities whose documents as sent do. ``whole_case`` says why all there is must leave.
    """

    content: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    submissions: tuple[str, ...] = ()
    redact: tuple[Redaction, ...] = ()
    withhold: tuple[Withheld, ...] = ()
    whole_case: str = Field(default="", max_length=2000)

    @property
    def needs(self) -> Gives:
        """How much of a case this takes."""
        return Gives.CONTENT if self.content else Gives.RECORDS


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom it goes to: a class of the rules, in which envelope, and the fingerprint of the key that opens it."""

    kind: str
    envelope: Envelope
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """One encrypted bundle that was written: its digest and size in bytes, and when its recipient confirmed it."""

    at: datetime
    by: str
    sha256: str
    size: int
    received_at: datetime | None = None
    received_by: str | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """
    One export on record; what it says in words is sealed.

    ``digest`` is what people approve. ``checkpoint`` is how many events of the custody log it is pinned to,
    ``stamped_at`` what the time-stamp on its seal says, None where there is none.
    """

    id: str
    reference: str
    demand: int
    recipient: Recipient
    content: bool
    digest: str
    asked_at: datetime
    asked_by: str
    approved_at: datetime | None = None
    approved_by: str | None = None
    sealed_at: datetime | None = None
    checkpoint: int | None = None
    stamped_at: datetime | None = None
    size: int | None = None
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None
    copies: tuple[Copy, ...] = ()

    @property
    def name(self) -> str:
        """Give the name of its bag."""
        return f"CASE-{self.reference}-{self.id}"

    @property
    def state(self) -> State:
        """How far it has come."""
        if self.withdrawn_at:
            return State.WITHDRAWN
        if any(copy.received_at for copy in self.copies):
            return State.RECEIVED
        if self.copies:
            return State.WRITTEN
        if self.sealed_at:
            return State.SEALED
        return State.APPROVED if self.approved_at else State.ASKED


#: Hears how far a long stage is: its name, bytes done, bytes in all.
Progress = Callable[[str, int, int], None]


def unheard(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def told(export: Export) -> dict[str, Any]:
    """Give an export as JSON."""
    return {
        "id": export.id,
        "reference": export.reference,
        "state": export.state.value,
        "demand": export.demand,
        "recipient": export.recipient.kind,
        "envelope": export.recipient.envelope.value,
        "key": export.recipient.fingerprint,
        "content": export.content,
        "digest": export.digest,
        "asked": _by(export.asked_by, export.asked_at),
        "approved": _by(export.approved_by, export.approved_at),
        "withdrawn": _by(export.withdrawn_by, export.withdrawn_at),
        "sealed_at": _text(export.sealed_at),
        "checkpoint": export.checkpoint,
        "stamped_at": _text(export.stamped_at),
        "size": export.size,
        "copies": [
            {
                "sha256": copy.sha256,
                "size": copy.size,
                "written": _by(copy.by, copy.at),
                "received": _by(copy.received_by, copy.received_at),
            }
            for copy in export.copies
        ],
    }


def _by(who: str | None, at: datetime | None) -> dict[str, str | None] | None:
    return {"by": who, "at": _text(at)} if at else None


def _text(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else None
