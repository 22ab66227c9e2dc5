"""
Approvals: who said yes to which bytes, and whether that is enough.

In the sandbox names count. Outside it only enrolled people do: whoever approves signs the digest, and signatures are
checked again whenever approvals are counted, so that no row that was slipped into the database sends anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, Row, insert, select
from sqlmodel import col

from reporter.actors.service import ActorService, Witness
from reporter.authority import Environment
from reporter.cases.records import PREPARES, Revision, StoredCase
from reporter.clock import Clock
from reporter.contacts.model import Named
from reporter.errors import PolicyError
from reporter.submissions.tables import Approval, BreakGlass

VERB = "submission approve"
#: Stands in the statement of somebody who approves alone; no other statement can pass for one.
ALONE = {"break_glass": "True"}
_GLASS = BreakGlass.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Approving:
    """Who approves what; ``alone`` is why one person is enough, in words."""

    stored: StoredCase
    actor: str
    witness: Witness
    named: tuple[Named, ...] = field(repr=False)
    alone: str | None = field(default=None, repr=False)


def signed(connection: Connection, subject: Mapping[str, str], witness: Witness) -> str | None:
    """
    Have an approval signed; give where the statement is kept, or None in the sandbox.

    Raises:
        PolicyError: Nothing was signed where it must be.
    """
    statement = witness(connection, subject)
    if statement is None and subject["environment"] != Environment.SANDBOX:
        raise PolicyError("Outside the sandbox an approval is signed by somebody enrolled.")
    return statement


class Approvals:
    """The record of approvals; every call joins the caller's transaction. ``people`` must agree, the preparer too."""

    def __init__(self, actors: ActorService, clock: Clock, people: int) -> None:
        self._actors, self._clock, self._people = actors, clock, people

    def give(
        self,
        connection: Connection,
        submission_id: str,
        subject: Mapping[str, str],
        prepared: Revision,
        actor: str,
        witness: Witness,
    ) -> int:
        """
        Record that a person approves ``subject`` (reference, authority, environment, digest); give how many more must.

        Raises:
            PolicyError: They prepared the case or have approved it already, or nothing was signed where it must be.
        """
        digest = subject["digest"]
        given = {row.actor for row in self._rows(connection, submission_id, digest)}
        if self._people > 1 and actor in given | {prepared.actor}:
            part = "prepared this case" if actor == prepared.actor else "has approved it already"
            raise PolicyError(
                f"approval.people = {self._people}: {actor} {part}, and a different person must approve.",
                next_step=f"Ask a colleague to run: reporter submission approve {subject['reference']} --as NAME",
            )
        statement = signed(connection, subject, witness)
        connection.execute(
            insert(Approval).values(
                submission_id=submission_id, actor=actor, digest=digest, at=self._clock.now(), statement=statement
            )
        )
        return self.missing(connection, submission_id, subject, prepared)

    def missing(
        self, connection: Connection, submission_id: str, subject: Mapping[str, str], prepared: Revision
    ) -> int:
        """Say how many people have yet to approve ``subject``; what is signed is checked again, the case too."""
        missing = self._lacking(connection, submission_id, subject, prepared)
        return 0 if missing and self._alone(connection, submission_id, subject) else missing

    def _lacking(
        self, connection: Connection, submission_id: str, subject: Mapping[str, str], prepared: Revision
    ) -> int:
        reference, digest, environment = (subject[key] for key in ("reference", "digest", "environment"))
        rows = self._rows(connection, submission_id, digest)
        if environment == Environment.SANDBOX:
            counted = {row.actor for row in rows} | {prepared.actor}
        else:
            counted = {row.actor for row in rows if self._vouched(connection, row, digest)}
            if not counted:
                return self._people
            about = {"reference": reference, "digest": prepared.digest}
            if self._actors.said(connection, prepared.actor, dict.fromkeys(PREPARES, about), prepared.at):
                counted.add(prepared.actor)
        return max(0, self._people - len(counted))

    def _alone(self, connection: Connection, submission_id: str, subject: Mapping[str, str]) -> bool:
        """Whether somebody approved it alone because of an immediate risk."""
        digest, environment = subject["digest"], subject["environment"]
        query = select(_GLASS.c.actor, _GLASS.c.statement)
        of_digest = query.where(_GLASS.c.submission_id == submission_id, _GLASS.c.digest == digest)
        return any(
            environment == Environment.SANDBOX
            or self._actors.vouches(connection, row.statement, row.actor, VERB, {"digest": digest, **ALONE})
            for row in connection.execute(of_digest).all()
        )

    def _vouched(self, connection: Connection, row: Row[str, str | None], digest: str) -> bool:
        return self._actors.vouches(connection, row.statement, row.actor, VERB, {"digest": digest})

    @staticmethod
    def _rows(connection: Connection, submission_id: str, digest: str) -> list[Row[str, str | None]]:
        query = select(col(Approval.actor), col(Approval.statement)).where(
            col(Approval.submission_id) == submission_id, col(Approval.digest) == digest
        )
        return list(connection.execute(query).all())
