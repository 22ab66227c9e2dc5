"""
Break-glass: where somebody is at immediate risk, one person approves alone, and another reviews it within a day.

To delivery it is an approval like any other. What makes it one is signed as such, so that no ordinary approval can pass
for it; until somebody has reviewed it, it stands on the board and alarms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, select, update
from sqlmodel import col

from reporter.actors.service import ActorService, Witness
from reporter.audit import service as audit
from reporter.authority import Environment
from reporter.cases.model import Case
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.errors import PolicyError, UsageError
from reporter.evidence.bodies import BodyVault
from reporter.submissions.approvals import ALONE, VERB, signed
from reporter.submissions.duties import level_of
from reporter.submissions.tables import BreakGlass, Submission
from reporter.tasks.model import Kind
from reporter.tasks.service import close_task, open_task

_GLASS = BreakGlass.__table__  # type: ignore[attr-defined]
#: How soon another person reviews it: a rule of the house, and no law.
REVIEWED_WITHIN = timedelta(days=1)
_IMMEDIATE = 1
_AGREED = "agreed"


@dataclass(frozen=True, slots=True)
class Alone:
    """What one person approved alone; the words are theirs, and the reviewer's."""

    reference: str
    authority: str
    digest: str
    actor: str
    at: datetime
    reason: str = field(repr=False)
    reviewed_by: str | None = None
    verdict: str = ""


def require_emergency(case: Case, reason: str) -> None:
    """
    See that one person may approve a case alone.

    Raises:
        UsageError: There is no reason.
        PolicyError: The case does not say that the risk is immediate.
    """
    if not reason.strip():
        raise UsageError("--break-glass needs --reason, in words.")
    if level_of(case) != _IMMEDIATE:
        raise PolicyError(
            f"Case {case.reference} is of no immediate risk (incident.urgency.level), so it takes everybody it takes.",
            next_step=f"Ask a colleague to run: reporter submission approve {case.reference} --as NAME",
        )


