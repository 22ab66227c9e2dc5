"""
What people settle where no call can: in doubt, attention, withdrawal, and what was filed elsewhere.

Each use case is one transaction that holds the case and its deliveries, so that no worker begins a call meanwhile, and
that raises the fence, so that none goes on afterwards with what it held. What may have been filed is read from the
ledger by the same rules by which the engine goes on.

A decision after which it must not be filed any more is proposed (committed), then marked in the object store, and only
then takes effect: a database restored from before it finds the marker.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, update
from sqlmodel import col

from reporter.abilities import machine
from reporter.actors.service import Require
from reporter.audit import service as audit
from reporter.authority import Environment, Plan
from reporter.cases.service import CaseService
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.delivery import forgotten
from reporter.delivery.decisions import Decision, Decisions, Proposal
from reporter.delivery.ledger import Ledger
from reporter.delivery.markers import Markers, series_of
from reporter.delivery.model import Entry, Marker, Pace, Perform, Settle, Verdict, lane_name
from reporter.delivery.moves import may_have_filed, next_move
from reporter.delivery.queue import Queue
from reporter.errors import CustodyError, NotFoundError, PolicyError, UsageError
from reporter.evidence.bodies import BodyVault
from reporter.submissions import by_hand
from reporter.submissions.duties import level_of
from reporter.submissions.frozen import thaw
from reporter.submissions.model import ReceiptKind, State
from reporter.submissions.packaging import Desk
from reporter.submissions.service import SubmissionService
from reporter.submissions.tables import Submission

#: Outside the sandbox so many different people settle what is in doubt.
PEOPLE = 2
_AT_ONCE = Pace(timedelta(0), timedelta(0))
_REFERENCE = re.compile(r"[!-~]{1,100}")
_WITHDRAWING = "It is being withdrawn: the draft at the authority is taken back first."


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision came to; while ``missing`` people have yet to confirm it, it has no effect of its own."""

    reference: str
    authority: str
    environment: str
    decision: Decision
    state: State
    missing: int = 0


@dataclass(frozen=True, slots=True)
class _Held:
    """A submission that nobody else can move before the transaction ends."""

    row: Submission
    revision: int
    history: Sequence[Entry]
    plan: Plan | None

    @property
    def may_have_filed(self) -> bool:
        if self.plan is None:  # its package cannot be read: whatever was called may have filed
            return bool(self.history)
        return may_have_filed(self.plan, self.history)

    def receipt(self, now: datetime) -> Settle | None:
        """Give the receipt that the ledger holds, such as one that a late worker brought."""
        move = next_move(self.plan, self.history, now, _AT_ONCE) if self.plan else None
        return move if isinstance(move, Settle) and move.receipt else None


