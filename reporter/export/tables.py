"""Exports, the items in them and the copies that were written, as rows; what they say in words is sealed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field, SQLModel

from reporter.db.types import UtcDateTime


class ExportRequest(SQLModel, table=True):
    """
    One export. ``request_body`` is what was asked for, ``key_body`` the recipient's public key where there is one.

    ``frozen_body`` holds every file of the bag but the evidence, ``seal`` and ``stamp`` vouch for it: with them the
    same bag is written again whatever becomes of anything else. ``size`` is that of the tar, in bytes.
    """

    __tablename__ = "export_request"

    id: str = Field(primary_key=True)
    reference: str = Field(index=True)
    demand: int
    recipient: str
    envelope: str
    fingerprint: str
    content: bool
    request_body: str
    key_body: str | None = None
    digest: str
    asked_at: datetime = Field(sa_type=UtcDateTime)
    asked_by: str
    asked_in: str | None = None
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    approved_by: str | None = None
    approved_in: str | None = None
    sealed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    checkpoint: int | None = None
    frozen_body: str | None = None
    seal: bytes | None = Field(default=None, sa_type=LargeBinary)
    certificates: bytes | None = Field(default=None, sa_type=LargeBinary)
    stamp: bytes | None = Field(default=None, sa_type=LargeBinary)
    stamped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    size: int | None = Field(default=None, sa_type=BigInteger)
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    withdrawn_by: str | None = None
    withdrawn_body: str | None = None


class ExportItem(SQLModel, table=True):
    """One evidence item whose bytes leave with an export; ``sha512`` once it was read through for that."""

    __tablename__ = "export_item"

    export: str = Field(primary_key=True, foreign_key="export_request.id")
    evidence_id: str = Field(primary_key=True, foreign_key="evidence_item.id")
    sha512: str | None = None


class ExportCopy(SQLModel, table=True):
    """One encrypted bundle that was written, by the digest and size of its ciphertext, and who says it arrived."""

    __tablename__ = "export_copy"

    sha256: str = Field(primary_key=True)
    export: str = Field(foreign_key="export_request.id", index=True)
    size: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_type=UtcDateTime)
    by: str
    received_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    received_by: str | None = None
    received_body: str | None = None
