"""Plain types of referrals: what becomes of each item, and who may see what of it before it is settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """How a decision about an item ends."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    OUT_OF_SCOPE = "out_of_scope"


class Exemption(StrEnum):
    """A known context in which what would be content is none: never silent, always with its ground in words."""

    NEWS_PHOTOGRAPH = "news_photograph"
    WORK_OF_RECORD = "work_of_record"


class Place(StrEnum):
    """Which decision of a round it is: the first, a second person's who knows nothing of it, or the lead's."""

    FIRST = "first"
    SECOND = "second"
    LEAD = "lead"


class State(StrEnum):
    """Where an item stands; ``SECOND_LOOK`` is known to nobody but who decided first."""

    UNDECIDED = "undecided"
    SECOND_LOOK = "second_look"
    LEAD = "lead"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody decides, but for their words: ``clause`` of the policy, ``case`` that a confirmed item is in."""

    outcome: Outcome
    clause: str = ""
    exemption: Exemption | None = None
    case: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One person's decision about an item; ``drawn`` says that a second person is to decide too."""

    round: int
    place: Place
    verdict: Verdict
    actor: str
    at: datetime
    body: str
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a referral with its decisions, oldest first; ``round`` grows each time it is reopened."""

    number: int
    round: int
    state: State
    opened_at: datetime
    decisions: tuple[Decision, ...] = ()

    @property
    def present(self) -> tuple[Decision, ...]:
        """Give the decisions since it was last opened."""
        return tuple(each for each in self.decisions if each.round == self.round)

    @property
    def verdict(self) -> Verdict | None:
        """Give the decision that counts, once it is settled: the lead's, else the first."""
        return _counting(self.present).verdict if self.state is State.DECIDED else None

    def seen_by(self, viewer: str | None) -> Item:
        """
        Give the item as ``viewer`` may see it; None is somebody unknown.

        While a second look waits, only who decided first knows: for everybody else the item is undecided, so that
        whoever takes the second look knows neither the first decision nor that there is one.
        """
        if self.state is not State.SECOND_LOOK or self.present[0].actor == viewer:
            return self
        earlier = tuple(each for each in self.decisions if each.round != self.round)
        return Item(self.number, self.round, State.UNDECIDED, self.opened_at, earlier)


def state_after(present: Sequence[Decision]) -> State:
    """Say where an item stands after the decisions of its present round."""
    if not present:
        return State.UNDECIDED
    if len(present) == 1:
        return State.SECOND_LOOK if present[0].drawn else State.DECIDED
    agreed = present[0].verdict.outcome is present[1].verdict.outcome
    return State.DECIDED if agreed or len(present) > len((Place.FIRST, Place.SECOND)) else State.LEAD


def next_place(present: Sequence[Decision]) -> Place:
    """Give the place of the next decision."""
    return list(Place)[len(present)]


def _counting(present: Sequence[Decision]) -> Decision:
    return next((each for each in present if each.place is Place.LEAD), present[0])


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came along, sealed unopened; ``parts`` counts what is attached to a mail, which is sealed whole."""

    item: str
    sha256: str
    size: int
    parts: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was made to the sender: when, by whom, and the digest of its text."""

    at: datetime
    actor: str
    digest: str


@dataclass(frozen=True, slots=True)
class Reopening:
    """Somebody opened an item again; ``body`` holds why."""

    number: int
    round: int
    actor: str
    at: datetime
    body: str


@dataclass(frozen=True, slots=True)
class Referral:
    """One referral: who sent it, at whose request, and everything that became of it."""

    id: str
    sender_kind: str
    requested_by: str
    received_at: datetime
    added_at: datetime
    added_by: str
    body: str
    items: tuple[Item, ...]
    reopenings: tuple[Reopening, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    answers: tuple[Answer, ...] = ()

    def seen_by(self, viewer: str | None) -> tuple[Item, ...]:
        """Give the items as ``viewer`` may see them."""
        return tuple(item.seen_by(viewer) for item in self.items)


@dataclass(frozen=True, slots=True)
class Summary:
    """A line of the list; nobody learns from it which items wait for a second look."""

    id: str
    sender_kind: str
    requested_by: str
    received_at: datetime
    items: int
    settled: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a referral handed in; ``findings`` say what kept sources from being removed."""

    id: str
    items: int
    new: bool
    attachments: int = 0
    removed: int = 0
    left: tuple[str, ...] = field(default=())


def counts(items: Sequence[Item]) -> dict[str, int]:
    """Say how many of the items, as somebody sees them, stand where."""
    verdicts = [item.verdict for item in items if item.verdict]
    return {
        "items": len(items),
        **{state.value: sum(item.state is state for item in items) for state in State if state is not State.DECIDED},
        **{outcome.value: sum(verdict.outcome is outcome for verdict in verdicts) for outcome in Outcome},
        "exemptions": sum(verdict.exemption is not None for verdict in verdicts),
        "seen_twice": sum(len(item.present) > 1 for item in items),
        "reopened": sum(item.round > 1 for item in items),
    }
