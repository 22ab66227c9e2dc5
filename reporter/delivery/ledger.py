"""
The ledger: every write of a worker, each in one transaction that holds the fence.

Write before you act: ``advance`` commits the outcome of the last call together with the intent of the next one, so one
durable commit stands between any two calls. A worker whose lease has passed to another is refused by the fence and may
only append what it saw.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, CursorResult, Engine, bindparam, func, insert, select, update
from sqlmodel import col

from reporter.audit import service as audit
from reporter.audit.model import Event
from reporter.authority import Answer, Exchange, Outcome
from reporter.clock import Clock
from reporter.db.engine import committed, reading, transaction
from reporter.delivery import forgotten
from reporter.delivery.model import Claim, Entry, LeaseLostError, Marker, Pause, Perform, Settle, Verdict
from reporter.delivery.queue import ACTOR, pause
from reporter.delivery.tables import Delivery, LateAnswer, LedgerEntry
from reporter.evidence.bodies import BodyVault
from reporter.submissions.model import State
from reporter.submissions.tables import Submission

_DELIVERY = Delivery.__table__  # type: ignore[attr-defined]
_ENTRY = LedgerEntry.__table__  # type: ignore[attr-defined]
_LATE = LateAnswer.__table__  # type: ignore[attr-defined]
_SUBMISSION = Submission.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Concluded:
    """A call that was made, and what came of it; ``files`` when it was the one that files the report."""

    entry: Entry
    answer: Answer
    files: bool = False


class Ledger:
    """The record of every remote call, on SQLite and PostgreSQL alike."""

    def __init__(self, engine: Engine, bodies: BodyVault, clock: Clock, lease: timedelta) -> None:
        self._engine, self._bodies, self._clock, self._lease = engine, bodies, clock, lease

    def extend(self, claim: Claim) -> None:
        """
        Keep the lease during a long call.

        Raises:
            LeaseLostError: It has passed to another worker.

        """
        due = self._clock.now() + self._lease
        committed(self._engine, lambda connection: _require_held(connection.execute(_EXTEND, _held(claim, due))))

    # --- the record -----------------------------------------------------------------------------------------

    def history(self, claim: Claim) -> list[Entry]:
        """Give every call of this delivery, oldest first, as the holder of ``claim`` must see it."""
        with reading(self._engine) as connection:
            rows = connection.execute(_HISTORY, {"of": claim.submission_id}).mappings()
            return [_entry(dict(row), claim.fence) for row in rows]

    def calls(self, reference: str) -> list[Entry]:
        """Give every call made for a case, to whichever authority, oldest first."""
        of_case = select(col(Submission.id)).where(col(Submission.reference) == reference)
        return self._entries(_ENTRY.c.submission_id.in_(of_case), fence=0)

    def entries(self, connection: Connection, submission_id: str) -> list[Entry]:
        """Give every call of one submission, oldest first, in the caller's transaction."""
        return self._read(connection, _ENTRY.c.submission_id == submission_id, fence=0)

    def decide(
        self, connection: Connection, submission_id: str, history: Sequence[Entry], verdict: Verdict, at: datetime
    ) -> Entry:
        """Write what people decided among the calls, by which the present attempt is closed."""
        entry = Entry(uuid.uuid4().hex, history[-1].attempt, verdict.step, Outcome.GONE, at, own=False)
        connection.execute(
            insert(_ENTRY),
            {
                "id": entry.id,
                "submission_id": submission_id,
                "position": len(history),
                "attempt": entry.attempt,
                "step": entry.step,
                "fence": 0,
                "intent_at": at,
                "outcome_at": at,
                "outcome": entry.outcome,
            },
        )
        return entry

    def _entries(self, which: ColumnElement[bool], fence: int) -> list[Entry]:
        with reading(self._engine) as connection:
            return self._read(connection, which, fence)

    def _read(self, connection: Connection, which: ColumnElement[bool], fence: int) -> list[Entry]:
        query = _CALLS.where(which).order_by(_ENTRY.c.submission_id, _ENTRY.c.position)
        return [_entry(dict(row), fence) for row in connection.execute(query).mappings()]

    def advance(
        self, claim: Claim, concluded: Concluded | None, move: Perform | Settle | Pause, position: int
    ) -> Entry | None:
        """
        Write the outcome of the last call and the next move in one commit; give the intent if the move is a call now.

        Raises:
            LeaseLostError: The lease has passed on, or the database has forgotten the call; nothing of the delivery
                was changed, the answer was kept.

        """
        now = self._clock.now()
        try:
            return committed(
                self._engine, lambda connection: self._write(connection, claim, concluded, move, position, now)
            )
        except LeaseLostError:
            if concluded is not None:
                self._keep_late(claim, concluded)
            raise

    def _write(
        self,
        connection: Connection,
        claim: Claim,
        concluded: Concluded | None,
        move: Perform | Settle | Pause,
        position: int,
        now: datetime,
    ) -> Entry | None:
        filing = isinstance(move, Perform) and move.files
        self._hold(connection, claim, _available_at(move, now, self._lease), filing)
        events: list[Event] = []
        if concluded is not None:
            self._conclude(connection, claim, concluded)
            events.append(_told_of_call("call_concluded", claim, concluded.entry, concluded.answer))
        intent = None
        match move:
            case Perform() if move.not_before <= now:
                intent = self._intend(connection, claim, move, position, now)
                events.append(_told_of_call("call_intended", claim, intent))
            case Settle():
                self._settle(connection, claim, move, now)
                lane = claim.lane.replace(":", " ")
                events.append(Event(now, ACTOR, f"submission_{move.state}", claim.reference, claim.submission_id, lane))
            case Pause():
                pause(connection, claim.lane, move.reason, now)
        audit.record_all(connection, events)
        return intent

    def _hold(self, connection: Connection, claim: Claim, available_at: datetime | None, filing: bool) -> None:
        _require_held(connection.execute(_HOLD, {**_held(claim, available_at), "files": filing}))

    def _intend(self, connection: Connection, claim: Claim, move: Perform, position: int, now: datetime) -> Entry:
        entry = Entry(uuid.uuid4().hex, move.attempt, move.step.key, Outcome.UNKNOWN, now, concluded=False)
        values = {
            "id": entry.id,
            "submission_id": claim.submission_id,
            "position": position,
            "attempt": entry.attempt,
            "step": entry.step,
            "fence": claim.fence,
            "intent_at": now,
        }
        connection.execute(_INTEND, values)
        if position == 0:
            connection.execute(_BEGIN, {"of": claim.submission_id})
        return entry

    def _conclude(self, connection: Connection, claim: Claim, concluded: Concluded) -> None:
        answer, entry = concluded.answer, concluded.entry
        values = {
            "of": entry.id,
            "outcome_at": entry.at,
            "http_status": answer.http_status,
            "request_id": answer.request_id,
            "reason": answer.reason,
            "retry_after_seconds": answer.retry_after.total_seconds() if answer.retry_after else None,
            **_answer_values(answer),
            "exchange_body": self._seal(connection, claim, answer.exchange),
        }
        _require_held(connection.execute(_CONCLUDE, values))  # a failover may have forgotten the intent

    def _keep_late(self, claim: Claim, concluded: Concluded) -> None:
        """Append what a late worker saw; the present holder may take it as the receipt."""
        answer, entry = concluded.answer, concluded.entry
        with transaction(self._engine) as connection:
            kept = select(_ENTRY.c.id, _LATE.c.entry_id.label("late")).outerjoin(_LATE, _LATE.c.entry_id == _ENTRY.c.id)
            known = connection.execute(kept.where(_ENTRY.c.id == entry.id)).one_or_none()
            if known is not None and known.late is not None:
                return
            body = self._seal(connection, claim, answer.exchange)
            if known is None:
                self._keep_forgotten(connection, claim, entry, body)
                return
            filed = concluded.files and answer.outcome in (Outcome.ACCEPTED, Outcome.ALREADY)
            values = {"entry_id": entry.id, "at": entry.at, "filed": filed, **_answer_values(answer)}
            connection.execute(insert(_LATE), {**values, "exchange_body": body})

    def _keep_forgotten(self, connection: Connection, claim: Claim, entry: Entry, body: str | None) -> None:
        """Keep the answer to a call that this database has forgotten, where people find it, and stop everything."""
        forgotten.impose(connection, f"The database forgot the call {entry.step} of a worker.", entry.at)
        audit.record(
            connection, at=entry.at, actor=ACTOR, kind="forgotten_call_answered", reference=claim.reference,
            item=claim.submission_id, detail=f"{entry.step} {entry.outcome} {entry.code} body:{body or ''}",
        )  # fmt: skip

    def unremembered(self, claim: Claim, markers: Sequence[Marker]) -> tuple[Marker, ...]:
        """Give those markers that neither an earlier submission of the case nor what people were told explains."""
        with transaction(self._engine) as connection:
            return tuple(forgotten.unremembered(connection, markers, apart_from=claim.submission_id))

    def _seal(self, connection: Connection, claim: Claim, exchange: Exchange | None) -> str | None:
        if exchange is None:
            return None
        return self._bodies.seal(connection, claim.reference, "exchange", _sealed_form(exchange), self._clock.now())

    def _settle(self, connection: Connection, claim: Claim, move: Settle, now: datetime) -> None:
        values: dict[str, object] = {"of": claim.submission_id, "state": move.state, "reason": move.reason}
        if move.receipt is None or move.entry is None:
            connection.execute(_SETTLE, values)
        else:
            values |= {
                "receipt_kind": move.receipt,
                "receipt_reference": move.reference,
                "receipt_at": move.entry.at,
                "receipt_entry": move.entry.id,
            }
            connection.execute(_SETTLE_WITH_RECEIPT, values)
        if move.forgotten:
            forgotten.remember(connection, claim.submission_id, move.forgotten, now)
            forgotten.impose(connection, f"The database forgot a filing of case {claim.reference}.", now)


