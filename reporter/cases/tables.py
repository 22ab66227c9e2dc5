"""Cases and their revisions, as rows: references, digests, states and times; what they say is sealed."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from reporter.db.types import UtcDateTime


class CaseRecord(SQLModel, table=True):
    """One case, as its latest revision left it."""

    __tablename__ = "case_record"

    reference: str = Field(primary_key=True)
    state: str = Field(index=True)
    revision: int
    created_at: datetime = Field(sa_type=UtcDateTime)


class CaseRevision(SQLModel, table=True):
    """
    One document of a case: ``digest`` of its canonical form, and the sealed body that holds its bytes.

    ``source_digest`` is set where the document was read from an authority's own format.
    """

    __tablename__ = "case_revision"

    reference: str = Field(primary_key=True, foreign_key="case_record.reference")
    revision: int = Field(primary_key=True)
    state: str
    digest: str
    body_id: str
    actor: str
    at: datetime = Field(sa_type=UtcDateTime)
    source_digest: str | None = None
