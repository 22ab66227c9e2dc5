"""The custody log's rows: append-only, ids and codes only."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from reporter.db.types import UtcDateTime


class CustodyEvent(SQLModel, table=True):
    """One thing that happened to a case, an item, a key or a submission, and who did it."""

    __tablename__ = "custody_event"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str
    kind: str = Field(index=True)
    reference: str | None = Field(default=None, index=True)
    item: str | None = None
    detail: str = ""