_CONCLUDED = (
    "outcome_at", "outcome", "code", "http_status", "request_id", "reason", "ids", "reference", "discrepancy",
    "retry_after_seconds", "exchange_body",
)  # fmt: skip
#: Statements of the hot path, built once: building them costs as much as running them.
_EXTEND = (
    update(_DELIVERY)
    .where(
        _DELIVERY.c.submission_id == bindparam("of"),
        _DELIVERY.c.fence == bindparam("held"),
        _DELIVERY.c.owner == bindparam("by"),
    )
    .values(available_at=bindparam("due"))
)
_HOLD = _EXTEND.values(filing=bindparam("files"))
_CONCLUDE = update(_ENTRY).where(_ENTRY.c.id == bindparam("of")).values({name: bindparam(name) for name in _CONCLUDED})

_INTEND = insert(_ENTRY)
_BEGIN = (
    update(_SUBMISSION)
    .where(_SUBMISSION.c.id == bindparam("of"), _SUBMISSION.c.state == State.APPROVED)
    .values(state=State.DELIVERING)
)
_SETTLE = (
    update(_SUBMISSION)
    .where(_SUBMISSION.c.id == bindparam("of"))
    .values(state=bindparam("state"), reason=bindparam("reason"))
)
_SETTLE_WITH_RECEIPT = _SETTLE.values(
    receipt_kind=bindparam("receipt_kind"),
    receipt_reference=bindparam("receipt_reference"),
    receipt_at=bindparam("receipt_at"),
    receipt_body=func.coalesce(
        select(_ENTRY.c.exchange_body).where(_ENTRY.c.id == bindparam("receipt_entry")).scalar_subquery(),
        select(_LATE.c.exchange_body).where(_LATE.c.entry_id == bindparam("receipt_entry")).scalar_subquery(),
    ),
)

