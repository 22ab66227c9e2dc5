"""
Destroying an item: two people decide, its key goes, then its object, and a certificate is left.

The decision is committed first and never taken back. Every step after it can be repeated, so what a crash interrupts
is gone on with (``resume``), and nothing is ever half destroyed without being on record as such. Whether something may
be destroyed is asked again in the transaction that decides it, with the case's row locked: whoever places a hold, or
approves a submission, locks the same row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, insert, select, update
from sqlmodel import col

from reporter.actors.service import Require, names_suffice
from reporter.cases.tables import CaseRecord
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import PolicyError, UsageError
from reporter.evidence import service as evidence
from reporter.evidence.attestation import attest
from reporter.evidence.bodies import BodyVault
from reporter.evidence.custody import custody_errors
from reporter.evidence.model import SealedItem
from reporter.evidence.removal import Removal, acts_of, refuse_same
from reporter.evidence.tables import Destruction
from reporter.evidence.tombstones import people_of
from reporter.evidence.vault import EvidenceVault

_DESTRUCTION = Destruction.__table__  # type: ignore[attr-defined]
#: Says why an item must not be destroyed now, or None; asked with the case's row locked.
Objection = Callable[[Connection, SealedItem], str | None]
#: How long a destruction is left to whoever carries it out before somebody else goes on with it.
LEFT_ALONE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What a word came to: the id of the certificate, and whether another person must still say the same."""

    id: str
    proposed_by: str
    decided: bool


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said of a destruction, and when."""

    by: str
    at: datetime


def people_in(proposed: Word, decided: Word) -> dict[str, Any]:
    """Give who said what and when, as ``people_of`` gives it of a row."""
    first = {"proposed_by": proposed.by, "proposed_at": proposed.at}
    return {**first, "decided_by": decided.by, "decided_at": decided.at}


@dataclass(frozen=True, slots=True)
class Resumed:
    """
    Certificates of what is gone now, items whose key is ``back`` while only a tombstone tells of their end, and items
    or cases that are ``stopped``, each with what stops it: a hold in the object store, or a decision nobody signed.
    """

    finished: tuple[str, ...]
    back: tuple[str, ...]
    stopped: tuple[tuple[str, str], ...]

    def __add__(self, other: Resumed) -> Resumed:
        return Resumed(self.finished + other.finished, self.back + other.back, self.stopped + other.stopped)


class EvidenceDestruction:
    """Destroys items; ``objections`` are asked in turn, ``require`` sees what people signed."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        vault: EvidenceVault,
        bodies: BodyVault,
        removal: Removal,
        objections: Sequence[Objection],
        require: Require = names_suffice,
    ) -> None:
        self._require = require
        self._engine, self._clock, self._vault, self._bodies = engine, clock, vault, bodies
        self._removal, self._objections = removal, objections

    def asking(self, objections: Sequence[Objection]) -> EvidenceDestruction:
        """Give the same with other objections, for whom the law lets something come before the usual ones."""
        return EvidenceDestruction(
            self._engine, self._clock, self._vault, self._bodies, self._removal, objections, self._require
        )

    # --- deciding -------------------------------------------------------------------------------------------

    def destroy(self, reference: str, item: str, actor: str, reason: str) -> Destroyed:
        """
        Propose to destroy an item, or decide what another person proposed; what is decided is carried out at once.

        Raises:
            UsageError: No reason is given.
            NotFoundError: There is no such item.
            PolicyError: Something stands against it, one person says both words, or one of two signed nothing.
            EnvironmentTroubleError: A store does not let it be removed now; it is decided, and ``resume`` goes on.

        """
        if not reason.strip():
            raise UsageError("A destruction needs its reason, in words.")
        with reading(self._engine) as connection:
            sealed = evidence.find_item(connection, reference, item)
        self._removal.refuse_where_held(sealed)  # asked before the case is locked: the store may be far away
        with transaction(self._engine) as connection:
            lock(connection, reference)
            row = self._row(connection, sealed.id)
            if row is None or row.decided_at is None:
                self.refuse(connection, sealed)
            if row is None:
                return self._propose(connection, sealed, actor, reason)
            if row.decided_at is None:
                refuse_same(row.proposed_by, actor)
                now, acts = self._clock.now(), acts_of(sealed)
                for who, at in ((row.proposed_by, row.proposed_at), (actor, now)):
                    self._require(connection, who, acts, at)
                body = self._bodies.seal(connection, reference, "reason", reason.encode(), now)
                self._decide(connection, sealed, row.id, Word(actor, now), decided_reason_body=body)
                proposed = Word(row.proposed_by, row.proposed_at)
                attest(connection, self._bodies, reference, sealed.id, people_in(proposed, Word(actor, now)))
        self._removal.carry_out(row.id, actor)
        return Destroyed(row.id, row.proposed_by, decided=True)

    def decide_all(self, connection: Connection, reference: str, proposed: Word, decided: Word) -> None:
        """Decide, in the caller's transaction, the destruction of every item that is kept, with its whole case."""
        for sealed in evidence.sealed_items(connection, reference, kept_only=True):
            row, number = self._row(connection, sealed.id), uuid4().hex
            if row is None:
                self._add(connection, sealed, number, proposed)
            people = {"proposed_by": proposed.by, "proposed_at": proposed.at}
            self._decide(connection, sealed, row.id if row else number, decided, **people)

    def refuse(self, connection: Connection, sealed: SealedItem) -> None:
        """
        Ask what stands against destroying an item; the caller holds the case.

        Raises:
            PolicyError: Something does.

        """
        for objection in self._objections:
            if reason := objection(connection, sealed):
                raise PolicyError(f"Evidence {sealed.item} of case {sealed.reference} is not destroyed: {reason}")

    # --- going on -------------------------------------------------------------------------------------------

    def resume(self, actor: str) -> Resumed:
        """
        Finish what was interrupted, and destroy again what restored stores brought back.

        What only a tombstone tells of, because the database was restored from before it, is taken over where the key
        is gone. Where the key is back too, two people must decide again: a tombstone alone destroys nothing.

        Raises:
            EnvironmentTroubleError: A store cannot be read or written.

        """
        back = tuple(filter(None, [self._recall(item, actor) for item in self._unknown()]))
        finished, stopped = [], []
        for number, sealed in self._decided():
            try:
                self._removal.carry_out(number, actor)
                finished.append(number)
            except PolicyError as error:
                stopped.append((f"{sealed.reference}/{sealed.item}" if sealed else number, error.message))
        return Resumed(tuple(finished), back, tuple(stopped))

    def interrupted(self, reference: str | None = None) -> list[str]:
        """Give what was decided a while ago, or of one case whenever, and is not finished."""
        query = select(_DESTRUCTION.c.id).where(
            _DESTRUCTION.c.decided_at.is_not(None), _DESTRUCTION.c.certificate.is_(None)
        )
        if reference is None:
            query = query.where(_DESTRUCTION.c.decided_at <= self._clock.now() - LEFT_ALONE)
        else:
            query = query.where(_DESTRUCTION.c.reference == reference)
        with reading(self._engine) as connection:
            return list(connection.execute(query.order_by(_DESTRUCTION.c.decided_at)).scalars())

    def carry_out(self, number: str, actor: str) -> None:
        """Do what is left of a destruction that was decided, as ``Removal.carry_out``."""
        self._removal.carry_out(number, actor)

    def _decided(self) -> list[tuple[str, SealedItem | None]]:
        """Give the destructions that are not finished, or whose item is back."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(_DESTRUCTION).where(_DESTRUCTION.c.decided_at.is_not(None))).all()
            found = [(row, evidence.item_of(connection, row.evidence_id)) for row in rows]
        return [
            (row.id, sealed)
            for row, sealed in found
            if row.certificate is None or (sealed is not None and self._removal.is_there(sealed))
        ]

    def _unknown(self) -> list[str]:
        with reading(self._engine) as connection:
            query = select(_DESTRUCTION.c.evidence_id).where(_DESTRUCTION.c.decided_at.is_not(None))
            known = set(connection.execute(query).scalars())
        return [item for item in self._removal.tombstones.items() if item not in known]

    def _recall(self, evidence_id: str, actor: str) -> str | None:
        """Take a destruction over from its tombstone; give the item's name where its key is back."""
        tombstone, now = self._removal.tombstones.read(evidence_id), self._clock.now()
        with transaction(self._engine) as connection:
            sealed = evidence.item_of(connection, evidence_id)
            if tombstone is None or sealed is None or sealed.reference != tombstone.reference:
                return None
            if self._removal.has_key(sealed):
                return f"{sealed.reference}/{sealed.item}"
            connection.execute(_DESTRUCTION.delete().where(_DESTRUCTION.c.evidence_id == evidence_id))
            told = {name: getattr(tombstone, name) for name in ("evidence_id", "reference", "key_ids")}
            people = people_of(tombstone)
            connection.execute(insert(Destruction).values(id=tombstone.certificate, recalled_at=now, **told, **people))
            self._removal.tell(connection, "destruction_recalled", actor, sealed, tombstone.certificate)
        return None

    # --- steps ----------------------------------------------------------------------------------------------

    def _propose(self, connection: Connection, sealed: SealedItem, actor: str, reason: str) -> Destroyed:
        number, now = uuid4().hex, self._clock.now()
        body = self._bodies.seal(connection, sealed.reference, "reason", reason.encode(), now)
        self._add(connection, sealed, number, Word(actor, now), reason_body=body)
        self._removal.tell(connection, "destruction_proposed", actor, sealed, number)
        return Destroyed(number, actor, decided=False)

    def _add(self, connection: Connection, sealed: SealedItem, number: str, proposed: Word, **more: str) -> None:
        row = {"id": number, "evidence_id": sealed.id, "reference": sealed.reference, "key_ids": ""}
        people = {"proposed_by": proposed.by, "proposed_at": proposed.at}
        connection.execute(insert(Destruction).values(**row, **people, **more))

    def _decide(self, connection: Connection, sealed: SealedItem, number: str, decided: Word, **more: object) -> None:
        with custody_errors():
            key_ids = " ".join(self._vault.keys.lineage(sealed.reference, sealed.id))
        values = {"decided_by": decided.by, "decided_at": decided.at, "key_ids": key_ids, **more}
        connection.execute(update(Destruction).where(col(Destruction.id) == number).values(**values))
        self._removal.tell(connection, "destruction_decided", decided.by, sealed, number)

    # --- parts ----------------------------------------------------------------------------------------------

    def _row(self, connection: Connection, evidence_id: str) -> Any:
        query = select(_DESTRUCTION).where(_DESTRUCTION.c.evidence_id == evidence_id)
        return connection.execute(query).one_or_none()


def lock(connection: Connection, reference: str) -> bool:
    """Keep what could object to a destruction from changing until the transaction ends; give whether it is a case."""
    query = select(col(CaseRecord.reference)).where(col(CaseRecord.reference) == reference).with_for_update()
    return connection.execute(query).one_or_none() is not None
