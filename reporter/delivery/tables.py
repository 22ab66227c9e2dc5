"""The delivery queue and the ledger of remote calls, as rows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from reporter.db.types import UtcDateTime


class Delivery(SQLModel, table=True):
    """
    The durable intent to have one submission accepted; ``filing`` while its next call is the one that files.

    ``available_at`` is when it is due, or while it is leased when the lease ends; NULL once it is over or recalled.
    ``fence`` grows with every claim and recall, and every write of a worker names the fence it holds.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index(
            "ix_delivery_due",
            "lane",
            "priority",
            "filing",
            "available_at",
            postgresql_where=text("available_at IS NOT NULL"),
            sqlite_where=text("available_at IS NOT NULL"),
        ),
    )

    submission_id: str = Field(primary_key=True, foreign_key="submission.id")
    lane: str
    priority: int
    available_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    owner: str | None = None
    fence: int = 0
    filing: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class LedgerEntry(SQLModel, table=True):
    """
    One remote call: the intent is committed before the call, the outcome after it.

    A row without outcome whose fence is not the present one is *unknown*.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (UniqueConstraint("submission_id", "position", name="uq_ledger_entry_position"),)

    id: str = Field(primary_key=True)
    submission_id: str = Field(foreign_key="submission.id")
    position: int
    attempt: int
    step: str
    fence: int
    intent_at: datetime = Field(sa_type=UtcDateTime)
    outcome_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str | None = None
    code: str = ""
    http_status: int | None = None
    request_id: str = ""
    reason: str = ""
    ids: str = "{}"
    reference: str = ""
    discrepancy: str = ""
    retry_after_seconds: float | None = None
    exchange_body: str | None = None


class LateAnswer(SQLModel, table=True):
    """
    What a worker brought home after its lease had passed to another: kept, and of use to the present holder.

    ``filed`` when it says that the report is filed.
    """

    __tablename__ = "late_answer"

    entry_id: str = Field(primary_key=True, foreign_key="ledger_entry.id")
    at: datetime = Field(sa_type=UtcDateTime)
    outcome: str
    code: str = ""
    ids: str = "{}"
    reference: str = ""
    discrepancy: str = ""
    filed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    exchange_body: str | None = None


class LanePause(SQLModel, table=True):
    """A lane (authority and environment) that stands still until a person has mended its credentials."""

    __tablename__ = "lane_pause"

    lane: str = Field(primary_key=True)
    since: datetime = Field(sa_type=UtcDateTime)
    reason: str


class Resolution(SQLModel, table=True):
    """
    What people decided about a submission that no call can settle; it takes effect once it is confirmed.

    ``verdict`` is a ``Verdict``, ``receipt_at`` when people say that it was filed. The reasons are sealed bodies.
    ``marker`` is the id by which the object store remembers it.
    """

    __tablename__ = "resolution"

    id: int | None = Field(default=None, primary_key=True)
    submission_id: str = Field(foreign_key="submission.id", index=True)
    verdict: str
    receipt_reference: str = ""
    receipt_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    marker: str | None = Field(default=None, unique=True)
    reason_body: str
    proposed_by: str
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    confirmed_reason_body: str | None = None
    confirmed_by: str | None = None
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Circuit(SQLModel, table=True):
    """An authority that does not answer: its lane waits, and is probed at ``probe_at``."""

    __tablename__ = "circuit"

    lane: str = Field(primary_key=True)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    probes: int = 0
    probe_at: datetime = Field(sa_type=UtcDateTime)


class WorkerSeen(SQLModel, table=True):
    """When a worker last said that it is alive."""

    __tablename__ = "worker_seen"

    name: str = Field(primary_key=True)
    started_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    stopped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Quarantine(SQLModel, table=True):
    """Deliveries stand still because the database may have forgotten something; until people release them."""

    __tablename__ = "quarantine"

    id: int | None = Field(default=None, primary_key=True)
    since: datetime = Field(sa_type=UtcDateTime)
    reason: str
    release_reason: str = ""
    proposed_by: str | None = None
    released_by: str | None = None
    released_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Generation(SQLModel, table=True):
    """One generation of this database; the object store holds the same number with the same token."""

    __tablename__ = "generation"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    token: str
    at: datetime = Field(sa_type=UtcDateTime)


class ForgottenFiling(SQLModel, table=True):
    """
    A filing, or a ``decision`` of people, of which only its marker in the object store tells.

    ``draft`` is the authority's id of what was filed, where one is known.
    """

    __tablename__ = "forgotten_filing"

    entry_id: str = Field(primary_key=True)
    submission_id: str = Field(foreign_key="submission.id", index=True)
    attempt: int
    draft: str
    decision: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    marked_at: datetime = Field(sa_type=UtcDateTime)
    found_at: datetime = Field(sa_type=UtcDateTime)


class HandOut(SQLModel, table=True):
    """
    That a person was handed an approved submission, to tell its authority; written before the first byte leaves.

    ``sha256`` and ``size`` are of the archive as it left, ``body`` is that archive before it was encrypted, sealed.
    ``sealed_to`` is the fingerprint of the recipient's key, empty where it left in the clear. ``marker`` is the id by
    which the object store remembers it.
    """

    __tablename__ = "hand_out"

    id: int | None = Field(default=None, primary_key=True)
    submission_id: str = Field(foreign_key="submission.id", index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str
    sealed_to: str = ""
    sha256: str
    size: int
    body: str
    marker: str = Field(unique=True)