_LATE_COLUMNS = ("outcome", "at", "code", "ids", "reference", "discrepancy", "exchange_body")
_CALLS = select(_ENTRY, *(_LATE.c[name].label(f"late_{name}") for name in _LATE_COLUMNS)).outerjoin(
    _LATE, _LATE.c.entry_id == _ENTRY.c.id
)
_HISTORY = _CALLS.where(_ENTRY.c.submission_id == bindparam("of")).order_by(_ENTRY.c.position)


def _held(claim: Claim, due: datetime | None) -> dict[str, object]:
    return {"of": claim.submission_id, "held": claim.fence, "by": claim.owner, "due": due}


def _told_of_call(kind: str, claim: Claim, entry: Entry, answer: Answer | None = None) -> Event:
    """Tell the custody log of a call: ids, codes and the digest of its exchange as it is sealed."""
    detail = f"{entry.step} attempt:{entry.attempt} call:{entry.id}"
    if answer is not None:
        detail += f" {answer.outcome} code:{answer.code}"
        if answer.exchange is not None:
            detail += f" sha256:{hashlib.sha256(_sealed_form(answer.exchange)).hexdigest()}"
    return Event(entry.at, ACTOR, kind, claim.reference, claim.submission_id, detail)


def _sealed_form(exchange: Exchange) -> bytes:
    return len(exchange.request).to_bytes(8, "big") + exchange.request + exchange.response


def request_in(exchange: bytes) -> bytes:
    """Give the request of an exchange as it was sealed."""
    return exchange[8 : 8 + int.from_bytes(exchange[:8], "big")]


def answer_in(exchange: bytes) -> bytes:
    """Give the response of an exchange as it was sealed."""
    return exchange[8 + int.from_bytes(exchange[:8], "big") :]


def _require_held(held: CursorResult[Any]) -> None:
    if held.rowcount != 1:
        raise LeaseLostError


def _available_at(move: Perform | Settle | Pause, now: datetime, lease: timedelta) -> datetime | None:
    match move:
        case Perform():
            return move.not_before if move.not_before > now else now + lease
        case Pause():
            return now
        case Settle():
            return None


def _answer_values(answer: Answer) -> dict[str, object]:
    return {
        "outcome": answer.outcome,
        "code": answer.code,
        "ids": json.dumps(dict(answer.ids)),
        "reference": answer.reference,
        "discrepancy": answer.discrepancy,
    }


def _entry(row: Mapping[str, Any], fence: int) -> Entry:
    late = row["outcome"] is None and row["late_outcome"] is not None
    prefix = "late_" if late else ""
    return Entry(
        id=row["id"],
        attempt=row["attempt"],
        step=row["step"],
        outcome=Outcome(row[f"{prefix}outcome"] or Outcome.UNKNOWN),
        at=row["late_at"] if late else (row["outcome_at"] or row["intent_at"]),
        own=row["fence"] == fence,
        concluded=late or row["outcome"] is not None,
        code=row[f"{prefix}code"],
        request_id=row["request_id"],
        reason=row["reason"],
        ids=json.loads(row[f"{prefix}ids"]),
        reference=row[f"{prefix}reference"],
        discrepancy=row[f"{prefix}discrepancy"],
        retry_after=None if (wait := row["retry_after_seconds"]) is None else timedelta(seconds=wait),
        exchange_body=row[f"{prefix}exchange_body"],
    )
