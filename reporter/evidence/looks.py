"""
Looking at evidence: what is on record before the first byte comes out, and what is added once the last one did.

Opening proves that bytes left, not that anybody saw them. It is on record as ``opened``, which says nothing of viewing.
What was viewed, and how much of it, is a person's own word, and it is taken only where the item came out whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Engine

from reporter.actors.service import Require, names_suffice
from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import CustodyError, NotFoundError, UsageError
from reporter.evidence import service as evidence
from reporter.evidence.model import Look, SealedItem
from reporter.evidence.permits import Permits
from reporter.evidence.tombstones import Tombstones
from reporter.evidence.vault import EvidenceVault

#: A tool's clock may be so much ahead of ours.
_SKEW = timedelta(minutes=5)


class Purpose(StrEnum):
    """What evidence may be looked at for; access is kept to what is needed (18 USC 2258B(c)(1))."""

    REVIEW = "review"
    REPORT = "report"
    APPEAL = "appeal"
    LAW_ENFORCEMENT = "law_enforcement"
    LEGAL_PROCESS = "legal_process"
    EXPORT_CHECK = "export_check"
    INTEGRITY = "integrity"


#: Each purpose in words.
PURPOSES = {
    Purpose.REVIEW: "judge whether it is what the case says it is",
    Purpose.REPORT: "say something of it in a report, or supplement one",
    Purpose.APPEAL: "judge it again because somebody objects",
    Purpose.LAW_ENFORCEMENT: "answer an officer's question about a report",
    Purpose.LEGAL_PROCESS: "answer a warrant, an order or a subpoena",
    Purpose.EXPORT_CHECK: "see that an export holds what it must",
    Purpose.INTEGRITY: "find out what is wrong with a damaged item",
}


class Extent(StrEnum):
    """How much was seen; only ``ENTIRE`` is "viewed the entire contents" (NCMEC, fileViewedByEsp)."""

    OPENED = "opened"
    ENTIRE = "entire"
    PARTIAL = "partial"
    BLURRED = "blurred"
    THUMBNAIL = "thumbnail"
    METADATA = "metadata"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants to look at what, what for, and how much of it they say they see; ``metadata``: that too."""

    reference: str
    item: str
    actor: str
    purpose: Purpose
    extent: Extent = Extent.OPENED
    metadata: bool = False

    def look(self, at: str, extent: Extent, via: str) -> Look:
        """Give it as an entry of the view log."""
        told = extent is self.extent and extent is not Extent.OPENED
        metadata = extent is Extent.METADATA or (self.metadata and told)
        return Look(self.actor, at, extent.value, metadata, self.purpose.value, via)


