"""Preservation records, the view log and sealed bodies, as rows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, UniqueConstraint
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


class ViewRecord(SQLModel, table=True):
    """
    Somebody looked at one sealed file, as the case document tells it; ``at`` is kept as written.

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


class ViewClaim(SQLModel, table=True):
    """What an imported report says of views without a view record: shown, never sent."""

    __tablename__ = "view_claim"

    reference: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    file_viewed: bool | None = None
    exif_viewed: bool | None = None


class SealedBody(SQLModel, table=True):
    """A case document, package, exchange or receipt, sealed under its case's key."""

    __tablename__ = "sealed_body"

    id: str = Field(primary_key=True)
    reference: str = Field(index=True)
    kind: str
    ciphertext: bytes = Field(sa_type=LargeBinary)
    at: datetime = Field(sa_type=UtcDateTime)
