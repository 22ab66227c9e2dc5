"""
The custody log's tables.

``custody_outbox`` takes events in. ``custody_node`` is the tree, ``custody_checkpoint`` and ``custody_timestamp`` vouch
for it: the database refuses every change to these three (migration 0005). A row of ``custody_record`` is what stands
behind a leaf, and the only thing of the log that may ever go.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from reporter.audit.kinds import DESTROYED
from reporter.db.types import UtcDateTime


class Outbox(SQLModel, table=True):
    """An event, written in the transaction of the thing it tells of; ``content`` is its canonical JSON."""

    __tablename__ = "custody_outbox"

    id: int | None = Field(default=None, primary_key=True)
    content: str


class Record(SQLModel, table=True):
    """
    What stands behind the leaf at ``position``: the event, and the salt of its commitment.

    ``reference`` and ``kind`` repeat the event's own, to find it by.
    """

    __tablename__ = "custody_record"

    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    reference: str | None = Field(index=True)
    kind: str
    salt: bytes
    content: str


_DESTROYED = text(f"kind = '{DESTROYED}'")
Index(
    "ix_custody_record_destroyed",
    Record.__table__.c.position,  # type: ignore[attr-defined]
    sqlite_where=_DESTROYED,
    postgresql_where=_DESTROYED,
)


class Node(SQLModel, table=True):
    """The hash of one complete subtree of 2^level leaves; the leaves themselves are those of level 0."""

    __tablename__ = "custody_node"
    __table_args__: Any = {"sqlite_with_rowid": False}

    level: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    hash: bytes


class SignedCheckpoint(SQLModel, table=True):
    """A signed note that says what the first ``size`` leaves are."""

    __tablename__ = "custody_checkpoint"

    size: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=UtcDateTime)
    note: str


class Timestamp(SQLModel, table=True):
    """A time-stamp authority's answer (RFC 3161) about a checkpoint."""

    __tablename__ = "custody_timestamp"

    size: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=UtcDateTime)
    answer: bytes


class LogCheck(SQLModel, table=True):
    """
    How far the log was verified in parts, in the one row: up to ``position``, after which a new round begins.

    ``wrong`` is the fault that was found first, and ``since`` when; both are empty while the log holds.
    """

    __tablename__ = "custody_check"

    number: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    position: int = 0
    wrong: str = ""
    wrong_position: int | None = None
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SettingsSeen(SQLModel, table=True):
    """The configuration that a machine was last seen with, as salted digests by key; the only row here that changes."""

    __tablename__ = "settings_seen"

    machine: str = Field(primary_key=True)
    salt: bytes
    digests: str
