"""Dispositions on record, and the certificate that each leaves."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import Connection, select

from reporter.errors import NotFoundError
from reporter.evidence.destruction import Word
from reporter.retention.clocks import Kept
from reporter.retention.policy import Policy
from reporter.retention.tables import Disposition, DispositionEntry

BATCH = Disposition.__table__  # type: ignore[attr-defined]
ENTRY = DispositionEntry.__table__  # type: ignore[attr-defined]
_STATEMENT = (
    "Each case listed as destroyed was destroyed whole: its items, its key, and with it every sealed body. The clocks "
    "listed are those that had kept it, as they stood when it was proposed; each was over, and no hold stood, when its "
    "destruction was decided. What was kept says why."
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One case of a disposition: the clocks that kept it (JSON), and what became of it."""

    reference: str
    clocks: str
    outcome: str
    why: str
    certificate: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """One disposition; ``first`` and ``second`` are the two words that it takes."""

    number: int
    proposed_by: str
    proposed_at: datetime
    first: Word | None
    second: Word | None
    withdrawn_at: datetime | None
    carried_out_at: datetime | None
    certificate: str | None
    keep_until: datetime | None
    policy: int | None
    entries: tuple[Entry, ...]

    @property
    def state(self) -> str:
        """Give where it stands, as a code."""
        if self.withdrawn_at:
            return "withdrawn"
        if self.carried_out_at:
            return "carried_out"
        return "confirmed" if self.second else "half_confirmed" if self.first else "proposed"


def batch_of(connection: Connection, number: int, *, lock: bool = False) -> Batch:
    """
    Give a disposition.

    Raises:
        NotFoundError: There is none of that number.
    """
    query = select(BATCH).where(BATCH.c.number == number)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no disposition {number}.", next_step="See: reporter retention batches")
    entries = connection.execute(select(ENTRY).where(ENTRY.c.batch == number).order_by(ENTRY.c.reference))
    return Batch(
        row.number, row.proposed_by, row.proposed_at, _word(row, "first"), _word(row, "second"), row.withdrawn_at,
        row.carried_out_at, row.certificate, row.keep_until, row.policy,
        tuple(Entry(e.reference, e.clocks, e.outcome, e.why, e.certificate) for e in entries),
    )  # fmt: skip


def written(kept: Kept) -> str:
    """Write down the clocks of a case, for the certificate."""
    clocks = [
        {
            "rule": f"{clock.rule}/{clock.version}", "retention": clock.retention, "side": clock.side.value,
            "ends": _text(clock.ends), "cause": clock.cause, "source": clock.source,
        }
        for clock in kept.material.clocks
    ]  # fmt: skip
    return rfc8785.dumps(clocks).decode()


def certified(batch: Batch, policy: Policy | None, at: datetime) -> tuple[str, str]:
    """Give the certificate of a disposition as canonical JSON (RFC 8785), and its SHA-256."""
    words = [{"by": word.by, "at": _text(word.at)} for word in (batch.first, batch.second) if word]
    fields: dict[str, Any] = {
        "disposition": batch.number,
        "version": 1,
        "proposed": {"by": batch.proposed_by, "at": _text(batch.proposed_at)},
        "confirmed": [] if policy else words,
        "standing_policy": {**policy.terms.subject, "adopted": words} if policy else None,
        "carried_out_at": _text(at),
        "destroyed": [
            {"reference": entry.reference, "certificate": entry.certificate, "clocks": json.loads(entry.clocks)}
            for entry in batch.entries
            if entry.outcome == "destroyed"
        ],
        "kept": [
            {"reference": entry.reference, "why": entry.why} for entry in batch.entries if entry.outcome == "kept"
        ],
        "statement": _STATEMENT,
    }
    content = rfc8785.dumps(fields)
    return content.decode(), hashlib.sha256(content).hexdigest()


def _word(row: Any, which: str) -> Word | None:
    by, at = getattr(row, f"{which}_by"), getattr(row, f"{which}_at")
    return Word(by, at) if by else None


def _text(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else None
