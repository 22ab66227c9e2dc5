"""
What to do next, from the ledger alone: the heart of exactly-once.

``next_move`` is pure. A worker that goes on and a worker that takes over after a crash ask it the same question with
the same rows, so there is no recovery code that differs from ordinary work. It knows no authority: the plan says what a
lost answer means for each step.

The rule everything else rests on: no new attempt begins while an earlier one holds a call of the final step that may
have filed, unless the authority itself said that its draft is gone, or people decided that it was not filed. What
people decided stands in the ledger among the calls; even then a known draft is taken back first, and where the
authority answers that it was filed, its word counts.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from reporter.authority import Lost, Outcome, Plan, Step
from reporter.delivery.model import DECISIONS, Entry, Move, Pace, Pause, Perform, Settle, Verdict
from reporter.submissions.model import ReceiptKind, State

#: Repeats of a lost final step stay this close together while the draft can live (DESIGN, "Delivery").
FINAL_REPEAT_CAP = timedelta(minutes=5)
#: And this long at least, where no draft can tell: idempotency keys are commonly kept for a day.
FINAL_REPEATS_CLOSE = timedelta(days=1)
#: A filing whose answer never comes is a person's after so long: no outage of a week mends itself, and alarms have
#: called since its first minutes (``watch.UNANSWERED_LIMIT``).
FINAL_REPEATED_FOR = timedelta(days=7)
#: Undocumented answers, and an adapter that fails, are tried again this often before a person is asked.
UNDOCUMENTED_LIMIT = 10

_PAUSED = "The authority refuses our credentials or rights"
#: Answers to the final step after which that call has certainly filed nothing.
_FILED_NOTHING = frozenset(
    {
        Outcome.NOT_SENT,
        Outcome.RETRYABLE,
        Outcome.UNAUTHORISED,
        Outcome.REJECTED,
        Outcome.MISMATCH,
        Outcome.GONE,
    }
)


def next_move(plan: Plan, history: Sequence[Entry], now: datetime, pace: Pace) -> Move:
    """
    Decide the next call, or the state to settle in.

    Args:
        plan: The calls of one attempt, in order.
        history: Every call made so far, oldest first.
        now: The present moment.
        pace: How to space calls after trouble.

    """
    if not history:
        return Perform(plan.steps[0], 1, now, plan.steps[0] == plan.final)
    return _Situation(plan, history, now, pace).move()


def may_have_filed(plan: Plan, history: Sequence[Entry]) -> bool:
    """Whether a call may have filed the report and neither the authority nor people have said that it did not."""
    filing = (plan.final.key, plan.look_up.key if plan.look_up else None)
    if any(entry.step in filing and entry.outcome is Outcome.ACCEPTED for entry in history):
        return True
    for position, entry in reversed(list(enumerate(history))):
        taken_back = plan.abandon is not None and entry.step == plan.abandon.key and entry.outcome is Outcome.ACCEPTED
        if taken_back or (entry.outcome is Outcome.GONE and not _looks_up(plan, entry)):
            return False
        if entry.outcome is Outcome.ALREADY:
            return True
        may_have = entry.step == plan.final.key and entry.outcome not in _FILED_NOTHING
        if may_have and not _not_found(plan, entry, history[position + 1 :]):
            return True
    return False


def _looks_up(plan: Plan, entry: Entry) -> bool:
    return plan.look_up is not None and entry.step == plan.look_up.key


def _not_found(plan: Plan, call: Entry, later: Sequence[Entry]) -> bool:
    """
    Whether the authority was asked for the report after this call could still take effect, and had none.

    A call that its own worker has not concluded may yet be made by it, however late, so nothing settles that.
    """
    return call.concluded and any(
        _looks_up(plan, entry)
        and entry.outcome in (Outcome.MISSING, Outcome.GONE)
        and entry.at >= call.at + plan.arrives_within
        for entry in later
    )


class _Situation:
    """The present attempt of one delivery."""

    def __init__(self, plan: Plan, history: Sequence[Entry], now: datetime, pace: Pace) -> None:
        self.plan, self.history, self.now, self.pace = plan, history, now, pace
        self.number = history[-1].attempt
        self.entries = [entry for entry in history if entry.attempt == self.number]
        self.last = history[-1]
        self.finals = [entry for entry in self.entries if entry.step == plan.final.key]
        decided = max((at for at, entry in enumerate(history) if entry.step in DECISIONS), default=-1)
        self.withdrawing = decided >= 0 and history[decided].step == Verdict.WITHDRAWN.step
        self.undecided = history[decided + 1 :]
        self.fresh = [entry for entry in self.undecided if entry.attempt == self.number]
        self.open_finals = [
            entry
            for at, entry in enumerate(self.fresh)
            if entry.step == plan.final.key
            and entry.may_have_acted
            and not _not_found(plan, entry, self.fresh[at + 1 :])
        ]
        self._abandon_key = plan.abandon.key if plan.abandon else None
        self.draft_id = self._draft_of(self.number)

    def move(self) -> Move:
        move = self._next()
        goes_on = isinstance(move, Perform) and move.attempt == self.number and self.last.step not in DECISIONS
        if goes_on and self.open_finals and self.last.at - self.open_finals[0].at > FINAL_REPEATED_FOR:
            return self._in_doubt("for a week no answer told whether it was filed")
        return move

    def _next(self) -> Move:
        of_final = (entry for entry in self.history if entry.step == self.plan.final.key)
        receipt = next((entry for entry in of_final if entry.outcome is Outcome.ACCEPTED), None)
        if receipt is not None:
            return self._accepted(receipt)
        if self.last.step in DECISIONS:
            return self._abandon()
        if self.last.outcome is Outcome.UNAUTHORISED and self.last.own:
            return Pause(f"{self.last.reason.rstrip('.') or _PAUSED}, at {self.last.step}.")
        if self._undocumented() > UNDOCUMENTED_LIMIT:
            reason = f"this goes on and on: {self.last.discrepancy or 'undocumented answers'} ({self.last.code})"
            return self._in_doubt(reason) if self.open_finals else self._attention(reason)
        if self.plan.abandon is not None and self.last.step == self._abandon_key:
            return self._after_abandon(self.plan.abandon)
        if self.plan.look_up is not None and _looks_up(self.plan, self.last):
            return self._after_look_up(self.plan.look_up)
        if self.last.step == self.plan.final.key:
            return self._after_final()
        return self._after_step()

    # --- after each kind of call ----------------------------------------------------------------------------

    def _after_step(self) -> Move:
        step = self._step(self.last.step)
        match self.last.outcome:
            case Outcome.ACCEPTED:
                if self._stale():
                    return self._abandon()
                return self._perform(self.plan.steps[self.plan.steps.index(step) + 1], delay=False)
            case Outcome.NOT_SENT | Outcome.RETRYABLE | Outcome.UNAUTHORISED:
                return self._abandon() if self._stale() else self._perform(step)
            case Outcome.UNKNOWN:
                return self._lost(step)
            case Outcome.REJECTED | Outcome.MISMATCH:
                return self._abandon()
            case Outcome.GONE | Outcome.MISSING:
                return self._new_attempt()
            case Outcome.ALREADY:
                return self._attention("the authority says this report was filed before we asked it to")

    def _after_final(self) -> Move:
        match self.last.outcome:
            case Outcome.NOT_SENT | Outcome.RETRYABLE | Outcome.UNAUTHORISED:
                if self._stale() and not self.open_finals:
                    return self._abandon()
                return self._perform(self.plan.final, cap=self._final_cap)
            case Outcome.UNKNOWN:
                return self._lost(self.plan.final)
            case Outcome.ALREADY:
                return self._already()
            case Outcome.GONE:
                return self._new_attempt()
            case Outcome.REJECTED | Outcome.MISMATCH:
                return self._abandon()
            case _:
                return self._in_doubt("the authority no longer knows the report that we asked it to file")

    def _after_abandon(self, abandon: Step) -> Move:
        match self.last.outcome:
            case Outcome.ACCEPTED | Outcome.GONE:
                return self._draft_is_gone()
            case Outcome.MISSING:
                if self.open_finals:
                    return self._in_doubt("the authority no longer knows the report that we asked it to file")
                return self._draft_is_gone()
            case Outcome.ALREADY:
                return self._already()
            case _:
                if not self.open_finals and self.now >= self._last_touch() + self.plan.draft_lifetime:
                    return self._draft_is_gone()
                return self._perform(abandon)

    def _after_look_up(self, look_up: Step) -> Move:
        match self.last.outcome:
            case Outcome.ACCEPTED | Outcome.ALREADY:
                return self._accepted(self.last)
            case Outcome.MISSING | Outcome.GONE:
                if not all(entry.concluded for entry in self.open_finals):
                    return self._in_doubt(
                        "a worker that fell silent may still make its call, and the authority has no such report yet"
                    )
                if self.open_finals:
                    settled_at = max(entry.at for entry in self.open_finals) + self.plan.arrives_within
                    return self._perform(look_up, not_before=settled_at)
                return self._perform(self.plan.final)
            case _:
                return self._perform(look_up)

    # --- what follows ---------------------------------------------------------------------------------------

    def _lost(self, step: Step) -> Move:
        match step.lost:
            case Lost.REPEAT:
                return self._perform(step, cap=self._final_cap if step == self.plan.final else None)
            case Lost.RESTART:
                return self._abandon()
            case Lost.LOOK_UP if self.plan.look_up is not None:
                return self._perform(self.plan.look_up)
            case _:
                return self._in_doubt("the answer was lost, and this authority cannot be asked whether it arrived")

    def _abandon(self) -> Move:
        if self.plan.abandon is not None and (self.draft_id or self.plan.draft_key is None):
            return self._perform(self.plan.abandon, delay=self.last.outcome is not Outcome.REJECTED)
        if self.open_finals:
            return self._in_doubt("an earlier call may have filed, and there is no draft to take back")
        return self._draft_is_gone()

    def _draft_is_gone(self) -> Move:
        if self.withdrawing:
            return Settle(State.WITHDRAWN, "Withdrawn before it was filed.", entry=self.last)
        refusals = [e for e in self.fresh if e.outcome is Outcome.REJECTED and e.step != self._abandon_key]
        if refusals:
            refusal = refusals[-1]
            reason = f"Refused at {refusal.step} ({refusal.code}). {refusal.reason}".strip()
            return Settle(State.REJECTED, reason, entry=refusal)
        return self._new_attempt()

    def _new_attempt(self) -> Move:
        first = self.plan.steps[0]
        return Perform(first, self.number + 1, self._due(None), first == self.plan.final)

    def _accepted(self, receipt: Entry) -> Move:
        if receipt.attempt != self.number:
            reason = (
                f"Attempt {receipt.attempt} was filed after all, as a late answer says; "
                f"attempt {self.number}, begun since, must not be."
            )
            return self._receipt(State.ATTENTION, ReceiptKind.ACKNOWLEDGED, receipt, reason)
        if receipt.discrepancy:
            return self._receipt(
                State.ATTENTION, ReceiptKind.ACKNOWLEDGED, receipt, f"Filed, but {receipt.discrepancy}."
            )
        return self._receipt(State.ACCEPTED, ReceiptKind.ACKNOWLEDGED, receipt)

    def _already(self) -> Move:
        if any(entry.may_have_acted for entry in self.finals):
            reason = "The answer to the filing itself was lost; a later answer says that it was filed."
            return self._receipt(State.ACCEPTED, ReceiptKind.INFERRED, self.last, reason)
        return self._attention("the authority says this report was filed before we asked it to")

    def _receipt(self, state: State, kind: ReceiptKind, entry: Entry, reason: str = "") -> Settle:
        return Settle(state, reason, kind, entry, entry.reference or self._draft_of(entry.attempt))

    def _attention(self, reason: str) -> Settle:
        return Settle(State.ATTENTION, f"{reason[0].upper()}{reason[1:]}.", entry=self.last)

    def _in_doubt(self, reason: str) -> Settle:
        return Settle(State.IN_DOUBT, f"{reason[0].upper()}{reason[1:]}.", entry=self.last)

    def _perform(
        self, step: Step, *, delay: bool = True, cap: timedelta | None = None, not_before: datetime | None = None
    ) -> Perform:
        due = self._due(cap) if delay else self.now
        return Perform(step, self.number, max(due, not_before or due), step == self.plan.final)

    # --- time -----------------------------------------------------------------------------------------------

    def _due(self, cap: timedelta | None) -> datetime:
        """Give the moment of the next call: exponential from the last one, with jitter, never before Retry-After."""
        if self.last.step in DECISIONS:
            return self.last.at
        trouble = self.number - 1
        for entry in reversed(self.fresh):
            if entry.outcome is Outcome.ACCEPTED:
                break
            trouble += 1
        wait = min(self.pace.base * 2.0 ** min(max(trouble - 1, 0), 30), cap or self.pace.cap, self.pace.cap)
        wait *= random.Random(f"{self.pace.seed}:{len(self.history)}").uniform(0.5, 1.0)  # noqa: S311
        return self.last.at + max(wait, self.last.retry_after or timedelta(0))

    @property
    def _final_cap(self) -> timedelta | None:
        """How far apart repeats of the final step may be: minutes, while what was lost may still be found out."""
        since = self.open_finals[0].at if self.open_finals else self.now
        close = max(self.plan.draft_lifetime, FINAL_REPEATS_CLOSE)
        return FINAL_REPEAT_CAP if self.last.at - since <= close else None

    def _stale(self) -> bool:
        """Whether the draft is so old that it may expire under our hands."""
        return self.plan.stale_after is not None and self.now - self.entries[0].at > self.plan.stale_after

    def _last_touch(self) -> datetime:
        """Give the last moment at which the authority may have changed the draft, from which its expiry is counted."""
        return max(entry.at for entry in self.entries if entry.step not in {self._abandon_key, *DECISIONS})

    def _undocumented(self) -> int:
        unclear = (Outcome.RETRYABLE, Outcome.UNKNOWN)
        return sum(1 for entry in self.undecided if entry.outcome in unclear and entry.discrepancy)

    def _draft_of(self, attempt: int) -> str:
        key = self.plan.draft_key
        return next((e.ids[key] for e in self.history if e.attempt == attempt and key in e.ids), "") if key else ""

    def _step(self, key: str) -> Step:
        return next(step for step in self.plan.steps if step.key == key)
