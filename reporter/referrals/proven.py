"""Whether decisions on record are what people signed: a row alone settles nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from reporter.actors.service import ActorService
from reporter.errors import PolicyError
from reporter.evidence.bodies import BodyVault
from reporter.referrals.model import Exemption, Item, Outcome, Verdict
from reporter.referrals.store import DECISION

_VERB = "referral decide"


@dataclass(frozen=True, slots=True)
class Proven:
    """Checks decisions by signature, outside the sandbox."""

    actors: ActorService
    bodies: BodyVault

    @property
    def required(self) -> bool:
        """Whether a decision counts only with a signature."""
        return self.actors.required

    def require(self, connection: Connection, referral: str, item: Item) -> None:
        """
        See that whoever decided an item in its present round signed what stands there.

        Raises:
            PolicyError: A decision is nobody's, or another than the one that was signed.
            CustodyError: What was sealed does not open.
        """
        if not self.required or not item.present:
            return
        of_item = (DECISION.c.referral_id == referral) & (DECISION.c.number == item.number)
        query = select(DECISION).where(of_item, DECISION.c.round == item.round).order_by(DECISION.c.id)
        for row in connection.execute(query).all():
            if not self._holds(connection, row):
                raise PolicyError(
                    f"No signature of {row.actor}'s that holds is behind a decision about item {item.number}.",
                    next_step="Somebody wrote into the database. See: reporter actor verify",
                )

    def _holds(self, connection: Connection, row: Row[Any]) -> bool:
        signed = {"reference": row.referral_id, "digest": row.digest}
        if not self.actors.vouches(connection, row.statement, row.actor, _VERB, signed):
            return False
        content = self.bodies.open(connection, row.body)
        said = json.loads(content)
        verdict = Verdict(
            Outcome(row.outcome), row.clause, Exemption(row.exemption) if row.exemption else None,
            row.case_reference or "",
        )  # fmt: skip
        same = hashlib.sha256(content).hexdigest() == row.digest and said_of(verdict).items() <= said.items()
        return same and [row.number, row.round] in said["items"]


def said_of(verdict: Verdict) -> dict[str, str]:
    """Give a verdict as it is sealed."""
    return {
        "outcome": verdict.outcome.value,
        "clause": verdict.clause,
        "exemption": verdict.exemption.value if verdict.exemption else "",
        "case": verdict.case,
    }
