"""
The engine: carries one claimed delivery as far as it goes now.

It asks ``next_move`` what to do, commits the intent, makes the call, commits the outcome with the next intent, and so
on until the delivery is settled, has to wait, or its lease is lost. It knows plans, not authorities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import tenacity

from reporter.authority import Adapter, Answer, Call, Connection, ItemStream, Outcome, Package, Plan
from reporter.clock import Clock
from reporter.delivery.guard import ForgottenError, Guard
from reporter.delivery.ledger import Concluded, Ledger
from reporter.delivery.markers import Markers
from reporter.delivery.model import Claim, Entry, LeaseLostError, Move, Pace, Pause, Perform, Settle
from reporter.delivery.moves import next_move
from reporter.errors import ConfigurationError, CustodyError, EnvironmentTroubleError, ReporterError
from reporter.submissions.model import State

#: Calls that never left are tried this often within one claim; the ledger's schedule takes over after that.
_TRIES_IN_LEASE = 3

_PROTECTED = (
    "It names somebody who has become a contact of ours since it was approved. To go on: reporter submission withdraw, "
    "then contact allow by two people, and approve it anew."
)
_NO_APPROVAL = "Its approvals do not hold any more: rows were altered, or a key is unknown. See: reporter actor verify"


#: Another worker goes on, or the machine or reporter.toml stands in the way of all: nothing to say of this delivery.
_NOT_OURS = (LeaseLostError, EnvironmentTroubleError, ConfigurationError)


class NoConnectionError(ReporterError):
    """There is no way to connect to an authority: its credential is missing or cannot be used."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a worker needs to deliver one submission."""

    package: Package
    adapter: Adapter
    connection: Connection
    schema: bytes | None
    open_item: Callable[[str], ItemStream]
    #: How many people's approval does not hold; the submission was frozen by enough, so rows were altered since.
    missing: int = 0
    #: Whether it names a contact of ours whom nobody knew as one when it was approved.
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one claimed delivery: settled, paused, or due again at ``again_at``."""

    submission_id: str
    move: Move
    last: Entry | None
    lane: str = ""

    @property
    def again_at(self) -> datetime | None:
        """When the next call is due, if one is."""
        return self.move.not_before if isinstance(self.move, Perform) else None


class Engine:
    """Works claims; one instance may serve many threads."""

    def __init__(
        self,
        ledger: Ledger,
        load: Callable[[Claim], Load],
        clock: Clock,
        *,
        markers: Markers,
        base: timedelta,
        cap: timedelta,
        lease: timedelta,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._ledger, self._load, self._clock, self._beat = ledger, load, clock, beat
        self._base, self._cap, self._lease = base, cap, lease
        self._markers = Guard(markers, ledger)

    def work(self, claim: Claim) -> Result | None:
        """Carry one delivery on; None when its lease was lost to another worker."""
        try:
            return self._work(claim)
        except LeaseLostError:
            return None

    def _work(self, claim: Claim) -> Result:
        pace = Pace(self._base, self._cap, claim.submission_id)
        history = self._ledger.history(claim)
        concluded: Concluded | None = None
        move: Move
        try:
            load = self._load(claim)
            plan = load.adapter.plan(load.package)
            self._markers.check(claim, history)
        except _NOT_OURS:
            raise
        except Exception as error:
            move = self._halt(claim, history, error)
            self._ledger.advance(claim, None, move, len(history))
            return Result(claim.submission_id, move, history[-1] if history else None, claim.lane)
        while True:
            try:
                move = self._guard(load, plan, next_move(plan, history, self._clock.now(), pace))
            except Exception as error:
                move = self._halt(claim, history, error)
            entry = self._ledger.advance(claim, concluded, move, len(history))
            if entry is None or not isinstance(move, Perform):
                return Result(claim.submission_id, move, history[-1] if history else None, claim.lane)
            stop: Exception | None = None
            try:
                answer = self._perform(claim, load, plan, move, entry, history)
            except _NOT_OURS:
                raise
            except ForgottenError as error:
                answer, stop = Answer(Outcome.NOT_SENT, reason=error.message), error
            except CustodyError as error:
                answer, stop = Answer(Outcome.UNKNOWN, code="custody", reason=error.message), error
            except Exception as error:
                answer = _failed(error)
            entry = _concluded(entry, answer, self._clock.now())
            concluded = Concluded(entry, answer, files=move.files)
            history.append(entry)
            if stop is not None:
                move = self._halt(claim, history, stop)
                self._ledger.advance(claim, concluded, move, len(history))
                return Result(claim.submission_id, move, entry, claim.lane)

    def _halt(self, claim: Claim, history: Sequence[Entry], error: Exception) -> Settle | Pause:
        """Say where a delivery stands that cannot go on by itself; it may have been filed before."""
        if isinstance(error, NoConnectionError):
            return Pause(error.message)
        if isinstance(error, ForgottenError):
            return replace(error.settle, entry=history[-1] if history else None)
        doubtful = self._markers.may_have_filed(claim, history)
        reason = error.diagnostics() if isinstance(error, ReporterError) else _failed(error).reason
        return Settle(State.IN_DOUBT if doubtful else State.ATTENTION, reason, entry=history[-1] if history else None)

    def _guard(self, load: Load, plan: Plan, move: Move) -> Move:
        """Before an attempt opens, check the approvals and hold the documents against the present schema once more."""
        if not isinstance(move, Perform) or move.step != plan.steps[0]:
            return move
        if load.missing:
            return Settle(State.ATTENTION, _NO_APPROVAL)
        if load.protected:
            return Settle(State.ATTENTION, _PROTECTED)
        if load.schema is None:
            return move
        findings = load.adapter.validate(load.package, load.schema)
        if not findings:
            return move
        where = "; ".join(f"{finding.path}: {finding.rule}" for finding in findings)
        return Settle(State.ATTENTION, f"The package does not fit the authority's present schema ({where}).")

    def _perform(
        self, claim: Claim, load: Load, plan: Plan, move: Perform, entry: Entry, history: list[Entry]
    ) -> Answer:
        ids = {name: value for past in history if past.attempt == move.attempt for name, value in past.ids.items()}
        if move.files:
            try:
                self._markers.mark(claim, history, entry, ids.get(plan.draft_key or "", ""))
            except EnvironmentTroubleError as error:
                return Answer(Outcome.NOT_SENT, reason=error.message)
        heartbeat = _Heartbeat(self._ledger, claim, self._clock, self._lease, self._beat)
        call = Call(move.step, load.package, ids, load.open_item, heartbeat)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda got: got.outcome is Outcome.NOT_SENT and self._keeps(claim)),
            stop=tenacity.stop_after_attempt(_TRIES_IN_LEASE),
            wait=tenacity.wait_random_exponential(multiplier=min(self._base.total_seconds(), 1.0) / 4, max=2.0),
            sleep=self._clock.sleep,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        answer: Answer = retrying(load.connection.perform, call)
        return answer

    def _keeps(self, claim: Claim) -> bool:
        """Take the whole lease anew for another try; False where another worker has it."""
        try:
            self._ledger.extend(claim)
        except LeaseLostError:
            return False
        return True


class _Heartbeat:
    """Keeps the lease while a long call is under way, at most three times a lease."""

    def __init__(self, ledger: Ledger, claim: Claim, clock: Clock, lease: timedelta, beat: Callable[[], None]) -> None:
        self._ledger, self._claim, self._clock, self._every, self._beat = ledger, claim, clock, lease / 3, beat
        self._last = clock.now()

    def __call__(self) -> None:
        now = self._clock.now()
        if now - self._last >= self._every:
            self._ledger.extend(self._claim)
            self._beat()
            self._last = now


def _failed(error: Exception) -> Answer:
    """What a call comes to whose adapter fell over; never with the error's own text, which may quote the case."""
    kind = type(error).__name__
    return Answer(Outcome.UNKNOWN, code=kind, reason=f"The adapter failed ({kind}).", discrepancy="the adapter fails")


def _concluded(entry: Entry, answer: Answer, at: datetime) -> Entry:
    return replace(
        entry,
        outcome=answer.outcome,
        concluded=True,
        at=at,
        code=answer.code,
        request_id=answer.request_id,
        reason=answer.reason,
        ids=answer.ids,
        reference=answer.reference,
        discrepancy=answer.discrepancy,
        retry_after=answer.retry_after,
    )
