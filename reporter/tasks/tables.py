"""Tasks, as rows: kinds, ids, codes and times; people's words are sealed bodies."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from reporter.db.types import UtcDateTime

_OPEN = text("closed_at IS NULL")


class TaskRecord(SQLModel, table=True):
    """
    What a person must do, from when it was opened until it is closed; one open row for each kind and matter.

    ``outcome``, ``receipt`` and ``reason_body`` are what the first person says; the second adds words of their own.
    """

    __tablename__ = "task"
    __table_args__ = (
        Index("ix_task_open", "kind", "about", unique=True, postgresql_where=_OPEN, sqlite_where=_OPEN),
        Index("ix_task_due", "due", postgresql_where=_OPEN, sqlite_where=_OPEN),
        Index("ix_task_about", "about"),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    about: str
    reference: str | None = Field(default=None, index=True)
    authority: str
    level: int | None = None
    due: datetime | None = Field(default=None, sa_type=UtcDateTime)
    basis: str
    rule: str
    opened_at: datetime = Field(sa_type=UtcDateTime)
    opened_by: str
    outcome: str = ""
    receipt: str = ""
    reason_body: str | None = None
    proposed_by: str | None = None
    proposed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by: str | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_reason_body: str | None = None
