"""What people decide about a submission: proposed by one, confirmed by another, and recorded."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlmodel import col

from reporter.actors.service import Require, names_suffice
from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.delivery.model import Verdict
from reporter.delivery.tables import Resolution
from reporter.errors import PolicyError
from reporter.evidence.bodies import BodyVault
from reporter.submissions.tables import Submission

_RESOLUTION = Resolution.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, and with it the receipt that people know of."""

    verdict: Verdict
    reference: str = ""
    at: datetime | None = None

    def __str__(self) -> str:
        when = f" at {self.at:%Y-%m-%dT%H:%M:%SZ}" if self.at else ""
        return f"{self.verdict} {self.reference}".replace("_", " ").strip() + when


@dataclass(frozen=True, slots=True)
class Proposal:
    """A decision that waits for another person."""

    id: int
    decision: Decision
    by: str
    at: datetime
    marker: str


class Decisions:
    """The record of decisions; every call joins the caller's transaction. ``require`` sees what people signed."""

    def __init__(self, bodies: BodyVault, clock: Clock, require: Require = names_suffice) -> None:
        self._bodies, self._clock, self._require = bodies, clock, require

    def proposal(self, connection: Connection, submission_id: str) -> Proposal | None:
        """Give the decision that waits for another person, if one does; a newer one takes its place."""
        query = select(_RESOLUTION).where(_RESOLUTION.c.submission_id == submission_id)
        row = connection.execute(query.order_by(_RESOLUTION.c.id.desc()).limit(1)).one_or_none()
        if row is None or row.confirmed_at is not None:
            return None
        decision = Decision(Verdict(row.verdict), row.receipt_reference, row.receipt_at)
        return Proposal(row.id, decision, row.proposed_by, row.proposed_at, row.marker or "")

    def propose(
        self, connection: Connection, row: Submission, decision: Decision, actor: str, reason: str
    ) -> tuple[Proposal, bool]:
        """Give the proposal of this decision, and whether it is new; a different one that waits is replaced."""
        waiting = self.proposal(connection, row.id)
        if waiting is not None and waiting.decision == decision:
            return waiting, False
        now, marker = self._clock.now(), uuid.uuid4().hex
        number = connection.execute(
            insert(_RESOLUTION)
            .values(
                submission_id=row.id,
                verdict=decision.verdict,
                receipt_reference=decision.reference,
                receipt_at=decision.at,
                marker=marker,
                reason_body=self._bodies.seal(connection, row.reference, "reason", reason.encode(), now),
                proposed_by=actor,
                proposed_at=now,
            )
            .returning(_RESOLUTION.c.id)
        ).scalar_one()
        self._record(connection, row, decision, actor, "decision_proposed")
        return Proposal(number, decision, actor, now, marker), True

    def confirm(
        self, connection: Connection, row: Submission, proposed: Proposal, actor: str, reason: str, *, people: int
    ) -> None:
        """
        Let a proposal take effect, which takes so many ``people`` (1 or 2).

        Raises:
            PolicyError: The same person proposed it, and another must confirm; it was decided otherwise meanwhile; or
                one of them did not sign it, or may not decide it any more.
        """
        waiting = self.proposal(connection, row.id)
        if waiting is None or waiting.id != proposed.id:
            raise PolicyError("Somebody has decided otherwise meanwhile.", next_step="See: reporter delivery list")
        if people > 1 and waiting.by == actor:
            raise PolicyError(
                f"{actor} proposed this already, and a different person must confirm it.",
                next_step="Ask a colleague to run the same command with --as NAME.",
            )
        now, acts = self._clock.now(), _signed(row, waiting.decision)
        for who, at in {waiting.by: waiting.at, actor: now}.items():
            self._require(connection, who, acts, at)
        values: dict[str, object] = {"confirmed_by": actor, "confirmed_at": now}
        if waiting.by != actor:  # whose words are there already
            values["confirmed_reason_body"] = self._bodies.seal(
                connection, row.reference, "reason", reason.encode(), now
            )
        connection.execute(update(Resolution).where(col(Resolution.id) == waiting.id).values(**values))
        self._record(connection, row, waiting.decision, actor, "decision_made")

    def _record(self, connection: Connection, row: Submission, decision: Decision, actor: str, kind: str) -> None:
        audit.record(
            connection, at=self._clock.now(), actor=actor, kind=kind, reference=row.reference, item=row.id,
            detail=f"{row.authority} {row.environment} {decision}",
        )  # fmt: skip

    def reasons(self, connection: Connection, submission_id: str) -> Sequence[tuple[str, str]]:
        """Give who decided what about a submission, and why in their own words, oldest first."""
        query = select(_RESOLUTION).where(_RESOLUTION.c.submission_id == submission_id).order_by(_RESOLUTION.c.id)
        told = []
        for row in connection.execute(query):
            decision = Decision(Verdict(row.verdict), row.receipt_reference, row.receipt_at)
            told.append((f"{row.proposed_by}, {decision}", self._open(connection, row.reason_body)))
            if row.confirmed_reason_body:
                told.append((f"{row.confirmed_by}, the same", self._open(connection, row.confirmed_reason_body)))
        return told

    def _open(self, connection: Connection, body: str) -> str:
        return self._bodies.open(connection, body).decode()


def _signed(row: Submission, decision: Decision) -> dict[str, dict[str, str]]:
    """Give what people sign who decide this about a submission, by the command that they run."""
    about = {"reference": row.reference, "authority": row.authority}
    match decision.verdict:
        case Verdict.WITHDRAWN:
            return {"submission withdraw": about}
        case Verdict.RECEIPT:
            return {"submission record-receipt": {**about, "receipt": decision.reference}}
        case Verdict.ACCEPTED:
            return {"delivery resolve": {**about, "receipt": decision.reference}}
        case Verdict.NOT_ACCEPTED:
            return {"delivery resolve": {**about, "accepted": "False"}}
