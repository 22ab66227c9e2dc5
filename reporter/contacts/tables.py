"""The register of contacts, as rows: ids, kinds, keyed blind indexes and times; no names and no addresses."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from reporter.db.types import UtcDateTime


class ContactRegister(SQLModel, table=True):
    """One row: whoever changes the register holds it, and whoever approves a submission holds it still."""

    __tablename__ = "contact_register"

    id: int = Field(primary_key=True)
    changes: int


class ContactKey(SQLModel, table=True):
    """One row: what the key of the register makes of a known word, by which another key is told from it."""

    __tablename__ = "contact_key"

    id: int = Field(primary_key=True)
    check_mark: str


class Contact(SQLModel, table=True):
    """Somebody who is protected; ``digest`` is of all they are known by, so that the same is not added twice."""

    __tablename__ = "contact"

    id: str = Field(primary_key=True)
    kind: str
    digest: str = Field(index=True)
    added_by: str
    added_at: datetime = Field(sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ContactMark(SQLModel, table=True):
    """One thing a contact is known by, as a keyed blind index."""

    __tablename__ = "contact_mark"

    contact_id: str = Field(primary_key=True, foreign_key="contact.id")
    mark: str = Field(primary_key=True, index=True)
    sort: str


class NamedMark(SQLModel, table=True):
    """One thing that somebody named in an approved submission is known by, as a keyed blind index."""

    __tablename__ = "named_mark"

    submission_id: str = Field(primary_key=True)
    mark: str = Field(primary_key=True, index=True)
    reference: str


class ContactWord(SQLModel, table=True):
    """One of the two people it takes, and where their words are sealed; ``digest`` is what they are about."""

    __tablename__ = "contact_word"
    __table_args__ = (UniqueConstraint("purpose", "digest", "actor"),)

    id: int | None = Field(default=None, primary_key=True)
    purpose: str
    digest: str = Field(index=True)
    reference: str
    actor: str
    at: datetime = Field(sa_type=UtcDateTime)
    reason_body: str
    statement: str | None = None
