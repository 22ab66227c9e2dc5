"""
What a legal demand says, and what a hold reaches: the document that is handed in, version 1.

Names, addresses and accounts stand in this document alone. It is sealed; the database gets codes, times and blind
indexes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from reporter.cases.model import REFERENCE_PATTERN
from reporter.cases.scalars import Part, Timestamp, instant


class DemandKind(StrEnum):
    """What was served."""

    PRESERVATION_LETTER = "preservation_letter"  # 18 USC 2703(f)
    SUBPOENA = "subpoena"  # 18 USC 2703(c)(2)
    COURT_ORDER = "court_order"  # 18 USC 2703(d)
    SEARCH_WARRANT = "search_warrant"
    EMERGENCY_REQUEST = "emergency_request"  # 18 USC 2702(b)(8), (c)(4)
    EU_PRODUCTION_ORDER = "eu_production_order"  # Regulation (EU) 2023/1543
    EU_PRESERVATION_ORDER = "eu_preservation_order"  # the same
    TREATY_REQUEST = "treaty_request"  # mutual legal assistance, CLOUD Act agreements
    LITIGATION = "litigation"  # a civil court, or a party of a civil case
    DEFENCE = "defence"  # the defence in a criminal case
    DESTRUCTION_REQUEST = "destruction_request"  # 18 USC 2258B(c)(2)
    OTHER = "other"


class Requester(StrEnum):
    """Who demands; the first four are those to whom 18 USC 2258A(g)(4) lets a provider disclose."""

    FEDERAL = "federal"  # a federal law enforcement agency, 2258A(g)(3)(A)
    STATE_LOCAL_TRIBAL = "state_local_tribal"  # (g)(3)(B)
    FOREIGN = "foreign"  # (g)(3)(C): a designated foreign agency
    NCMEC = "ncmec"
    COURT = "court"
    CIVIL_PARTY = "civil_party"
    DEFENCE = "defence"
    OTHER = "other"


class Check(StrEnum):
    """How somebody made sure that a demand is what it says: an e-mail address's domain alone is no proof."""

    CALL_BACK = "call_back"  # by a number found elsewhere, never one from the letter
    PORTAL = "portal"  # it came through the agency's, or a broker's, own verified portal
    COURT_REGISTER = "court_register"
    SIGNATURE = "signature"  # a qualified or otherwise trusted electronic signature that holds
    IN_PERSON = "in_person"


#: The kinds that let nothing be destroyed while they stand; a request to destroy is none of them.
HOLDING = frozenset(DemandKind) - {DemandKind.DESTRUCTION_REQUEST}

Reference = Annotated[str, StringConstraints(pattern=REFERENCE_PATTERN)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Subject(Part):
    """A person or an account, by one thing that is known of them."""

    kind: Literal["email", "phone", "user_name", "account", "name"]
    value: Annotated[str, StringConstraints(min_length=1, max_length=320)]


class Item(Part):
    """One evidence item, as the case document, or its preservation record, calls it."""

    case: Reference
    item: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Dates(Part):
    """Cases that were handed in from one moment until another (no longer included); one of them may be open."""

    since: Timestamp | None = None
    until: Timestamp | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Dates:
        if self.since is None and self.until is None:
            raise ValueError("dates without since and until would reach everything")
        if self.since and self.until and instant(self.since) >= instant(self.until):
            raise ValueError("until comes after since")
        return self


class Scope(Part):
    """What a demand or hold reaches: everything that any entry names."""

    cases: list[Reference] = Field(default_factory=list)
    items: list[Item] = Field(default_factory=list)
    subjects: list[Subject] = Field(default_factory=list)
    dates: list[Dates] = Field(default_factory=list)

    @model_validator(mode="after")
    def _something(self) -> Scope:
        if not (self.cases or self.items or self.subjects or self.dates):
            raise ValueError("a scope names a case, an item, a person or account, or dates")
        return self


class Authority(Part):
    """Who demands it, in words, with their own file number and whom to call."""

    name: Words
    file_number: Words | None = None
    contact: Words | None = None


class DemandDocument(Part):
    """A legal demand as it was served. ``served_at`` is when it reached the organisation."""

    demand_version: Literal[1]
    kind: DemandKind = Field(strict=False)
    requester: Requester = Field(strict=False)
    authority: Authority
    served_at: Timestamp
    due_at: Timestamp | None = None
    nondisclosure_until: Timestamp | None = None
    scope: Scope
    note: Words | None = None

    @model_validator(mode="after")
    def _narrow_enough(self) -> DemandDocument:
        narrow = not (self.scope.subjects or self.scope.dates)
        if self.kind is DemandKind.DESTRUCTION_REQUEST and not narrow:
            raise ValueError("a request to destroy names its cases or items")
        return self
