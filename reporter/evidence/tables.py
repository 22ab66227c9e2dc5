"""Preservation records, the view log, what became of items, and sealed bodies, as rows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from reporter.db.types import UtcDateTime


class EvidenceItem(SQLModel, table=True):
    """The preservation record of one file; a revision that replaces the file of an item adds another row."""

    __tablename__ = "evidence_item"
    __table_args__ = (UniqueConstraint("reference", "item", "sha256"),)

    id: str = Field(primary_key=True)
    reference: str = Field(index=True)
    item: str
    sha256: str
    md5: str | None = None
    sha1: str | None = None
    size: int = Field(sa_type=BigInteger)
    ciphertext_sha256: str
    sealed_at: datetime = Field(sa_type=UtcDateTime)


class SealingBatch(SQLModel, table=True):
    """Files that are being sealed and are on no record yet; ids of their objects begin with this one's."""

    __tablename__ = "sealing_batch"

    id: str = Field(primary_key=True)
    began_at: datetime = Field(sa_type=UtcDateTime)
    given_up_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ViewRecord(SQLModel, table=True):
    """
    Somebody looked at one sealed file; ``at`` is kept as written. ``purpose`` and ``via`` are empty where a document
    tells of it: those say neither.

    It belongs to the file, not to the item's name: nobody has viewed the file that replaced another.
    """

    __tablename__ = "view_record"
    __table_args__ = (UniqueConstraint("evidence_id", "by_actor", "at", "extent", "metadata_viewed"),)

    id: int | None = Field(default=None, primary_key=True)
    evidence_id: str = Field(foreign_key="evidence_item.id", index=True)
    by_actor: str
    at: str
    extent: str
    metadata_viewed: bool
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    purpose: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    via: str = Field(default="", sa_column_kwargs={"server_default": text("''")})


class OpenPermit(SQLModel, table=True):
    """One person's wish to open one item once, and the other person who granted it."""

    __tablename__ = "open_permit"

    id: int | None = Field(default=None, primary_key=True)
    evidence_id: str = Field(foreign_key="evidence_item.id", index=True)
    actor: str
    purpose: str
    asked_at: datetime = Field(sa_type=UtcDateTime)
    granted_by: str | None = None
    granted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ViewClaim(SQLModel, table=True):
    """What an imported report says of views without a view record: shown, never sent."""

    __tablename__ = "view_claim"

    reference: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    file_viewed: bool | None = None
    exif_viewed: bool | None = None


class Verification(SQLModel, table=True):
    """How one item was found when it was last read back; ``finding`` is empty when all is well, and so ``since``."""

    __tablename__ = "verification"

    evidence_id: str = Field(primary_key=True, foreign_key="evidence_item.id")
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    finding: str = Field(default="", index=True)
    detail: str = ""
    since: datetime = Field(sa_type=UtcDateTime)


class VerificationRun(SQLModel, table=True):
    """One run over many items; what was verified since it began is what it has done."""

    __tablename__ = "verification_run"

    id: int | None = Field(default=None, primary_key=True)
    scope: str
    actor: str
    started_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Destruction(SQLModel, table=True):
    """
    The destruction of one item: proposed by one person, decided by another, then carried out step by step.

    Once ``decided_at`` is set it is never taken back, and whatever interrupts it is gone on with. ``recalled_at`` is
    set where only the tombstone in the object store told of it.
    """

    __tablename__ = "destruction"

    id: str = Field(primary_key=True)
    evidence_id: str = Field(foreign_key="evidence_item.id", unique=True)
    reference: str = Field(index=True)
    proposed_by: str
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    reason_body: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_reason_body: str | None = None
    key_ids: str
    key_removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    object_removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    certificate: str | None = None
    recalled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CaseDestruction(SQLModel, table=True):
    """
    The destruction of a whole case: proposed and decided as that of an item, which is decided with it.

    ``basis`` is a code that says why; the words of people are sealed under the key that goes.
    """

    __tablename__ = "case_destruction"

    id: str = Field(primary_key=True)
    reference: str = Field(foreign_key="case_record.reference", unique=True)
    basis: str
    proposed_by: str
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    reason_body: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_reason_body: str | None = None
    key_ids: str
    key_removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    certificate: str | None = None
    recalled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SealedBody(SQLModel, table=True):
    """A case document, package, exchange or receipt, sealed under its case's key; empty once the case is destroyed."""

    __tablename__ = "sealed_body"

    id: str = Field(primary_key=True)
    reference: str = Field(index=True)
    kind: str
    ciphertext: bytes = Field(sa_type=LargeBinary)
    at: datetime = Field(sa_type=UtcDateTime)
