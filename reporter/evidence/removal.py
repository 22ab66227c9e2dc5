"""
Carrying out what was decided: an item's tombstone, its key, its object, its certificate, in this order.

Each step can be repeated, and is on record once it is done; what a crash interrupts is gone on with. An item that is
held in its object store waits, with its key, until it is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Engine, select, update
from sqlmodel import col

from keycustody.cases import Fault
from reporter.actors.service import Require, names_suffice
from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import NotFoundError, PolicyError
from reporter.evidence import service as evidence
from reporter.evidence.attestation import attested
from reporter.evidence.bodies import BodyVault
from reporter.evidence.certificate import certify
from reporter.evidence.custody import custody_errors
from reporter.evidence.locks import ObjectLocks
from reporter.evidence.model import SealedItem
from reporter.evidence.standing import ADOPTS, Permits
from reporter.evidence.tables import CaseDestruction, Destruction
from reporter.evidence.tombstones import Tombstone, Tombstones, people_of
from reporter.evidence.vault import EvidenceVault

_DESTRUCTION = Destruction.__table__  # type: ignore[attr-defined]
#: By which command two people decide that a case is destroyed, items and all, and how they name it in what they sign.
DESTROYS = {"case destroy": "reference", "retention confirm": "references"}
_NO_ACTS: Mapping[str, Mapping[str, str]] = {}


class Removal:
    """Removes items for good; ``horizon`` is how long copies of the key store are kept, where that is known."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        vault: EvidenceVault,
        bodies: BodyVault,
        tombstones: Tombstones,
        horizon: timedelta | None,
        require: Require = names_suffice,
    ) -> None:
        self._engine, self._clock, self._vault, self._require = engine, clock, vault, require
        self._bodies = bodies
        self.tombstones, self.horizon, self._locks = tombstones, horizon, ObjectLocks(vault.objects)
        self.permits = Permits(vault.objects)

    def carry_out(self, number: str, actor: str) -> None:
        """
        Do what is left of a destruction, or all that a restored store brought back.

        Raises:
            NotFoundError: Its item is on no record.
            PolicyError: The object is held in its store, or no two people signed the decision for its case.
            EnvironmentTroubleError: A store cannot be read or written.

        """
        with reading(self._engine) as connection:
            row = connection.execute(select(_DESTRUCTION).where(_DESTRUCTION.c.id == number)).one()
            sealed = evidence.item_of(connection, row.evidence_id)
        if sealed is None:
            raise NotFoundError(f"The item of destruction {number} is on no record.")
        if row.reference != sealed.reference:  # what counts for another case would count for this item
            raise PolicyError(f"Destruction {number} says that its item is of another case: nobody decided that.")
        self.require_decided(row, acts_of(sealed), sealed.id)
        self.refuse_where_held(sealed)
        self.tombstones.put(Tombstone(number, sealed.id, sealed.reference, row.key_ids, **people_of(row)))
        if row.key_removed_at is None or self.has_key(sealed):
            with custody_errors():
                self._vault.keys.forget_identity(sealed.id)
            self._done(number, "key_removed_at", "evidence_key_destroyed", actor, sealed)
        if row.object_removed_at is None or self._vault.objects.exists(sealed.id):
            self._vault.objects.delete(sealed.id, despite_lock=True)
            self._done(number, "object_removed_at", "evidence_object_destroyed", actor, sealed)
        with transaction(self._engine) as connection:
            row = connection.execute(select(_DESTRUCTION).where(_DESTRUCTION.c.id == number).with_for_update()).one()
            if row.certificate is None:
                text = certify(row, sealed, self.horizon)
                connection.execute(update(Destruction).where(col(Destruction.id) == number).values(certificate=text))
                self.tell(connection, "evidence_destroyed", actor, sealed, f"{number} {digest_of(text)}")

    def require_decided(
        self, row: Any, acts: Mapping[str, Mapping[str, str]] = _NO_ACTS, evidence_id: str = ""
    ) -> None:
        """
        See that two people signed a destruction, or the standing policy under which it was permitted, and that it was
        decided here; or that it was begun, of which a tombstone tells.

        Raises:
            PolicyError: Somebody wrote it into the database.
        """
        begun = [self.tombstones.read_case(row.reference), self.tombstones.read(evidence_id) if evidence_id else None]
        if any(tombstone is not None and people_of(tombstone) == people_of(row) for tombstone in begun):
            return
        refuse_same(row.proposed_by, row.decided_by)
        with reading(self._engine) as connection:
            policy = self._policy_of(connection, row)
            of_case = {verb: {name: row.reference} for verb, name in DESTROYS.items()}
            signed = {ADOPTS: policy} if policy is not None else {**acts, **of_case}
            for who, at in ((row.proposed_by, row.proposed_at), (row.decided_by, row.decided_at)):
                self._require(connection, who, signed, at, still=False)
            if not attested(connection, self._bodies, row, evidence_id):
                raise PolicyError(
                    f"That destroying {row.reference} was decided stands in the database alone: nobody asked what is "
                    "against it.",
                    next_step="Somebody wrote into the database: find out who, and take that row out of it.",
                )

    def _policy_of(self, connection: Connection, row: Any) -> dict[str, str] | None:
        """Give what was signed of the policy under which the case, or the item with its case, is destroyed."""
        of_case = select(col(CaseDestruction.id)).where(col(CaseDestruction.reference) == row.reference)
        number = connection.execute(of_case).scalar_one_or_none()
        return None if number is None else self.permits.signed_for(number, row.reference, people_of(row))

    def is_there(self, sealed: SealedItem) -> bool:
        """Whether the key or the object of an item is there, still or again."""
        return self.has_key(sealed) or self._vault.objects.exists(sealed.id)

    def has_key(self, sealed: SealedItem) -> bool:
        """Whether the key of an item is there, of use or not."""
        with custody_errors():
            fault = self._vault.keys.fault(sealed.reference, sealed.id, sealed.ciphertext_sha256, lambda _case: ())
        return fault is not Fault.WRAP_MISSING

    def held(self, sealed: SealedItem) -> bool:
        """Whether the object of an item is held in its store."""
        return self._locks.held(sealed)

    def refuse_where_held(self, sealed: SealedItem) -> None:
        """
        See that the object store does not keep an item: it would keep noise once the key is gone.

        Raises:
            PolicyError: It does.

        """
        if self.held(sealed):
            raise PolicyError(
                f"Evidence {sealed.item} of case {sealed.reference} is not destroyed: "
                "its object is under legal hold in the object store.",
                next_step="Find out who holds it. A hold that Reporter set there ends with its last hold on the item.",
            )

    def tell(self, connection: Connection, kind: str, actor: str, sealed: SealedItem, detail: str) -> None:
        """Record an event of a destruction in the custody log."""
        audit.record(
            connection, at=self._clock.now(), actor=actor, kind=kind, reference=sealed.reference,
            item=sealed.item, detail=f"{sealed.id} {detail}",
        )  # fmt: skip

    def _done(self, number: str, column: str, kind: str, actor: str, sealed: SealedItem) -> None:
        first = update(_DESTRUCTION).where(_DESTRUCTION.c.id == number, _DESTRUCTION.c[column].is_(None))
        with transaction(self._engine) as connection:
            again = connection.execute(first.values({column: self._clock.now()})).rowcount == 0
            self.tell(connection, kind, actor, sealed, f"{number}{' again' if again else ''}")


def digest_of(certificate: str) -> str:
    """Give what the custody log keeps of a certificate, so that its text can be held against the log."""
    return f"certificate sha256:{hashlib.sha256(certificate.encode()).hexdigest()}"


def acts_of(sealed: SealedItem) -> dict[str, dict[str, str]]:
    """Give what people sign who decide that one item is destroyed, by the command that they run."""
    where = {"where": f"{sealed.reference}/{sealed.item}"}
    return {"evidence destroy": where, "demand destroy": where}


def refuse_same(proposed_by: str, actor: str) -> None:
    """
    See that whoever decides is not who proposed.

    Raises:
        PolicyError: They are the same.

    """
    if proposed_by == actor:
        raise PolicyError(
            f"{actor} proposed this already, and a different person must confirm it.",
            next_step="Ask a colleague to run the same command with --as NAME.",
        )
