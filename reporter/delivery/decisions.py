"""What people decide about a submission: proposed by one, confirmed by another, and recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlmodel import col

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


class Decisions:
    """The record of decisions; every call joins the caller's transaction."""

    def __init__(self, bodies: BodyVault, clock: Clock) -> None:
        self._bodies, self._clock = bodies, clock

    def proposal(self, connection: Connection, submission_id: str) -> Proposal | None:
        """Give the decision that waits for another person, if one does; a newer one takes its place."""
        query = select(_RESOLUTION).where(_RESOLUTION.c.submission_id == submission_id)
        row = connection.execute(query.order_by(_RESOLUTION.c.id.desc()).limit(1)).one_or_none()
        if row is None or row.confirmed_at is not None:
            return None
        decision = Decision(Verdict(row.verdict), row.receipt_reference, row.receipt_at)
        return Proposal(row.id, decision, row.proposed_by, row.proposed_at)

    def decide(
        self, connection: Connection, row: Submission, decision: Decision, actor: str, reason: str, *, people: int
    ) -> bool:
        """
        Record what one of the ``people`` (1 or 2) that it takes has decided; give whether it takes effect.

        Raises:
            PolicyError: The same person proposed it, and another must confirm.
        """
        waiting = self.proposal(connection, row.id)
        agreed = waiting is not None and waiting.decision == decision
        if agreed and people > 1 and waiting is not None and waiting.by == actor:
            raise PolicyError(
                f"{actor} proposed this already, and a different person must confirm it.",
                next_step="Ask a colleague to run the same command with --as NAME.",
            )
        now, effective = self._clock.now(), agreed or people == 1
        body = self._bodies.seal(connection, row.reference, "reason", reason.encode(), now)
        confirmed = {"confirmed_by": actor, "confirmed_at": now}
        if agreed and waiting is not None:
            connection.execute(
                update(Resolution)
                .where(col(Resolution.id) == waiting.id)
                .values(confirmed_reason_body=body, **confirmed)
            )
        else:
            connection.execute(
                insert(Resolution).values(
                    submission_id=row.id,
                    verdict=decision.verdict,
                    receipt_reference=decision.reference,
                    receipt_at=decision.at,
                    reason_body=body,
                    proposed_by=actor,
                    proposed_at=now,
                    **(confirmed if effective else {}),
                )
            )
        audit.record(
            connection, at=now, actor=actor, kind="decision_made" if effective else "decision_proposed",
            reference=row.reference, item=row.id, detail=f"{row.authority} {row.environment} {decision}",
        )  # fmt: skip
        return effective

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
