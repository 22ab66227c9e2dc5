"""Submissions and their approvals, as rows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint, text
from sqlmodel import Field, SQLModel

from reporter.db.types import UtcDateTime


class Submission(SQLModel, table=True):
    """
    One case packaged for one authority in one environment; frozen once ``digest`` is approved.

    ``viewed`` is which files the view log called viewed when it was frozen, as ``submissions.viewed`` writes it.
    ``level`` is how urgent the case was when it was approved, from 1 (immediate risk) to 3.
    ``rules`` are those, with their versions, on which the authority is told; they start its clocks. ``supplements`` is
    the accepted submission that this one adds to; a version without it takes the place of one that was not filed.
    """

    __tablename__ = "submission"
    __table_args__ = (UniqueConstraint("reference", "authority", "environment", "version"),)

    id: str = Field(primary_key=True)
    reference: str = Field(index=True)
    authority: str
    environment: str
    version: int
    revision: int
    state: str = Field(index=True)
    digest: str
    package_body: str | None = None
    viewed: str | None = None
    urgent: bool = False
    level: int | None = None
    rules: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    created_at: datetime = Field(sa_type=UtcDateTime)
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str = ""
    supplements: str | None = Field(default=None, foreign_key="submission.id")
    receipt_kind: str | None = None
    receipt_reference: str | None = None
    receipt_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    receipt_body: str | None = None


class Approval(SQLModel, table=True):
    """One person's yes to one digest; void when the package changed under it. ``statement`` is where it was signed."""

    __tablename__ = "approval"
    __table_args__ = (UniqueConstraint("submission_id", "actor", "digest"),)

    id: int | None = Field(default=None, primary_key=True)
    submission_id: str = Field(foreign_key="submission.id", index=True)
    actor: str
    digest: str
    at: datetime = Field(sa_type=UtcDateTime)
    statement: str | None = None


class BreakGlass(SQLModel, table=True):
    """
    One person's approval of one digest because of an immediate risk, and another person's review of it afterwards.

    ``verdict`` is ``agreed`` or ``disagreed``. The reasons are sealed bodies.
    """

    __tablename__ = "break_glass"

    id: int | None = Field(default=None, primary_key=True)
    submission_id: str = Field(foreign_key="submission.id", index=True)
    digest: str
    actor: str
    at: datetime = Field(sa_type=UtcDateTime)
    statement: str | None = None
    reason_body: str
    reviewed_by: str | None = None
    reviewed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    verdict: str = ""
    review_reason_body: str | None = None


class AuthoritySchema(SQLModel, table=True):
    """An authority's own schema as fetched at some moment; every version is kept."""

    __tablename__ = "authority_schema"

    id: int | None = Field(default=None, primary_key=True)
    authority: str
    environment: str
    sha256: str
    fetched_at: datetime = Field(sa_type=UtcDateTime)
    content: bytes
