"""The sealed items of a case, with everything on record of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select
from sqlmodel import col

from reporter.cases.store import unknown
from reporter.cases.tables import CaseRecord
from reporter.db.engine import reading
from reporter.evidence import service as evidence
from reporter.evidence.examination import Finding
from reporter.evidence.model import SealedItem
from reporter.evidence.tables import Destruction, EvidenceItem, Verification


@dataclass(frozen=True, slots=True)
class Kept:
    """
    One item: its record, how many looks at it are on record, when and how it was last verified.

    ``destruction`` is the id of one that was proposed, or decided where ``destroyed_at`` is set.
    """

    sealed: SealedItem
    looks: int
    viewed_entire: bool
    verified_at: datetime | None
    finding: Finding
    destruction: str | None
    proposed_by: str | None
    destroyed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    """Reads what is on record of a case's items."""

    engine: Engine

    def of(self, reference: str) -> list[Kept]:
        """
        Give every item that any revision of a case named.

        Raises:
            NotFoundError: There is no such case.

        """
        query: Any = (
            select(
                col(EvidenceItem.id), col(Verification.at), col(Verification.finding),
                col(Destruction.id).label("destruction"), col(Destruction.proposed_by), col(Destruction.decided_at),
            )
            .outerjoin(Verification, col(Verification.evidence_id) == col(EvidenceItem.id))
            .outerjoin(Destruction, col(Destruction.evidence_id) == col(EvidenceItem.id))
            .where(col(EvidenceItem.reference) == reference)
        )  # fmt: skip
        with reading(self.engine) as connection:
            known = select(col(CaseRecord.reference)).where(col(CaseRecord.reference) == reference)
            if connection.execute(known).one_or_none() is None:
                raise unknown(reference)
            rows = {row.id: row for row in connection.execute(query)}
            items = evidence.sealed_items(connection, reference)
            extents: dict[str, list[str]] = {}
            for evidence_id, look in evidence.looks(connection, reference):
                extents.setdefault(evidence_id, []).append(look.extent)
        kept = []
        for sealed in sorted(items, key=lambda item: (item.item, item.sealed_at)):
            row, seen = rows[sealed.id], extents.get(sealed.id, [])
            finding = Finding(row.finding or "")
            kept.append(
                Kept(
                    sealed, len(seen), "entire" in seen, row.at, finding, row.destruction, row.proposed_by,
                    row.decided_at,
                )
            )  # fmt: skip
        return kept
