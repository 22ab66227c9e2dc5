"""Alarms as rows: kinds, ids and times; never content."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from reporter.db.types import UtcDateTime


class Alarm(SQLModel, table=True):
    """
    One thing that a person must hear of, from when it was raised until it is over.

    ``about`` names what it concerns: a submission, a lane, a worker. There is one open alarm for each kind and matter.
    """

    __tablename__ = "alarm"

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    about: str
    reference: str | None = None
    detail: str = ""
    raised_at: datetime = Field(sa_type=UtcDateTime)
    notified_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    notices: int = 0
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cleared_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
