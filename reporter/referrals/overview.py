"""What became of a referral: for the people here, each of whom sees what they may."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import CustodyError
from reporter.evidence.bodies import BodyVault
from reporter.referrals.document import ReferralDocument, parse
from reporter.referrals.model import Item, Referral, Summary
from reporter.referrals.store import load, summaries


@dataclass(frozen=True, slots=True)
class Said:
    """The words of a referral: what was sent, and by the ids of their bodies why people decided as they did."""

    document: ReferralDocument = field(repr=False)
    reasons: dict[str, dict[str, str]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Overview:
    """Looks at referrals; who reads words is on record."""

    engine: Engine
    clock: Clock
    bodies: BodyVault

    def list(self) -> Sequence[Summary]:
        """Give a line for every referral, oldest first."""
        with reading(self.engine) as connection:
            return summaries(connection)

    def show(self, referral: str) -> Referral:
        """
        Give a referral; its items are to be shown only as ``Referral.seen_by`` gives them.

        Raises:
            NotFoundError: There is none of that id.
        """
        with reading(self.engine) as connection:
            return load(connection, referral)

    def words(self, shown: Referral, items: Sequence[Item], actor: str) -> Said:
        """
        Open what was sent, and why the given items, as ``actor`` may see them, were decided as they were.

        Raises:
            CustodyError: A body does not open, or a row says something else than was sealed.
        """
        with transaction(self.engine) as connection:
            audit.record(connection, at=self.clock.now(), actor=actor, kind="words_read", reference=shown.id)
            document, _ = parse(self.bodies.open(connection, shown.body))
            bodies = {made.body for item in items for made in item.decisions}
            reasons = {body: json.loads(self.bodies.open(connection, body)) for body in bodies}
            for item in items:
                _hold_to_seal(shown, item, reasons)
            for again in shown.reopenings:
                reasons[again.body] = {"reason": self.bodies.open(connection, again.body).decode()}
        return Said(document, reasons)


def _hold_to_seal(shown: Referral, item: Item, records: Mapping[str, Mapping[str, Any]]) -> None:
    """See that the rows say what people decided: the sealed record, whose digest they signed and the log has."""
    for made in item.decisions:
        record, verdict = records[made.body], made.verdict
        said = (verdict.outcome.value, verdict.clause, verdict.exemption or "", verdict.case)
        sealed = tuple(record[name] for name in ("outcome", "clause", "exemption", "case"))
        if said != sealed or [item.number, made.round] not in record["items"]:
            raise CustodyError(f"Item {item.number} of {shown.id}: the database says something else than was decided.")
