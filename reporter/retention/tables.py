"""
Demands, holds, clocks and dispositions, as rows: codes, numbers, times and blind indexes; what people say is sealed.

Words about demands and holds belong to no single case, and are sealed under the key of ``LEGAL``, which can be the
reference of none.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlmodel import Field, SQLModel

from reporter.db.types import UtcDateTime

LEGAL: Final = "legal"


class LegalScope(SQLModel, table=True):
    """What a demand and its hold reach; the entries say it."""

    __tablename__ = "legal_scope"

    number: int | None = Field(default=None, primary_key=True)


class ScopeEntry(SQLModel, table=True):
    """
    One thing that a scope reaches: a case, an item of it, a person or account (``subject``), or dates of intake.

    ``subject_body`` says, sealed, whom ``subject`` stands for.
    """

    __tablename__ = "scope_entry"

    id: int | None = Field(default=None, primary_key=True)
    scope: int = Field(foreign_key="legal_scope.number", index=True)
    reference: str | None = Field(default=None, index=True)
    evidence_id: str | None = None
    subject: str | None = Field(default=None, index=True)
    subject_body: str | None = None
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LegalDemand(SQLModel, table=True):
    """One demand; ``document_body`` is what was handed in, and the others say how it was verified and how it ended."""

    __tablename__ = "legal_demand"

    number: int | None = Field(default=None, primary_key=True)
    kind: str
    requester: str
    scope: int = Field(foreign_key="legal_scope.number")
    served_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    nondisclosure_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    document_body: str
    digest: str = Field(unique=True)
    recorded_by: str
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    verified_how: str | None = None
    verified_by: str | None = None
    verified_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    verified_body: str | None = None
    closed_how: str | None = None
    closed_by: str | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_body: str | None = None


class LegalHold(SQLModel, table=True):
    """
    One hold. ``ends`` is None where it stands until it is released, and ``advised`` what an unverified rule would have
    it be; ``review_at`` is when somebody must look whether it is still needed.

    ``rule``, ``version`` and ``retention`` name the rule that sets its end, empty where none does.
    """

    __tablename__ = "legal_hold"

    number: int | None = Field(default=None, primary_key=True)
    scope: int = Field(foreign_key="legal_scope.number", index=True)
    demand: int | None = Field(default=None, foreign_key="legal_demand.number", unique=True)
    begins: datetime = Field(sa_type=UtcDateTime)
    ends: datetime | None = Field(default=None, sa_type=UtcDateTime)
    advised: datetime | None = Field(default=None, sa_type=UtcDateTime)
    review_at: datetime = Field(sa_type=UtcDateTime)
    review_body: str | None = None
    rule: str = ""
    version: int = 0
    retention: str = ""
    source: str
    placed_by: str
    placed_at: datetime = Field(sa_type=UtcDateTime)
    reason_body: str
    release_asked_by: str | None = None
    release_asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    release_asked_body: str | None = None
    released_by: str | None = None
    released_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    released_body: str | None = None


class HoldRenewal(SQLModel, table=True):
    """A renewed request: from then on the hold ends later; it never ends sooner."""

    __tablename__ = "hold_renewal"

    id: int | None = Field(default=None, primary_key=True)
    hold: int = Field(foreign_key="legal_hold.number", index=True)
    requested_at: datetime = Field(sa_type=UtcDateTime)
    ends: datetime | None = Field(default=None, sa_type=UtcDateTime)
    recorded_by: str
    recorded_at: datetime = Field(sa_type=UtcDateTime)


class CaseSubject(SQLModel, table=True):
    """A person or account that any revision of a case names, as a blind index."""

    __tablename__ = "case_subject"

    reference: str = Field(primary_key=True)
    subject: str = Field(primary_key=True, index=True)


class CaseIndexed(SQLModel, table=True):
    """Up to which revision the people and accounts of a case are indexed."""

    __tablename__ = "case_indexed"

    reference: str = Field(primary_key=True)
    revision: int


class IndexKey(SQLModel, table=True):
    """What the index of a fixed word is under the key in use: another key would find nobody, and must not be used."""

    __tablename__ = "index_key"

    register_name: str = Field(primary_key=True)
    check_index: str


class RetentionClock(SQLModel, table=True):
    """
    A clock that a filing or a case started, as the rules were then; it is never changed, and goes with the case.

    ``cause`` says what started it, such as ``submission ID``.
    """

    __tablename__ = "retention_clock"

    id: int | None = Field(default=None, primary_key=True)
    reference: str = Field(index=True)
    part: str
    side: str
    begins: datetime = Field(sa_type=UtcDateTime)
    ends: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    rule: str
    version: int
    retention: str
    source: str
    words: str
    cause: str
    verified: bool
    started_at: datetime = Field(sa_type=UtcDateTime)


class ClocksStarted(SQLModel, table=True):
    """That the clocks of something were started: ``about`` is a submission, a task, or a case with its revision."""

    __tablename__ = "clocks_started"

    reference: str = Field(primary_key=True)
    about: str = Field(primary_key=True)


class ReferenceRecord(SQLModel, table=True):
    """
    The reference that an authority gave, as a record of its own: it outlives the case for as long as a law wants it.

    ``keep_until`` is None where no law sets an end; ``about`` is what was filed.
    """

    __tablename__ = "reference_record"

    about: str = Field(primary_key=True)
    reference: str = Field(index=True)
    authority: str
    environment: str
    receipt: str
    issued_at: datetime = Field(sa_type=UtcDateTime)
    keep_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class KeepLonger(SQLModel, table=True):
    """
    That people decided to keep something longer: by choice (``extension``, two people), or in a ``conflict`` (one).

    The words, which name the purpose, are sealed with the case. ``until`` is None for a conflict: it says until when
    nobody has to look again (``review_at``). ``review_body`` holds why it was last found still needed.
    """

    __tablename__ = "keep_longer"

    id: int | None = Field(default=None, primary_key=True)
    reference: str = Field(index=True)
    kind: str
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    review_at: datetime = Field(sa_type=UtcDateTime)
    review_body: str | None = None
    asked_by: str
    asked_at: datetime = Field(sa_type=UtcDateTime)
    words_body: str
    approved_by: str | None = None
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    approved_body: str | None = None


class Disposition(SQLModel, table=True):
    """
    A disposition: cases proposed for destruction together, and the two words that it takes.

    ``certificate`` is kept until ``keep_until``; the row stays. ``policy`` is set where a standing one gave both words.
    """

    __tablename__ = "disposition"

    number: int | None = Field(default=None, primary_key=True)
    proposed_by: str
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    first_by: str | None = None
    first_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    first_body: str | None = None
    second_by: str | None = None
    second_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    second_body: str | None = None
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    withdrawn_body: str | None = None
    carried_out_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    certificate: str | None = None
    keep_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    policy: int | None = Field(default=None)


class DispositionEntry(SQLModel, table=True):
    """One case of a disposition: the clocks that kept it, as JSON, and what became of it."""

    __tablename__ = "disposition_entry"

    batch: int = Field(primary_key=True, foreign_key="disposition.number", sa_column_kwargs={"autoincrement": False})
    reference: str = Field(primary_key=True, index=True)
    clocks: str
    outcome: str
    why: str
    certificate: str | None = None


class PersonRequest(SQLModel, table=True):
    """What somebody asked of their own data; who, is sealed, and ``found`` is a code for those inside."""

    __tablename__ = "person_request"

    number: int | None = Field(default=None, primary_key=True)
    kind: str
    scope: int = Field(foreign_key="legal_scope.number")
    received_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    found: str
    document_body: str
    recorded_by: str
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    answered_by: str | None = None
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answered_body: str | None = None


class StandingPolicy(SQLModel, table=True):
    """What two people confirm beforehand: so many cases a day, until a day."""

    __tablename__ = "standing_policy"

    number: int | None = Field(default=None, primary_key=True)
    cap: int
    until: datetime = Field(sa_type=UtcDateTime)
    first_by: str
    first_at: datetime = Field(sa_type=UtcDateTime)
    first_body: str
    second_by: str | None = None
    second_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    second_body: str | None = None
    ended_by: str | None = None
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_body: str | None = None