class LookService:
    """Opens evidence for people, and keeps the view log; ``people`` (1 or 2) is how many an opening takes."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        vault: EvidenceVault,
        tombstones: Tombstones,
        people: int,
        require: Require = names_suffice,
    ) -> None:
        self._engine, self._clock, self._vault, self._people = engine, clock, vault, people
        self._tombstones = tombstones
        self.permits = Permits(engine, clock, require)

    def open(self, asked: Asked, via: str, consume: Callable[[Iterable[bytes]], None]) -> None:
        """
        Hand the plaintext of an item to ``consume``, which returns once whoever reads has had all of it.

        Raises:
            NotFoundError: There is no such item, or it was destroyed.
            PolicyError: A second person has not granted it.
            CustodyError: It does not open, or is not what was sealed; what came out is not to be relied upon.

        """
        with self.opened(asked, via) as pieces:
            consume(pieces)

    @contextmanager
    def opened(self, asked: Asked, via: str) -> Iterator[Iterator[bytes]]:
        """
        Give the plaintext of an item to the block, which ends once whoever reads has had all of it.

        The opening is on record, committed, before the first byte. The last piece comes out only where everything
        before it was what was sealed. The extent asked for is put on record only if the block ends having taken the
        last byte; otherwise what came out counts as partial. An error of the block is passed on.

        Raises:
            NotFoundError: There is no such item, or it was destroyed.
            PolicyError: A second person has not granted it.
            CustodyError: It does not open, or is not what was sealed; what came out is not to be relied upon.

        """
        sealed = self._begin(asked, via)
        passed = 0

        def counted() -> Iterator[bytes]:
            nonlocal passed
            for piece in self._vault.open(sealed):
                yield piece
                passed += len(piece)

        try:
            yield counted()
        except CustodyError:
            self._end(asked, sealed, via, passed, "failed")
            if tombstone := self._tombstones.where_key_is_gone(self._vault.keys, sealed):
                raise gone(sealed, tombstone.certificate) from None
            raise
        except BaseException:
            self._end(asked, sealed, via, passed, "interrupted")
            raise
        self._end(asked, sealed, via, passed, "whole" if passed == sealed.size else "interrupted")

    def viewed(self, asked: Asked, at: str | None = None) -> bool:
        """
        Put a look that another tool showed on record; the same again changes nothing. Give whether it was new.

        Raises:
            NotFoundError: There is no such item.
            UsageError: ``at`` is no moment with its offset, or lies ahead.

        """
        now = self._clock.now()
        with transaction(self._engine) as connection:
            sealed = evidence.find_item(connection, asked.reference, asked.item)
            look = asked.look(_past(at, now) if at else now.isoformat(), asked.extent, "tool")
            new = evidence.record_look(connection, sealed.id, look, now)
            if new:
                self._tell(connection, "evidence_viewed", asked, sealed, f"{_said(look)} via tool at {look.at}")
            return new

    def views(self, reference: str, item: str | None = None) -> list[tuple[str, Look]]:
        """
        Give the view log of a case, or of one item, oldest first; each entry with the item's name.

        Raises:
            NotFoundError: There is no such item.

        """
        with transaction(self._engine) as connection:
            records = evidence.sealed_items(connection, reference)
            if item is not None:
                records = [evidence.find_item(connection, reference, item)]
            names = {record.id: record.item for record in records}
            return [(names[key], look) for key, look in evidence.looks(connection, reference) if key in names]

    def _begin(self, asked: Asked, via: str) -> SealedItem:
        now = self._clock.now()
        with reading(self._engine) as connection:
            sealed = evidence.find_item(connection, asked.reference, asked.item)
        if tombstone := self._tombstones.over(sealed):  # a restored database may not know, and its key may be back
            raise gone(sealed, tombstone.certificate)
        with transaction(self._engine) as connection:
            if certificate := evidence.destroyed(connection, asked.reference).get(sealed.id):
                raise gone(sealed, certificate)
            granted = ""
            if self._people > 1:
                granted = f" granted by {self.permits.use(connection, sealed, asked.actor, asked.purpose, now)}"
            look = asked.look(now.isoformat(), Extent.OPENED, via)
            evidence.record_look(connection, sealed.id, look, now)
            self._tell(connection, "evidence_opened", asked, sealed, f"{asked.purpose} via {via}{granted}")
        return sealed

    def _end(self, asked: Asked, sealed: SealedItem, via: str, passed: int, how: str) -> None:
        now = self._clock.now()
        extent = asked.extent if how == "whole" else Extent.PARTIAL if passed else Extent.OPENED
        look = asked.look(now.isoformat(), extent, via)
        with transaction(self._engine) as connection:
            if extent is not Extent.OPENED:
                evidence.record_look(connection, sealed.id, look, now)
            detail = f"{how}, {passed} of {sealed.size} bytes; {_said(look)}"
            kind = "evidence_open_failed" if how == "failed" else "evidence_closed"
            self._tell(connection, kind, asked, sealed, detail)

    def _tell(self, connection: Connection, kind: str, asked: Asked, sealed: SealedItem, detail: str) -> None:
        audit.record(
            connection, at=self._clock.now(), actor=asked.actor, kind=kind, reference=sealed.reference,
            item=sealed.item, detail=f"{sealed.id} {detail}",
        )  # fmt: skip


def gone(sealed: SealedItem, certificate: str) -> NotFoundError:
    """Give the error for an item that was destroyed."""
    return NotFoundError(
        f"Evidence {sealed.item} of case {sealed.reference} was destroyed.",
        next_step=f"See: reporter evidence certificate {certificate}",
    )


def _said(look: Look) -> str:
    return f"{look.extent}{' with metadata' if look.metadata_viewed else ''}, {look.purpose}"


def _past(text: str, now: datetime) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at > now + _SKEW:
        raise UsageError("--at needs a moment in the past with its offset from UTC, such as 2026-11-20T14:05:00Z.")
    return text
