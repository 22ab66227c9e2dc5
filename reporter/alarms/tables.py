"""Alarms as rows: kinds, ids and times; never content."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from reporter.db.types import UtcDateTime


class Alarm(SQLModel, table=True):
    """
    One thing that a person must hear of, from when it was raised until it is over.

    ``about`` names what it concerns: a submission, a lane, a worker. There is one open alarm for each kind and matter;
    ``since`` is when the matter began, and tells one occurrence from the next.
    """

    __tablename__ = "alarm"
    __table_args__ = (
        Index(
            "ix_alarm_open",
            "kind",
            "about",
            unique=True,
            postgresql_where=text("cleared_at IS NULL"),
            sqlite_where=text("cleared_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    about: str
    since: datetime = Field(sa_type=UtcDateTime)
    reference: str | None = None
    lane: str = ""
    raised_at: datetime = Field(sa_type=UtcDateTime)
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cleared_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AlarmNotice(SQLModel, table=True):
    """
    How one channel fares with one alarm.

    ``next_at`` is when the next message is due, or while one is being handed over when that is taken for lost.
    """

    __tablename__ = "alarm_notice"

    alarm_id: int = Field(primary_key=True, foreign_key="alarm.id")
    channel: str = Field(primary_key=True)
    next_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    notices: int = 0
    trouble: str = ""
