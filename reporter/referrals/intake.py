"""Taking a referral in: its words are sealed, its sender is protected, and what came along is sealed unopened."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from secrets import token_hex

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import IntegrityError

from keycustody.blind_index import Kind
from reporter.audit import service as audit
from reporter.cases.scalars import instant
from reporter.cases.sealing import Sealing
from reporter.clock import Clock
from reporter.contacts.model import Identifiers
from reporter.contacts.register import Register
from reporter.db.engine import reading, transaction
from reporter.errors import ReporterError, UsageError
from reporter.evidence import leftovers
from reporter.evidence import service as evidence
from reporter.evidence.bodies import BodyVault
from reporter.evidence.model import SealedItem
from reporter.evidence.vault import EvidenceVault
from reporter.referrals.attachments import Came
from reporter.referrals.clocks import Clocks
from reporter.referrals.document import ReferralDocument, parse
from reporter.referrals.keys import key_of
from reporter.referrals.model import State, Taken
from reporter.referrals.store import ATTACHMENT, ITEM, REFERRAL


@dataclass(frozen=True, slots=True)
class Intake:
    """The use case."""

    engine: Engine
    clock: Clock
    bodies: BodyVault
    vault: EvidenceVault
    register: Register
    clocks: Clocks

    def add(self, data: bytes, came: Sequence[Came], actor: str, *, remove_source: bool = False) -> Taken:
        """
        Take a referral in; the same document again adds nothing but files that came along later.

        Raises:
            DocumentError: The document or a file is refused; the findings name every one.
            UsageError: The sender is known by something that is nothing, or the referral lies in the future.
            CustodyError: A key is damaged.
            EnvironmentTroubleError: A disk is full or does not work.
        """
        document, content = parse(data)
        if instant(document.received_at) > self.clock.now():
            raise UsageError("received_at lies in the future.")
        (digest,) = self.register.indexes([(Kind.WORD, f"referral {hashlib.sha256(content).hexdigest()}")])
        known = self._known(digest)
        number = known or f"rf:{token_hex(5)}"
        there = self._attached(number)
        fresh = [_without(each, there) for each in came]
        try:
            with self._sealed(number, fresh) as sealed, transaction(self.engine) as connection:
                if known is None:
                    self._write(connection, number, digest, document, content, actor)
                if sealed:
                    self._record(connection, number, sealed, fresh, document.requested_by, actor)
                self.clocks.set(connection, self.clock.now(), number)
        except IntegrityError:  # somebody else took the same in meanwhile, and it is on record now
            if known is not None or self._known(digest) is None:
                raise
            return self.add(data, came, actor, remove_source=remove_source)
        taken = Taken(number, len(document.items), new=known is None, attachments=len(sealed))
        return self._without_sources(taken, came) if remove_source else taken

    def _attached(self, number: str) -> list[SealedItem]:
        """Give what came along and is sealed already."""
        with reading(self.engine) as connection:
            return list(evidence.sealed_items(connection, key_of(number)))

    def _known(self, digest: str) -> str | None:
        with reading(self.engine) as connection:
            query = select(REFERRAL.c.id).where(REFERRAL.c.digest == digest)
            known: str | None = connection.execute(query).scalar_one_or_none()
        return known

    @contextmanager
    def _sealed(self, number: str, came: Sequence[Came]) -> Iterator[list[SealedItem]]:
        """Seal what came along, for the block that records it; what the block does not record is taken back."""
        sealed: list[SealedItem] = []
        batch = leftovers.begin(self.engine, self.clock) if any(each.files for each in came) else ""
        try:
            for each in came:
                sealed += self.vault.seal_all(
                    key_of(number), each.files, folder=each.folder, digests=frozenset(), batch=batch
                )
            yield sealed
        except BaseException:
            Sealing(self.engine, self.vault, frozenset()).take_back(sealed)
            with suppress(ReporterError):  # it stays on record, and is swept when its time is over
                leftovers.abandon(self.engine, self.vault.objects, batch)
            raise

    def _write(
        self,
        connection: Connection,
        number: str,
        digest: str,
        document: ReferralDocument,
        content: bytes,
        actor: str,
    ) -> None:
        now, received = self.clock.now(), instant(document.received_at)
        body = self.bodies.seal(connection, key_of(number), "referral", content, now)
        row = {"sender_kind": document.sender.kind.value, "requested_by": document.requested_by, "digest": digest}
        when = {"received_at": received, "added_at": now, "added_by": actor, "body": body}
        connection.execute(insert(REFERRAL).values(id=number, **row, **when))
        waits = {"referral_id": number, "round": 1, "state": State.UNDECIDED.value, "opened_at": received}
        rows = [{**waits, "number": place} for place in range(1, len(document.items) + 1)]
        connection.execute(insert(ITEM), rows)
        detail = f"{document.sender.kind} requested_by:{document.requested_by} {len(rows)} items"
        audit.record(connection, at=now, actor=actor, kind="referral_added", reference=number, detail=detail)
        if document.sender.known_by != Identifiers():
            self.register.join(connection, document.sender.kind, document.sender.known_by, actor)

    def _record(
        self,
        connection: Connection,
        number: str,
        sealed: Sequence[SealedItem],
        came: Sequence[Came],
        requested_by: str,
        actor: str,
    ) -> None:
        evidence.record_items(connection, sealed)
        leftovers.end(connection, sealed)
        self.clocks.content_came(connection, self.clock.now(), number, actor)
        parts = [count for each in came for count in each.parts]
        for item, count in zip(sealed, parts, strict=True):
            connection.execute(insert(ATTACHMENT).values(evidence_id=item.id, referral_id=number, parts=count))
            detail = f"unopened requested_by:{requested_by} sha256:{item.sha256} {item.size} bytes"
            audit.record(
                connection, at=self.clock.now(), actor=actor, kind="attachment_sealed", reference=number,
                item=item.item, detail=detail,
            )  # fmt: skip

    def _without_sources(self, taken: Taken, came: Sequence[Came]) -> Taken:
        """Remove the files that were handed in, each once its seal is read back; one that cannot be is told of."""
        removed, left, sealed = 0, [], {item.sha256: item for item in self._attached(taken.id)}
        for folder, file in [(each.folder, file) for each in came for file in each.files]:
            item = sealed[file.sha256]
            try:
                self.vault.remove_source(item, folder=folder, path=file.path, where=file.where)
                removed += 1
            except ReporterError:
                left.append(item.item)
        return replace(taken, removed=removed, left=tuple(left))


def _without(came: Came, there: Sequence[SealedItem]) -> Came:
    """Leave out what is sealed already, and number the rest after it."""
    digests, last = {item.sha256 for item in there}, max((int(item.item[1:]) for item in there), default=0)
    fresh = [(file, parts) for file, parts in zip(came.files, came.parts, strict=True) if file.sha256 not in digests]
    files = tuple(replace(file, item=f"a{last + int(file.item[1:]):04}") for file, _ in fresh)
    return Came(came.folder, files, tuple(parts for _, parts in fresh))
