"""Jobs as rows: when each ran and is to run; names, times and the text of errors, never content."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from reporter.db.types import UtcDateTime


class JobRecord(SQLModel, table=True):
    """
    One job.

    ``next_at`` is when it is due, or while ``owner`` runs it when the lease ends; by ``expected_at`` it should have run
    again, or a person hears of it.
    """

    __tablename__ = "job"

    name: str = Field(primary_key=True)
    next_at: datetime = Field(sa_type=UtcDateTime)
    expected_at: datetime = Field(sa_type=UtcDateTime)
    owner: str | None = None
    began_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    trouble: str = ""
