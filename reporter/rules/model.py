"""
What a rule says: whom it binds, what it asks, by when, and what is kept for how long.

A rule is data with a source. What nobody has read in the law itself, in a quotation of it or on the authority's own
page is *unverified*: it advises, and neither forbids anything nor starts a clock at whose end something is destroyed.
"""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Urgency = Literal["immediate", "near_future", "routine"]


class Verdict(StrEnum):
    """What a rule says to one organisation about one case."""

    MUST = "must"
    MAY = "may"
    MUST_NOT = "must_not"
    NOT_BOUND = "not_bound"


class Start(StrEnum):
    """The event from which a clock counts."""

    AWARENESS = "awareness"  # the organisation came to know (``detected_at``)
    ACCEPTED = "accepted"  # the authority accepted the submission
    REFERENCE = "reference"  # the authority issued its reference
    NOTIFIED = "notified"  # the police were told
    SERVED = "served"  # a demand was served, or a request received
    REMOVED = "removed"  # the content was taken down


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mark(StrEnum):
    """How near to the law's own text the source is."""

    LAW = "law"
    QUOTED = "quoted"  # its words, in somebody else's quotation
    AUTHORITY = "authority"  # the authority's own page
    SUMMARY = "summary"
    BACKGROUND = "background"  # general knowledge; no source was found

    @property
    def verified(self) -> bool:
        """Whether a rule that rests on this may forbid, or end a preservation."""
        return self in (Mark.LAW, Mark.QUOTED, Mark.AUTHORITY)


class Source(_Data):
    """Where a rule stands, how it was read, and when."""

    text: str
    section: str
    mark: Mark
    checked: date


class Length(_Data):
    """A length of time; years and months are the calendar's."""

    years: int = Field(default=0, ge=0)
    months: int = Field(default=0, ge=0)
    days: int = Field(default=0, ge=0)
    hours: int = Field(default=0, ge=0)
    minutes: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _some(self) -> Length:
        if not any((self.years, self.months, self.days, self.hours, self.minutes)):
            raise ValueError("a length of time is longer than nothing")
        return self


class Condition(_Data):
    """What must hold of the organisation and the case; every key that is given must, and none given always holds."""

    established_in: tuple[Country, ...] = ()
    established_outside: tuple[Country, ...] = ()
    serves: tuple[Country, ...] = ()
    ncmec_arrangement: bool | None = None
    content: bool | None = None
    uk_linked: bool | None = None
    life_at_risk: bool | None = None
    private_messages: bool | None = None
    incident: tuple[str, ...] = ()


class Outcome(_Data):
    """
    What follows where its condition holds; of several, the first counts.

    ``instead`` is another authority that may hear of it, by other means.
    """

    verdict: Verdict
    reason: str
    when: Condition = Condition()
    instead: str = ""


class Deadline(_Data):
    """
    By when, in the law's words.

    ``within`` is a length that the law itself sets. ``target`` is the operator's own, used where the law has only
    words; it is a setting and no law.
    """

    words: str
    starts: Start = Start.AWARENESS
    urgency: tuple[Urgency, ...] = ("immediate", "near_future", "routine")
    within: Length | None = None
    target: Length | None = None
    mark: Mark | None = None


class Telephone(_Data):
    """
    When an authority is telephoned as well: what is sent while its office is closed, and what it does not take.

    ``weekdays`` (Monday is 0), ``opens`` and ``closes`` are by the wall clock of ``zone``. ``target`` is the operator's
    own: how soon after the duty arises.
    """

    urgency: tuple[Urgency, ...]
    zone: str
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...]
    opens: time
    closes: time
    words: str
    target: Length
    mark: Mark


class Retention(_Data):
    """How long something is kept: at least (``floor``) or at most (``cap``); without a length, until released."""

    id: str
    what: Literal["content", "report", "reference", "account_data"]
    kind: Literal["floor", "cap"]
    starts: Start
    words: str
    length: Length | None = None
    margin: Length | None = None
    renewable: Length | None = None
    mark: Mark | None = None

    @model_validator(mode="after")
    def _ends(self) -> Retention:
        if self.kind == "cap" and self.length is None:
            raise ValueError("a cap has a length")
        if self.renewable and self.length is None:
            raise ValueError("what is renewed has a length")
        return self


class Means(StrEnum):
    """How the authority is told."""

    API = "api"
    PORTAL = "portal"
    FORM = "form"
    WRITING = "writing"
    NONE = "none"  # nothing is sent: something is kept


class Rule(_Data):
    """
    One rule in one version, in force from one day to another (that day no longer included).

    Without ``effective_from`` it is enacted and waits to be brought into force.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    version: int = Field(ge=1)
    title: str
    authority: str
    body: str
    trigger: str
    means: Means
    source: Source
    effective_from: date | None = None
    effective_to: date | None = None
    outcomes: tuple[Outcome, ...] = Field(min_length=1)
    deadlines: tuple[Deadline, ...] = ()
    retentions: tuple[Retention, ...] = ()
    telephone: Telephone | None = None
    note: str = ""

    @model_validator(mode="after")
    def _dates(self) -> Rule:
        if self.effective_to is not None and (self.effective_from is None or self.effective_to <= self.effective_from):
            raise ValueError("effective_to comes after effective_from")
        return self

    def in_force(self, day: date) -> bool:
        """Whether the rule applies on that day."""
        begun = self.effective_from is not None and self.effective_from <= day
        return begun and (self.effective_to is None or day < self.effective_to)
