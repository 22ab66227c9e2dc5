"""Plain types of delivery: what the ledger says, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from reporter.authority import Environment, Outcome, Step
from reporter.errors import ReporterError
from reporter.submissions.model import ReceiptKind, State


def lane_name(authority: str, environment: Environment | str) -> str:
    """Name the queue of one authority in one environment; they never share one."""
    return f"{authority}:{environment}"


class LeaseLostError(ReporterError):
    """The lease has passed to another worker; this one may change nothing any more."""

    def __init__(self) -> None:
        super().__init__("The lease of this delivery has passed to another worker.")


class Verdict(StrEnum):
    """What people decide about a submission that no call can settle."""

    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not_accepted"  # it was not filed: begin again
    WITHDRAWN = "withdrawn"
    RECEIPT = "receipt"  # it was filed elsewhere, such as by web form

    @property
    def step(self) -> str:
        """The step by which such a decision stands in the ledger among the calls."""
        return f"decided:{self}"


#: Entries of the ledger that are no calls. Their outcome is ``GONE``: people closed what the attempt may have filed.
DECISIONS = frozenset({Verdict.NOT_ACCEPTED.step, Verdict.WITHDRAWN.step})


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One call of the ledger as the present holder of the lease must see it; no outcome reads as *unknown*.

    ``concluded`` once its own worker has written what came of it: nobody can make that call any more.
    """

    id: str
    attempt: int
    step: str
    outcome: Outcome
    at: datetime
    own: bool = True
    concluded: bool = True
    code: str = ""
    request_id: str = ""
    reason: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)
    reference: str = ""
    discrepancy: str = ""
    retry_after: timedelta | None = None
    exchange_body: str | None = None

    @property
    def may_have_acted(self) -> bool:
        """Whether the authority may have acted on this call without our having its clear word."""
        return self.outcome is Outcome.UNKNOWN


@dataclass(frozen=True, slots=True)
class Claim:
    """A lease on one delivery; ``reference`` is its case's."""

    submission_id: str
    reference: str
    lane: str
    owner: str
    fence: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How calls are spaced after trouble. ``seed`` makes the jitter of one delivery repeatable."""

    base: timedelta
    cap: timedelta
    seed: str = ""


@dataclass(frozen=True, slots=True)
class Perform:
    """Make this call, not before that moment; ``files`` when it is the one that files the report."""

    step: Step
    attempt: int
    not_before: datetime
    files: bool = False


@dataclass(frozen=True, slots=True)
class Marker:
    """
    What the object store keeps of a filing call about to be made, or of what people decided; ids and times only.

    ``entry`` is the ledger's row of that call or the decision's own id, ``draft`` the authority's id of what was to be
    filed or was recorded as filed, where there is one. ``decision`` is a ``Verdict``, and with it ``attempt`` is 0.
    """

    entry: str
    lane: str
    submission: str
    attempt: int
    draft: str
    at: datetime
    decision: str = ""

    def __str__(self) -> str:
        when = f"{self.at:%Y-%m-%d %H:%M:%S}Z"
        what = f"report {self.draft}" if self.draft else "a report"
        match self.decision:
            case "":
                return f"{what} may have been filed at {when}"
            case Verdict.WITHDRAWN:
                return f"people withdrew it at {when}"
            case _:
                return f"people recorded at {when} that it is filed as {what}"


def forgetting(markers: Sequence[Marker]) -> str:
    """Say what the database has forgotten."""
    return f"The database has forgotten a filing or a decision: {'; '.join(map(str, markers))}."


@dataclass(frozen=True, slots=True)
class Settle:
    """
    Bring the submission to this state; ``entry`` is the call whose answer is the receipt.

    ``forgotten`` are filings that the object store remembers and the database does not.
    """

    state: State
    reason: str = ""
    receipt: ReceiptKind | None = None
    entry: Entry | None = None
    reference: str = ""
    forgotten: tuple[Marker, ...] = ()


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop the whole lane: the authority refuses our credentials or rights."""

    reason: str


Move = Perform | Settle | Pause
