"""Plain types of tasks. Nothing in them is content or personal data: kinds, references, ids, codes, times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from reporter.actors.policy import RULES


class Kind(StrEnum):
    """What a person must do; what each means stands in ``MEANINGS``."""

    JUDGE = "judge"
    REPORT = "report"
    TELL = "tell"
    DEMAND_VERIFY = "demand_verify"
    DEMAND_ANSWER = "demand_answer"
    HOLD_ENDS = "hold_ends"
    HOLD_REVIEW = "hold_review"
    HOLD_RELEASE = "hold_release"
    EXTENSION_APPROVE = "extension_approve"
    EXTENSION_REVIEW = "extension_review"
    RETENTION_CONFLICT = "retention_conflict"
    DISPOSITION = "disposition"
    PERSON_REQUEST = "person_request"
    MAY_TELL = "may_tell"
    OUT_OF_HOURS = "telephone_out_of_hours"
    CONTINGENCY = "telephone_contingency"
    URGENT_CALL = "telephone_urgent"
    DEMAND_COUNSEL = "demand_counsel"
    EXPORT_APPROVE = "export_approve"
    EXPORT_RECEIPT = "export_receipt"
    REVIEW = "review"
    REQUEST = "information_request"
    REFERRAL = "referral"
    REFERRAL_LEAD = "referral_lead"
    UNASKED = "unasked"
    HAND_OVER = "hand_over"
    RECEIPT = "receipt"


class Basis(StrEnum):
    """Whose clock it is: a length that the law sets, or the operator's own target, which is never law."""

    LAW = "law"
    TARGET = "target"


class Outcome(StrEnum):
    """How a task that is done by hand ended."""

    DONE = "done"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True)
class Meaning:
    """
    What a task waits for, and the command that moves it, with its arguments in braces.

    A task that ``task done`` moves takes so many ``people``; with ``receipt`` it takes the authority's reference, too.
    One that is ``dispensable`` is moved by its own command, and as many people may say that it is not needed.
    """

    waits_for: str
    command: str
    people: int = 1
    receipt: bool = False
    dispensable: bool = False

    @property
    def verb(self) -> str:
        """Give the command without its arguments, as ``reporter.actors.policy`` knows it."""
        return self.command.partition(" {")[0]

    @property
    def by_hand(self) -> bool:
        """Whether a person says that it is done; else its own command does."""
        return self.verb == "task done"


_DONE: Final = "task done {id}"
_DECIDE: Final = "referral decide {about}"
MEANINGS: Final[Mapping[Kind, Meaning]] = {
    # what a case asks for
    Kind.JUDGE: Meaning("somebody to judge the case", "case confirm {reference} --basis TEXT"),
    Kind.REPORT: Meaning(
        "a report that the authority has accepted",
        "submission approve {reference} --to {authority}",
        people=2,
        dispensable=True,
    ),
    Kind.REFERRAL: Meaning("items of a referral to be decided, each by somebody who has not decided it", _DECIDE),
    Kind.REFERRAL_LEAD: Meaning("the escalation lead to decide what two people saw differently", _DECIDE),
    Kind.UNASKED: Meaning("people to decide what becomes of content that came unasked", _DONE, people=2),
    Kind.TELL: Meaning("somebody to tell the authority by other means", _DONE, people=2, receipt=True),
    Kind.DEMAND_VERIFY: Meaning("another person to make sure that a demand is genuine", "demand verify {about}"),
    Kind.DEMAND_ANSWER: Meaning("a demand to be answered", "demand close {about}"),
    Kind.HOLD_ENDS: Meaning("somebody to ask whether the authority renews, before the hold ends", "hold show {about}"),
    Kind.HOLD_REVIEW: Meaning("somebody to say whether a hold is still needed", "hold review {about}"),
    Kind.HOLD_RELEASE: Meaning("another person to agree to the release of a hold", "hold release {about}"),
    Kind.EXTENSION_APPROVE: Meaning("another person to agree that a case is kept longer", "retention extend {about}"),
    Kind.EXTENSION_REVIEW: Meaning("somebody to say whether a case is still kept longer", "retention review {about}"),
    Kind.RETENTION_CONFLICT: Meaning(
        "somebody to decide: one law says keep, another says destroy", "retention decide {about}"
    ),
    Kind.PERSON_REQUEST: Meaning("somebody to answer a person's request, in a month", "request answer {about}"),
    Kind.DISPOSITION: Meaning("two people to confirm what is destroyed", "retention confirm {about}"),
    Kind.MAY_TELL: Meaning("people to decide whether to tell it by other means", _DONE, people=2, receipt=True),
    # what an authority asks for
    Kind.REQUEST: Meaning("an answer to the authority's request for information", _DONE),
    # what an urgent submission asks for besides
    Kind.REVIEW: Meaning(
        "another person to review what one person approved alone", "submission review {reference} --to {authority}"
    ),
    Kind.OUT_OF_HOURS: Meaning(
        "a telephone call to the authority: sent while its office is closed (public holidays are not known here)", _DONE
    ),
    Kind.CONTINGENCY: Meaning("contingency e-mail and a telephone call: the authority does not take it now", _DONE),
    Kind.URGENT_CALL: Meaning("a telephone call: an immediate risk is past its clock, and not accepted", _DONE),
    Kind.DEMAND_COUNSEL: Meaning("counsel to say how to answer what nothing leaves under", "demand close {about}"),
    Kind.EXPORT_APPROVE: Meaning("another person to approve an export", "export approve {about}"),
    Kind.EXPORT_RECEIPT: Meaning("the recipient to confirm that an export arrived", "export receipt {about}"),
    Kind.HAND_OVER: Meaning("a person to hand the report over", "submission hand-out {reference} --to {authority}"),
    Kind.RECEIPT: Meaning(
        "the authority's receipt, taken back by two people", "submission record-receipt {reference} --to {authority}"
    ),
}


@dataclass(frozen=True, slots=True)
class Task:
    """
    One task on record.

    ``about`` names what it concerns; there is one open task of each kind and matter. ``due`` by the clock of ``basis``,
    which ``rule`` started, where one did. ``outcome`` and ``receipt`` are proposed until ``closed_at``.
    """

    id: int
    kind: Kind
    about: str
    reference: str | None
    authority: str
    level: int | None
    due: datetime | None
    basis: Basis
    rule: str
    opened_at: datetime
    opened_by: str
    outcome: str = ""
    receipt: str = ""
    proposed_by: str | None = None
    proposed_at: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None

    @property
    def waits_for(self) -> str:
        """Say what it waits for."""
        if self.proposed_by and not self.closed_at:
            return f"another person to confirm what {self.proposed_by} says"
        return MEANINGS[self.kind].waits_for

    @property
    def by_hand(self) -> bool:
        """Whether a person says that it is done; else its own command does."""
        return MEANINGS[self.kind].by_hand

    @property
    def next_step(self) -> str:
        """Give the next command to run."""
        fields: dict[str, Any] = {"id": self.id, "reference": self.reference, "authority": self.authority}
        return f"reporter {MEANINGS[self.kind].command.format(**fields, about=self.about)}"

    @property
    def movers(self) -> tuple[str, ...]:
        """Give the roles that may move it."""
        return tuple(sorted(RULES[MEANINGS[self.kind].verb].roles))

    def overdue(self, now: datetime) -> bool:
        """Whether its clock has run out; an instant that is reached is over."""
        return self.closed_at is None and self.due is not None and self.due <= now
