"""Plain types of alarms. Nothing in them is content or personal data: kinds, references, ids, times, commands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


class Kind(StrEnum):
    """What a person must hear of."""

    IN_DOUBT = "in_doubt"
    ATTENTION = "attention"
    REJECTED = "rejected"
    CONTRADICTED = "contradicted"
    UNANSWERED = "unanswered"
    LANE_PAUSED = "lane_paused"
    URGENT_UNDELIVERED = "urgent_undelivered"
    CIRCUIT_OPEN = "circuit_open"
    WORKER_SILENT = "worker_silent"
    QUARANTINE = "quarantine"
    EVIDENCE_DAMAGED = "evidence_damaged"
    DESTRUCTION_UNFINISHED = "destruction_unfinished"
    LOG_BROKEN = "log_broken"
    JOB_FAILED = "job_failed"
    PEOPLE_FORGED = "people_forged"
    RETENTION_CONFLICT = "retention_conflict"
    CREDENTIAL_EXPIRES = "credential_expires"
    BREAK_GLASS = "break_glass"
    TASK_DUE = "task_due"
    TASK_OVERDUE = "task_overdue"
    TEST = "test"


_CALLS = "reporter delivery show {reference}"
#: For each kind, what it says and the next command to run.
_WORDS = {
    Kind.IN_DOUBT: ("nobody can know whether the authority filed it", "reporter delivery list"),
    Kind.ATTENTION: ("the delivery is not as it should be", "reporter delivery list"),
    Kind.REJECTED: ("the authority refused the report", "reporter case show {reference}"),
    Kind.CONTRADICTED: (
        "a late answer says that it is filed, against what is recorded",
        _CALLS,
    ),
    Kind.UNANSWERED: (
        "calls are made again and again, and their answers are lost",
        _CALLS,
    ),
    Kind.LANE_PAUSED: ("the authority refuses our credentials; its queue stands still", "reporter doctor"),
    Kind.URGENT_UNDELIVERED: ("an urgent report is not delivered yet", _CALLS),
    Kind.CIRCUIT_OPEN: ("the authority does not answer", "reporter authority status {authority}"),
    Kind.WORKER_SILENT: ("deliveries are due, and a worker is silent or missing", "reporter worker"),
    Kind.QUARANTINE: ("deliveries stand still: the database may have forgotten something", "reporter doctor"),
    Kind.EVIDENCE_DAMAGED: ("an evidence item is not as it should be", "reporter evidence list {reference}"),
    Kind.DESTRUCTION_UNFINISHED: (
        "it was decided to destroy this, and something keeps it from being finished",
        "reporter evidence destroy --resume",
    ),
    Kind.LOG_BROKEN: ("the custody log does not hold", "reporter audit verify"),
    Kind.JOB_FAILED: ("a job failed, or has not run for long", "reporter job list"),
    Kind.PEOPLE_FORGED: ("the database says who may act, and nobody decided it", "reporter actor verify"),
    Kind.RETENTION_CONFLICT: (
        "one law says keep, another says destroy; a person decides",
        "reporter retention show {reference}",
    ),
    Kind.CREDENTIAL_EXPIRES: ("a credential expires soon, or has", "reporter secret set {about}"),
    Kind.BREAK_GLASS: (
        "one person approved it alone, and another must review it",
        "reporter submission review {reference} --to {authority}",
    ),
    Kind.TASK_DUE: ("its clock runs out soon", "reporter board"),
    Kind.TASK_OVERDUE: ("its clock has run out", "reporter board"),
    Kind.TEST: ("a test: this channel works", "reporter alarm list"),
}


@dataclass(frozen=True, slots=True)
class Matter:
    """
    Something that is so now and that a person must hear of.

    ``about`` names what it concerns, ``since`` tells one occurrence from the next; ``lane`` is authority and
    environment, empty where it concerns neither.
    """

    kind: Kind
    about: str
    since: datetime
    reference: str | None = None
    lane: str = ""

    @property
    def key(self) -> tuple[str, str, datetime]:
        """Give what makes it this occurrence and no other."""
        return self.kind.value, self.about, self.since


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to a person about one alarm; ``number`` counts from 1 through its repetitions."""

    alarm: int
    matter: Matter
    raised_at: datetime
    number: int

    @property
    def next_step(self) -> str:
        """Give the next command to run."""
        return next_step(self.matter)

    @property
    def line(self) -> str:
        """Give the whole message in one line."""
        matter = self.matter
        about = matter.reference or (matter.lane if matter.lane else matter.about)
        where = f" ({matter.lane})" if matter.lane and about != matter.lane else ""
        return (
            f"Reporter: {matter.kind.replace('_', ' ')}: {about}{where}: {_WORDS[matter.kind][0]}, "
            f"since {matter.since:%Y-%m-%d %H:%M}Z. Next: {self.next_step}"
        )

    def data(self) -> dict[str, Any]:
        """Give the message for programs."""
        return {
            "text": self.line,
            "alarm": self.alarm,
            "notice": self.number,
            "raised_at": self.raised_at.isoformat(),
            **matter_data(self.matter),
            "acknowledge": f"reporter alarm ack {self.alarm}",
        }


def matter_data(matter: Matter) -> dict[str, Any]:
    """Give a matter for programs."""
    authority, _, environment = matter.lane.partition(":")
    return {
        "kind": matter.kind.value,
        "about": matter.about,
        "reference": matter.reference,
        "authority": authority or None,
        "environment": environment or None,
        "since": matter.since.isoformat(),
        "next": next_step(matter),
    }


def next_step(matter: Matter) -> str:
    """Give the next command to run about a matter."""
    return _WORDS[matter.kind][1].format(
        about=matter.about, reference=matter.reference, authority=matter.lane.partition(":")[0]
    )


@dataclass(frozen=True, slots=True)
class Sending:
    """How one channel fares with one alarm; ``trouble`` says why the last message could not be handed over."""

    channel: str
    sent_at: datetime | None
    notices: int
    trouble: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One alarm on record."""

    id: int
    matter: Matter
    raised_at: datetime
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    cleared_at: datetime | None
    sendings: tuple[Sending, ...]

    @property
    def calls(self) -> bool:
        """Whether it is open and nobody has said yet that they heard."""
        return self.cleared_at is None and self.acknowledged_at is None


class Channel(Protocol):
    """A way to reach a person."""

    @property
    def name(self) -> str:
        """Give its name in the configuration."""
        ...

    def send(self, notice: Notice) -> None:
        """
        Hand one message over, within seconds.

        Raises:
            EnvironmentTroubleError: It could not be handed over; the text never repeats addresses or answers.
        """
        ...
