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
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, insert, select, update
from sqlmodel import col

from keycustody.cases import Fault
from reporter.audit import service as audit
from reporter.cases.tables import CaseRecord
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import NotFoundError, PolicyError, UsageError
from reporter.evidence import service as evidence
from reporter.evidence.bodies import BodyVault
from reporter.evidence.certificate import certify
from reporter.evidence.custody import custody_errors
from reporter.evidence.locks import ObjectLocks
from reporter.evidence.model import SealedItem
from reporter.evidence.tables import Destruction
from reporter.evidence.tombstones import Tombstone, Tombstones
from reporter.evidence.vault import EvidenceVault

_DESTRUCTION = Destruction.__table__  # type: ignore[attr-defined]
#: Says why an item must not be destroyed now, or None; asked with the case's row locked.
Objection = Callable[[Connection, SealedItem], str | None]


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What a word came to: the id of the certificate, and whether another person must still say the same."""

    id: str
    proposed_by: str
    decided: bool


@dataclass(frozen=True, slots=True)
class Resumed:
    """
    Certificates of what is gone now, items whose key is ``back`` while only a tombstone tells of their end, and items
    that are ``held`` in their object store.
    """

    finished: tuple[str, ...]
    back: tuple[str, ...]
    held: tuple[str, ...]


class EvidenceDestruction:
    """Destroys items; ``objections`` are asked in turn, ``horizon`` is how long copies of the key store are kept."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        vault: EvidenceVault,
        bodies: BodyVault,
        tombstones: Tombstones,
        *,
        horizon: timedelta | None,
        objections: Sequence[Objection],
    ) -> None:
        self._engine, self._clock, self._vault, self._bodies = engine, clock, vault, bodies
        self._tombstones, self._horizon, self._objections = tombstones, horizon, objections
        self._locks = ObjectLocks(vault.objects)

    # --- deciding -------------------------------------------------------------------------------------------

    def destroy(self, reference: str, item: str, actor: str, reason: str) -> Destroyed:
        """
        Propose to destroy an item, or decide what another person proposed; what is decided is carried out at once.

        Raises:
            UsageError: No reason is given.
            NotFoundError: There is no such item.
            PolicyError: Something stands against it, or one person says both words.
            EnvironmentTroubleError: A store does not let it be removed now; it is decided, and ``resume`` goes on.

        """
        if not reason.strip():
            raise UsageError("A destruction needs its reason, in words.")
        with reading(self._engine) as connection:
            sealed = evidence.find_item(connection, reference, item)
        self._refuse_where_held(sealed)  # asked before the case is locked: the store may be far away
        with transaction(self._engine) as connection:
            _lock(connection, reference)
            row = self._row(connection, sealed.id)
            if row is None or row.decided_at is None:
                self._object(connection, sealed)
            if row is None:
                return self._propose(connection, sealed, actor, reason)
            if row.decided_at is None:
                if row.proposed_by == actor:
                    raise PolicyError(
                        f"{actor} proposed this already, and a different person must confirm it.",
                        next_step="Ask a colleague to run the same command with --as NAME.",
                    )
                self._decide(connection, sealed, row, actor, reason)
        self._carry_out(row.id, actor)
        return Destroyed(row.id, row.proposed_by, decided=True)

    def certificate(self, number: str) -> str:
        """
        Give a certificate, as canonical JSON.

        Raises:
            NotFoundError: There is none of that id, or the destruction is not finished.

        """
        with reading(self._engine) as connection:
            query = select(_DESTRUCTION.c.certificate).where(_DESTRUCTION.c.id == number)
            text: str | None = connection.execute(query).scalar_one_or_none()
        if text is None:
            raise NotFoundError(
                "There is no certificate of that id.",
                next_step="Where a destruction was interrupted: reporter evidence destroy --resume",
            )
        return text

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
        with reading(self._engine) as connection:
            rows = connection.execute(select(_DESTRUCTION).where(_DESTRUCTION.c.decided_at.is_not(None))).all()
            items = {row.id: evidence.item_of(connection, row.evidence_id) for row in rows}
        finished, held = [], []
        for row in rows:
            sealed = items[row.id]
            if row.certificate is None or self._is_there(sealed):
                if sealed is not None and self._locks.held(sealed):
                    held.append(f"{sealed.reference}/{sealed.item}")
                    continue
                self._carry_out(row.id, actor)
                finished.append(row.id)
        return Resumed(tuple(finished), back, tuple(held))

    def _unknown(self) -> list[str]:
        with reading(self._engine) as connection:
            query = select(_DESTRUCTION.c.evidence_id).where(_DESTRUCTION.c.decided_at.is_not(None))
            known = set(connection.execute(query).scalars())
        return [item for item in self._tombstones.items() if item not in known]

    def _recall(self, evidence_id: str, actor: str) -> str | None:
        """Take a destruction over from its tombstone; give the item's name where its key is back."""
        tombstone, now = self._tombstones.read(evidence_id), self._clock.now()
        with transaction(self._engine) as connection:
            sealed = evidence.item_of(connection, evidence_id)
            if tombstone is None or sealed is None or sealed.reference != tombstone.reference:
                return None
            if self._fault(sealed) is not Fault.WRAP_MISSING:
                return f"{sealed.reference}/{sealed.item}"
            connection.execute(_DESTRUCTION.delete().where(_DESTRUCTION.c.evidence_id == evidence_id))
            told = {name: getattr(tombstone, name) for name in ("evidence_id", "reference", "key_ids")}
            people = {f"{verb}_{part}": getattr(tombstone, f"{verb}_{part}") for verb in _VERBS for part in _PARTS}
            connection.execute(insert(Destruction).values(id=tombstone.certificate, recalled_at=now, **told, **people))
            self._tell(connection, "destruction_recalled", actor, sealed, tombstone.certificate)
        return None

    # --- steps ----------------------------------------------------------------------------------------------

    def _propose(self, connection: Connection, sealed: SealedItem, actor: str, reason: str) -> Destroyed:
        number, now = uuid4().hex, self._clock.now()
        body = self._bodies.seal(connection, sealed.reference, "reason", reason.encode(), now)
        row = {"id": number, "evidence_id": sealed.id, "reference": sealed.reference}
        connection.execute(
            insert(Destruction).values(**row, proposed_by=actor, proposed_at=now, reason_body=body, key_ids="")
        )
        self._tell(connection, "destruction_proposed", actor, sealed, number)
        return Destroyed(number, actor, decided=False)

    def _decide(self, connection: Connection, sealed: SealedItem, row: Any, actor: str, reason: str) -> None:
        now = self._clock.now()
        body = self._bodies.seal(connection, sealed.reference, "reason", reason.encode(), now)
        with custody_errors():
            key_ids = " ".join(self._vault.keys.lineage(sealed.reference, sealed.id))
        decided = {"decided_by": actor, "decided_at": now, "decided_reason_body": body, "key_ids": key_ids}
        connection.execute(update(Destruction).where(col(Destruction.id) == row.id).values(**decided))
        self._tell(connection, "destruction_decided", actor, sealed, row.id)

    def _carry_out(self, number: str, actor: str) -> None:
        with reading(self._engine) as connection:
            row = connection.execute(select(_DESTRUCTION).where(_DESTRUCTION.c.id == number)).one()
            sealed = evidence.item_of(connection, row.evidence_id)
        if sealed is None:
            raise NotFoundError(f"The item of destruction {number} is on no record.")
        self._refuse_where_held(sealed)
        people = {f"{verb}_{part}": getattr(row, f"{verb}_{part}") for verb in _VERBS for part in _PARTS}
        self._tombstones.put(Tombstone(number, sealed.id, sealed.reference, row.key_ids, **people))
        with custody_errors():
            self._vault.keys.forget_identity(sealed.id)
        self._done(number, "key_removed_at", "evidence_key_destroyed", actor, sealed)
        self._vault.objects.delete(sealed.id, despite_lock=True)
        self._done(number, "object_removed_at", "evidence_object_destroyed", actor, sealed)
        with transaction(self._engine) as connection:
            row = connection.execute(select(_DESTRUCTION).where(_DESTRUCTION.c.id == number).with_for_update()).one()
            if row.certificate is None:
                text = certify(row, sealed, self._horizon)
                connection.execute(update(Destruction).where(col(Destruction.id) == number).values(certificate=text))
                self._tell(connection, "evidence_destroyed", actor, sealed, number)

    def _done(self, number: str, column: str, kind: str, actor: str, sealed: SealedItem) -> None:
        first = update(_DESTRUCTION).where(_DESTRUCTION.c.id == number, _DESTRUCTION.c[column].is_(None))
        with transaction(self._engine) as connection:
            again = connection.execute(first.values({column: self._clock.now()})).rowcount == 0
            self._tell(connection, kind, actor, sealed, f"{number}{' again' if again else ''}")

    # --- parts ----------------------------------------------------------------------------------------------

    def _object(self, connection: Connection, sealed: SealedItem) -> None:
        for objection in self._objections:
            if reason := objection(connection, sealed):
                raise PolicyError(f"Evidence {sealed.item} of case {sealed.reference} is not destroyed: {reason}")

    def _refuse_where_held(self, sealed: SealedItem) -> None:
        """Refuse to destroy what the object store keeps: it would keep noise once the key is gone."""
        if self._locks.held(sealed):
            raise PolicyError(
                f"Evidence {sealed.item} of case {sealed.reference} is not destroyed: "
                "its object is under legal hold in the object store.",
                next_step="Find out who holds it. A hold that Reporter set there ends with its last hold on the item.",
            )

    def _is_there(self, sealed: SealedItem | None) -> bool:
        if sealed is None:
            return False
        return self._fault(sealed) is not Fault.WRAP_MISSING or self._vault.objects.exists(sealed.id)

    def _fault(self, sealed: SealedItem) -> Fault | None:
        with custody_errors():
            return self._vault.keys.fault(sealed.reference, sealed.id, sealed.ciphertext_sha256, lambda _case: ())

    def _row(self, connection: Connection, evidence_id: str) -> Any:
        query = select(_DESTRUCTION).where(_DESTRUCTION.c.evidence_id == evidence_id)
        return connection.execute(query).one_or_none()

    def _tell(self, connection: Connection, kind: str, actor: str, sealed: SealedItem, detail: str) -> None:
        audit.record(
            connection, at=self._clock.now(), actor=actor, kind=kind, reference=sealed.reference,
            item=sealed.item, detail=f"{sealed.id} {detail}",
        )  # fmt: skip


_VERBS, _PARTS = ("proposed", "decided"), ("by", "at")


def _lock(connection: Connection, reference: str) -> None:
    """Keep everything that could stand against a destruction from changing until this transaction ends."""
    query = select(col(CaseRecord.reference)).where(col(CaseRecord.reference) == reference).with_for_update()
    connection.execute(query)
