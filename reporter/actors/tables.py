"""Who is enrolled, with what, by whom, and every statement that was signed, as rows; no secret half of anything."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from reporter.db.types import UtcDateTime


class HomeIdentity(SQLModel, table=True):
    """The one name of this home, which every statement carries, so that none holds anywhere else."""

    __tablename__ = "home_identity"

    number: int = Field(default=1, primary_key=True)
    home: str


class ActorRecord(SQLModel, table=True):
    """Somebody enrolled; the handle is what they chose to be called, and all that is known of them."""

    __tablename__ = "actor"

    handle: str = Field(primary_key=True)
    roles: str
    suspended: bool
    enrolled_at: datetime = Field(sa_type=UtcDateTime)


class ActorProof(SQLModel, table=True):
    """The public half of a key or token; nobody is ever enrolled with one that was known before."""

    __tablename__ = "actor_proof"

    public_key: str = Field(primary_key=True)
    handle: str = Field(foreign_key="actor.handle", index=True)
    kind: str
    change_number: int = Field(foreign_key="actor_change.number")
    replaced_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ActorChange(SQLModel, table=True):
    """What two people decided about who may act; ``content`` is what both signed."""

    __tablename__ = "actor_change"

    number: int | None = Field(default=None, primary_key=True)
    content: str
    digest: str
    proposed_by: str
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    proposed_in: str = Field(foreign_key="signed_statement.nonce")
    confirmed_by: str | None = None
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    confirmed_in: str | None = Field(default=None, foreign_key="signed_statement.nonce")


class SignedStatement(SQLModel, table=True):
    """What somebody signed when they acted; the nonce makes it good for once."""

    __tablename__ = "signed_statement"
    __table_args__ = (Index("ix_signed_statement_said", "actor", "at"),)

    nonce: str = Field(primary_key=True)
    actor: str
    verb: str
    subject: str
    environment: str
    home: str
    at: datetime = Field(sa_type=UtcDateTime)
    public_key: str
    signature: str
