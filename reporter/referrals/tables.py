"""Referrals, as rows: ids, kinds, codes, times and digests; what people wrote is sealed under the referral's key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from reporter.db.types import UtcDateTime


class ReferralRecord(SQLModel, table=True):
    """One referral; ``digest`` is a keyed index of the document, so that the same is taken once."""

    __tablename__ = "referral"

    id: str = Field(primary_key=True)
    sender_kind: str
    requested_by: str
    digest: str = Field(unique=True)
    received_at: datetime = Field(sa_type=UtcDateTime)
    added_at: datetime = Field(sa_type=UtcDateTime)
    added_by: str
    body: str


class ReferralItem(SQLModel, table=True):
    """One item, by its place in the referral; ``opened_at`` is when its present clock began."""

    __tablename__ = "referral_item"

    referral_id: str = Field(primary_key=True, foreign_key="referral.id")
    number: int = Field(primary_key=True)
    round: int
    state: str = Field(index=True)
    opened_at: datetime = Field(sa_type=UtcDateTime)


class ReferralDecision(SQLModel, table=True):
    """One person's decision about one item; ``digest`` is of the sealed ``body``, which they signed."""

    __tablename__ = "referral_decision"
    __table_args__ = (
        UniqueConstraint("referral_id", "number", "round", "place"),
        ForeignKeyConstraint(["referral_id", "number"], ["referral_item.referral_id", "referral_item.number"]),
    )

    id: int | None = Field(default=None, primary_key=True)
    referral_id: str
    number: int
    round: int
    place: str
    outcome: str
    clause: str
    exemption: str | None = None
    case_reference: str | None = Field(default=None, index=True)
    drawn: bool
    actor: str
    at: datetime = Field(sa_type=UtcDateTime)
    body: str
    digest: str
    statement: str | None = None


class ReferralReopening(SQLModel, table=True):
    """Somebody opened an item again, for its next round."""

    __tablename__ = "referral_reopening"
    __table_args__ = (
        UniqueConstraint("referral_id", "number", "round"),
        ForeignKeyConstraint(["referral_id", "number"], ["referral_item.referral_id", "referral_item.number"]),
    )

    id: int | None = Field(default=None, primary_key=True)
    referral_id: str
    number: int
    round: int
    actor: str
    at: datetime = Field(sa_type=UtcDateTime)
    body: str


class ReferralAttachment(SQLModel, table=True):
    """A file that came along with a referral and was sealed unopened."""

    __tablename__ = "referral_attachment"

    evidence_id: str = Field(primary_key=True, foreign_key="evidence_item.id")
    referral_id: str = Field(foreign_key="referral.id", index=True)
    parts: int | None = None


class ReferralAnswer(SQLModel, table=True):
    """An answer that was made to a sender; its text is sealed."""

    __tablename__ = "referral_answer"

    id: int | None = Field(default=None, primary_key=True)
    referral_id: str = Field(foreign_key="referral.id", index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str
    digest: str
    body: str