class ResolutionService:
    """The decisions that people make about submissions."""

    def __init__(
        self,
        database: Engine,
        clock: Clock,
        cases: CaseService,
        submissions: SubmissionService,
        queue: Queue,
        ledger: Ledger,
        bodies: BodyVault,
        desks: Mapping[str, Desk],
        markers: Markers,
        require: Require,
    ) -> None:
        self._database, self._clock, self._cases, self._submissions = database, clock, cases, submissions
        self._queue, self._ledger, self._bodies, self._desks = queue, ledger, bodies, desks
        self._markers = markers
        self._decisions = Decisions(bodies, clock, require)

    def resolve(self, reference: str, authority: str, actor: str, reason: str, receipt: str | None = None) -> Decided:
        """
        Settle what waits for a person: filed, with the authority's ``receipt`` reference, or not filed (None).

        What was not filed is delivered anew; a draft known at the authority is taken back first.

        Raises:
            UsageError: The reason or the reference is none.
            PolicyError: It does not wait for this, the authority's word says otherwise, or one person decides twice.
        """
        desk = self._desk(authority)
        decision = Decision(Verdict.NOT_ACCEPTED) if receipt is None else Decision(Verdict.ACCEPTED, _checked(receipt))
        reason, people = _words(reason), 1 if desk.environment is Environment.SANDBOX else PEOPLE
        with transaction(self._database) as connection:
            held, _ = self._resolvable(connection, reference, authority, desk, decision)
            proposed, new = self._decisions.propose(connection, held.row, decision, actor, reason)
        if receipt is not None:
            self._mark(held.row, proposed)
        if new and people > 1:
            return _decided(held.row, decision, State(held.row.state), missing=1)
        with transaction(self._database) as connection:
            held, known = self._resolvable(connection, reference, authority, desk, decision)
            row, now = held.row, self._clock.now()
            self._decisions.confirm(connection, row, proposed, actor, reason, people=people)
            if receipt is None:
                return _decided(row, decision, self._begin_again(connection, held, actor, now))
            if known and known.entry:
                values = {"receipt_kind": known.receipt, "receipt_body": known.entry.exchange_body}
                self._accept(connection, row, actor, receipt, known.entry.at, **values)
            else:
                self._accept(connection, row, actor, receipt, now, receipt_kind=ReceiptKind.MANUAL)
            return _decided(row, decision, State.ACCEPTED)

    def _resolvable(
        self, connection: Connection, reference: str, authority: str, desk: Desk, decision: Decision
    ) -> tuple[_Held, Settle | None]:
        """Give what waits for this decision, with the receipt that the ledger holds."""
        held = self._hold(connection, reference, authority, desk)
        row, known = held.row, held.receipt(self._clock.now())
        if row.state not in (State.IN_DOUBT, State.ATTENTION) and not _is_out(desk, row):
            raise _refused(row, "only what is in doubt or needs attention is resolved by people.")
        if _is_out(desk, row) and decision.verdict is Verdict.ACCEPTED:
            raise _refused(
                row, "a person tells the authority; record the receipt with: reporter submission record-receipt"
            )
        waiting = self._decisions.proposal(connection, row.id)
        if decision.verdict is Verdict.ACCEPTED and waiting and waiting.decision.verdict is Verdict.RECEIPT:
            raise _refused(row, "a receipt from elsewhere waits for another person: submission record-receipt.")
        if known and known.reference != decision.reference:
            raise _refused(row, f"by the authority's own word it is filed, as {known.reference}.")
        return held, known

    def withdraw(self, reference: str, authority: str, actor: str, reason: str) -> Decided:
        """
        Take a submission back before it is filed; a draft known at the authority is taken back first, by a worker.

        Raises:
            PolicyError: A call may have filed it, it is over, or there is nothing to take back.
        """
        desk, decision, reason = self._desk(authority), Decision(Verdict.WITHDRAWN), _words(reason)
        with transaction(self._database) as connection:
            held = self._withdrawable(connection, reference, authority, desk)
            proposed, _ = self._decisions.propose(connection, held.row, decision, actor, reason)
        self._mark(held.row, proposed)
        with transaction(self._database) as connection:
            held = self._withdrawable(connection, reference, authority, desk)
            row, now = held.row, self._clock.now()
            self._decisions.confirm(connection, row, proposed, actor, reason, people=1)
            self._queue.recall(connection, [row.id])
            if held.plan and row.state != State.REJECTED:  # a refused draft is gone already
                entry = self._ledger.decide(connection, row.id, held.history, Verdict.WITHDRAWN, now)
                if isinstance(next_move(held.plan, [*held.history, entry], now, _AT_ONCE), Perform):
                    self._enqueue(connection, row, now)
                    self._set(connection, row, actor, State.DELIVERING, reason=_WITHDRAWING)
                    return _decided(row, decision, State.DELIVERING)
            self._set(connection, row, actor, State.WITHDRAWN, reason="Withdrawn before it was filed.")
            return _decided(row, decision, State.WITHDRAWN)

    def _withdrawable(self, connection: Connection, reference: str, authority: str, desk: Desk) -> _Held:
        held = self._hold(connection, reference, authority, desk)
        row, waiting = held.row, self._decisions.proposal(connection, held.row.id)
        if row.state in (State.ACCEPTED, State.WITHDRAWN):
            raise _refused(row, "there is nothing to take back.")
        if _is_out(desk, row):
            raise _refused(
                row,
                "it was handed to a person, and may have been filed.",
                next_step="If it was not: reporter delivery resolve --not-accepted; then withdraw it.",
            )
        if waiting and waiting.decision.verdict is Verdict.RECEIPT:
            raise _refused(row, f"{waiting.by} says that it was filed elsewhere; settle that first.")
        self._require_unfiled(connection, held)
        return held

    def record_receipt(
        self, reference: str, authority: str, actor: str, reason: str, receipt: str, at: datetime
    ) -> Decided:
        """
        Record that people filed it elsewhere, such as by web form in an outage; two of them, everywhere.

        With the first one's word it leaves the queue, so that it is not filed a second time; it then needs a person
        until the second has confirmed, or ``resolve`` lets it go on.

        Raises:
            UsageError: The reason or the reference is none, or the time is in the future.
            PolicyError: A call of ours may have filed it, it is over, or the case is not confirmed.
        """
        desk, now = self._desk(authority), self._clock.now()
        if at > now:
            raise UsageError("--at lies in the future.")
        decision, reason = Decision(Verdict.RECEIPT, _checked(receipt), at), _words(reason)
        with transaction(self._database) as connection:
            self._open_version(connection, reference, authority, desk)
            held = self._receivable(connection, reference, authority, desk)
            proposed, new = self._decisions.propose(connection, held.row, decision, actor, reason)
            if new:
                self._queue.recall(connection, [held.row.id])
                waits = f"{actor} says that it was filed elsewhere, as {receipt}; another person must confirm it."
                self._set(connection, held.row, actor, State.ATTENTION, reason=waits)
        self._mark(held.row, proposed)
        if new:
            return _decided(held.row, decision, State.ATTENTION, missing=1)
        with transaction(self._database) as connection:
            row = self._receivable(connection, reference, authority, desk).row
            self._decisions.confirm(connection, row, proposed, actor, reason, people=PEOPLE)
            self._accept(connection, row, actor, receipt, at, receipt_kind=ReceiptKind.MANUAL)
            return _decided(row, decision, State.ACCEPTED)

    def _receivable(self, connection: Connection, reference: str, authority: str, desk: Desk) -> _Held:
        held = self._hold(connection, reference, authority, desk)
        row, waiting = held.row, self._decisions.proposal(connection, held.row.id)
        if row.state == State.ACCEPTED:
            raise _refused(row, f"its receipt is {row.receipt_reference}.")
        self._require_unfiled(connection, held)
        again = waiting is not None and waiting.decision.verdict is Verdict.RECEIPT
        if row.state in (State.IN_DOUBT, State.ATTENTION) and not again:
            raise _refused(row, "what waits for a person is settled with: reporter delivery resolve.")
        return held

    # --- parts ----------------------------------------------------------------------------------------------

    def _mark(self, row: Submission, proposed: Proposal) -> None:
        """Let the object store remember a proposal that is on record, before it takes effect."""
        lane, decision = lane_name(row.authority, row.environment), proposed.decision
        marker = Marker(proposed.marker, lane, row.id, 0, decision.reference, proposed.at, decision.verdict)
        self._markers.append(series_of(lane, row.reference), marker)

    def _desk(self, authority: str) -> Desk:
        if authority not in self._desks:
            raise NotFoundError(f"Authority {authority} is not configured.")
        return self._desks[authority]

    def _hold(self, connection: Connection, reference: str, authority: str, desk: Desk) -> _Held:
        """Give the latest submission as it is and stays until the transaction ends."""
        revision = self._cases.current_revision(connection, reference)
        self._queue.hold(connection, reference)
        row = self._submissions.latest(connection, reference, authority, desk.environment)
        if row is None:
            raise PolicyError(f"Nothing of {reference} was approved for {authority} ({desk.environment}) yet.")
        history = self._ledger.entries(connection, row.id)
        return _Held(row, revision, history, self._plan(connection, row, desk) if history else None)

    def _plan(self, connection: Connection, row: Submission, desk: Desk) -> Plan | None:
        """Give the plan of what was approved; None where that cannot be read any more."""
        try:
            return machine(desk.adapter).plan(thaw(self._bodies.open(connection, row.package_body or "")))
        except CustodyError:
            return None

    def _open_version(self, connection: Connection, reference: str, authority: str, desk: Desk) -> None:
        """See that there is a submission to which a receipt from elsewhere can belong."""
        revision = self._cases.current_revision(connection, reference)
        row = self._submissions.latest(connection, reference, authority, desk.environment)
        if row is not None and row.state != State.WITHDRAWN:
            return
        stored = self._cases.load(reference, connection)
        if stored.state != "confirmed":
            raise PolicyError(f"Case {reference} is {stored.state}: only a confirmed case is ever reported (law 1).")
        self._submissions.new_version(
            connection, row, reference=reference, authority=authority, environment=desk.environment, revision=revision,
            digest="", urgent=False, level=level_of(stored.case),
            rules=self._submissions.route_of(stored).grounds(authority),
        )  # fmt: skip

    def _require_unfiled(self, connection: Connection, held: _Held) -> None:
        row = held.row
        marked = self._markers.of(series_of(lane_name(row.authority, row.environment), row.reference))
        if forgotten.unremembered(connection, marked):
            raise _refused(row, "the object store remembers a filing that this database has forgotten.")
        if held.may_have_filed or row.state == State.IN_DOUBT:
            raise _refused(
                row,
                "a call that files was made, and may have filed it.",
                next_step="Once it waits for a person: reporter delivery resolve. Until then a worker goes on with it.",
            )

    def _begin_again(self, connection: Connection, held: _Held, actor: str, now: datetime) -> State:
        """Let a submission go on that was not filed; without any call, from where its approval stands."""
        row = held.row
        self._queue.recall(connection, [row.id])
        if held.history:
            self._ledger.decide(connection, row.id, held.history, Verdict.NOT_ACCEPTED, now)
            state = State.DELIVERING
        elif row.package_body is None or row.revision != held.revision:
            self._set(connection, row, actor, State.READY, reason="", package_body=None, approved_at=None)
            return State.READY
        else:
            state = State.APPROVED
        self._enqueue(connection, row, now)
        self._set(connection, row, actor, state, reason="")
        return state

    def _enqueue(self, connection: Connection, row: Submission, now: datetime) -> None:
        if self._desks[row.authority].by_hand:
            return
        lane = lane_name(row.authority, row.environment)
        self._queue.enqueue(connection, row.id, lane=lane, urgent=row.urgent, at=now)

    def _accept(
        self, connection: Connection, row: Submission, actor: str, receipt: str, at: datetime, **values: object
    ) -> None:
        self._queue.recall(connection, [row.id])
        values |= {"receipt_reference": receipt, "receipt_at": at, "reason": "Settled by people."}
        self._set(connection, row, actor, State.ACCEPTED, **values)

    def _set(self, connection: Connection, row: Submission, actor: str, state: State, **values: object) -> None:
        connection.execute(update(Submission).where(col(Submission.id) == row.id).values(state=state, **values))
        if self._desks[row.authority].by_hand:
            by_hand.keep(connection, self._clock.now(), row, state, actor)
        audit.record(
            connection, at=self._clock.now(), actor=actor, kind=f"submission_{state}", reference=row.reference,
            item=row.id, detail=f"{row.authority} {row.environment}",
        )  # fmt: skip


def _is_out(desk: Desk, row: Submission) -> bool:
    """Whether a person was handed it, and may have told its authority."""
    return desk.by_hand and row.state == State.DELIVERING


def _decided(row: Submission, decision: Decision, state: State, *, missing: int = 0) -> Decided:
    return Decided(row.reference, row.authority, row.environment, decision, state, missing)


def _refused(row: Submission, why: str, *, next_step: str = "") -> PolicyError:
    state = row.state.replace("_", " ")
    where = f"{row.reference} for {row.authority} ({row.environment})"
    return PolicyError(f"{where} is in state {state}: {why}", next_step=next_step)


def _words(reason: str) -> str:
    if not reason.strip():
        raise UsageError("--reason needs words.")
    return reason.strip()


def _checked(receipt: str) -> str:
    if not _REFERENCE.fullmatch(receipt):
        raise UsageError("--reference needs the authority's reference: up to 100 printable characters without spaces.")
    return receipt
