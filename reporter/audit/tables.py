"""Where events wait until they are leaves of the log."""

from __future__ import annotations

from sqlmodel import Field, SQLModel


class Outbox(SQLModel, table=True):
    """An event, written in the transaction of the thing it tells of; ``content`` is its canonical JSON."""

    __tablename__ = "custody_outbox"

    id: int | None = Field(default=None, primary_key=True)
    content: str