class Emergencies:
    """The record of what was approved alone, and its reviews."""

    def __init__(self, engine: Engine, clock: Clock, bodies: BodyVault, actors: ActorService) -> None:
        self._engine, self._clock, self._bodies, self._actors = engine, clock, bodies, actors

    def approve(
        self,
        connection: Connection,
        submission_id: str,
        subject: Mapping[str, str],
        actor: str,
        reason: str,
        witness: Witness,
    ) -> None:
        """
        Record that one person approved ``subject`` alone, in the caller's transaction; a review is due within a day.

        Raises:
            PolicyError: Nothing was signed where it must be.
        """
        now, reference = self._clock.now(), subject["reference"]
        statement = signed(connection, {**subject, **ALONE}, witness)
        body = self._bodies.seal(connection, reference, "reason", reason.encode(), now)
        row = {"submission_id": submission_id, "digest": subject["digest"], "actor": actor, "at": now}
        connection.execute(insert(BreakGlass).values(**row, statement=statement, reason_body=body, verdict=""))
        audit.record(
            connection, at=now, actor=actor, kind="break_glass", reference=reference, item=submission_id,
            detail=f"{subject['authority']} {subject['environment']} sha256:{subject['digest']}",
        )  # fmt: skip
        open_task(
            connection, now, kind=Kind.REVIEW, about=_matter(submission_id, subject["digest"]), reference=reference,
            authority=subject["authority"], level=_IMMEDIATE, due=now + REVIEWED_WITHIN, actor=actor,
        )  # fmt: skip

    def waiting(self, reference: str, authority: str, actor: str) -> list[Alone]:
        """
        Give what waits for review, with the reasons; that somebody read them is recorded.

        Raises:
            PolicyError: Nothing waits.
        """
        with transaction(self._engine) as connection:
            rows = self._waiting(connection, reference, authority)
            audit.record(connection, at=self._clock.now(), actor=actor, kind="words_read", reference=reference)
            return [self._alone(connection, row) for row in rows]

    def review(self, reference: str, authority: str, actor: str, reason: str, *, agree: bool) -> list[Alone]:
        """
        Say whether what somebody approved alone was right; what was sent stays sent.

        Raises:
            UsageError: No reason is given.
            PolicyError: Nothing waits, this person approved it, or one of the two signed nothing that says so.
        """
        if not reason.strip():
            raise UsageError("A review needs its reason, in words.")
        verdict, now = _AGREED if agree else "disagreed", self._clock.now()
        with transaction(self._engine) as connection:
            rows = self._waiting(connection, reference, authority)
            if any(row.actor == actor for row in rows):
                raise PolicyError(f"{actor} approved it alone, and a different person must review it.")
            self._actors.require(connection, actor, _review(reference, authority, verdict), now)
            for row in rows:
                self._require_approved(connection, row)
                body = self._bodies.seal(connection, reference, "reason", reason.encode(), now)
                values = {"reviewed_by": actor, "reviewed_at": now, "verdict": verdict, "review_reason_body": body}
                connection.execute(update(BreakGlass).where(col(BreakGlass.id) == row.id).values(**values))
                audit.record(
                    connection, at=now, actor=actor, kind="break_glass_reviewed", reference=reference,
                    item=row.submission_id, detail=f"{verdict} sha256:{row.digest}",
                )  # fmt: skip
                close_task(
                    connection, now, kind=Kind.REVIEW, about=_matter(row.submission_id, row.digest), actor=actor,
                    outcome=verdict,
                )  # fmt: skip
            return [self._alone(connection, row, actor, verdict) for row in rows]

    def _waiting(self, connection: Connection, reference: str, authority: str) -> list[Row[Any]]:
        """Give what nobody has reviewed yet, held until the transaction ends; an unsigned review is none."""
        rows = connection.execute(
            select(_GLASS, col(Submission.reference), col(Submission.authority), col(Submission.environment))
            .join(Submission, col(Submission.id) == _GLASS.c.submission_id)
            .where(col(Submission.reference) == reference, col(Submission.authority) == authority)
            .order_by(_GLASS.c.id)
            .with_for_update(of=_GLASS)
        ).all()
        waiting = [row for row in rows if not self._reviewed(connection, row)]
        if not waiting:
            raise PolicyError(
                f"Nothing of {reference} for {authority} waits for review.", next_step="See: reporter board"
            )
        return waiting

    def _reviewed(self, connection: Connection, row: Row[Any]) -> bool:
        if row.reviewed_at is None or row.environment == Environment.SANDBOX:
            return row.reviewed_at is not None
        said = _review(row.reference, row.authority, row.verdict)
        return row.reviewed_by != row.actor and self._actors.said(connection, row.reviewed_by, said, row.reviewed_at)

    def _require_approved(self, connection: Connection, row: Row[Any]) -> None:
        """See that whoever a row says approved alone did: else they could review it themselves, by another's name."""
        if row.environment == Environment.SANDBOX:
            return
        subject = {"digest": row.digest, **ALONE}
        if not self._actors.vouches(connection, row.statement, row.actor, VERB, subject):
            raise PolicyError(
                f"No signature of {row.actor}'s that holds says that they approved it alone.",
                next_step="Somebody wrote into the database. See: reporter actor verify",
            )

    def _alone(self, connection: Connection, row: Row[Any], reviewer: str | None = None, verdict: str = "") -> Alone:
        reason = self._bodies.open(connection, row.reason_body).decode()
        return Alone(row.reference, row.authority, row.digest, row.actor, row.at, reason, reviewer, verdict)


def _matter(submission_id: str, digest: str) -> str:
    return f"{submission_id} {digest}"


def _review(reference: str, authority: str, verdict: str) -> dict[str, dict[str, str]]:
    """Give what whoever reviews signs."""
    return {"submission review": {"reference": reference, "authority": authority, "agree": str(verdict == _AGREED)}}
