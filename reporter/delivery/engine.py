"""
The engine: carries one claimed delivery as far as it goes now.

It asks ``next_move`` what to do, commits the intent, makes the call, commits the outcome with the next intent, and so
on until the delivery is settled, has to wait, or its lease is lost. It knows plans, not authorities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import tenacity

from reporter.authority import Adapter, Answer, Call, Connection, ItemStream, Outcome, Package, Plan
from reporter.clock import Clock
from reporter.delivery.guard import ForgottenError, Guard
from reporter.delivery.ledger import Concluded, Ledger
from reporter.delivery.markers import Markers
from reporter.delivery.model import Claim, Entry, LeaseLostError, Move, Pace, Perform, Settle
from reporter.delivery.moves import next_move
from reporter.errors import CustodyError, EnvironmentTroubleError
from reporter.submissions.model import State

#: Calls that never left are tried this often within one lease; the ledger's schedule takes over after that.
_TRIES_IN_LEASE = 3


@dataclass(frozen=True, slots=True)
class Load:
    """What a worker needs to deliver one submission."""

    package: Package
    adapter: Adapter
    connection: Connection
    schema: bytes | None
    open_item: Callable[[str], ItemStream]


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
        try:
            load = self._load(claim)
        except CustodyError:
            self._ledger.extend(claim)  # what is missing may have been recalled, and the claim with it
            raise
        plan = load.adapter.plan(load.package)
        pace = Pace(self._base, self._cap, claim.submission_id)
        history = self._ledger.history(claim)
        try:
            self._markers.check(claim, history)
        except (ForgottenError, CustodyError) as error:
            settle = error.settle if isinstance(error, ForgottenError) else Settle(State.ATTENTION, error.message)
            self._ledger.advance(claim, None, settle, len(history))
            return Result(claim.submission_id, settle, history[-1] if history else None, claim.lane)
        concluded: Concluded | None = None
        while True:
            now = self._clock.now()
            move = self._guard(load, plan, next_move(plan, history, now, pace))
            entry = self._ledger.advance(claim, concluded, move, len(history))
            if entry is None or not isinstance(move, Perform):
                return Result(claim.submission_id, move, history[-1] if history else None, claim.lane)
            try:
                answer = self._perform(claim, load, plan, move, entry, history)
            except CustodyError as error:
                failed = Answer(Outcome.UNKNOWN, code="custody", reason=error.message)
                return self._stop(claim, entry, failed, Settle(State.ATTENTION, error.message), len(history))
            except ForgottenError as error:
                unsent = Answer(Outcome.NOT_SENT, reason=error.message)
                return self._stop(claim, entry, unsent, error.settle, len(history))
            entry = _concluded(entry, answer, self._clock.now())
            concluded = Concluded(entry, answer)
            history.append(entry)

    def _stop(self, claim: Claim, entry: Entry, answer: Answer, settle: Settle, position: int) -> Result:
        """End with a call that was not made, or whose evidence broke."""
        entry = _concluded(entry, answer, self._clock.now())
        settle = replace(settle, entry=entry)
        self._ledger.advance(claim, Concluded(entry, answer), settle, position + 1)
        return Result(claim.submission_id, settle, entry, claim.lane)

    def _guard(self, load: Load, plan: Plan, move: Move) -> Move:
        """Before an attempt opens, hold the frozen documents against the authority's own schema once more."""
        if load.schema is None or not isinstance(move, Perform) or move.step != plan.steps[0]:
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
            retry=tenacity.retry_if_result(lambda answer: answer.outcome is Outcome.NOT_SENT),
            stop=tenacity.stop_after_attempt(_TRIES_IN_LEASE),
            wait=tenacity.wait_random_exponential(multiplier=min(self._base.total_seconds(), 1.0) / 4, max=2.0),
            sleep=self._clock.sleep,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        answer: Answer = retrying(load.connection.perform, call)
        return answer


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
