"""
Carrying out the destruction of a case: its tombstone, its items, its key, its bodies, its records, its certificate.

Each step can be repeated; what a crash interrupts is gone on with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, select, text, update
from sqlmodel import col

from reporter.audit import service as audit
from reporter.audit.kinds import DESTROYED
from reporter.audit.model import written_positions
from reporter.audit.sequencer import Sequencer
from reporter.audit.tables import Record
from reporter.cases.tables import CaseRevision
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.evidence import service as evidence
from reporter.evidence.attestation import DECIDED
from reporter.evidence.bodies import BodyVault
from reporter.evidence.certificate import certify_case
from reporter.evidence.custody import custody_errors
from reporter.evidence.destruction import EvidenceDestruction
from reporter.evidence.removal import Removal, digest_of
from reporter.evidence.standing import Terms
from reporter.evidence.tables import (
    CaseDestruction,
    Destruction,
    EvidenceItem,
    OpenPermit,
    SealedBody,
    Verification,
    ViewClaim,
    ViewRecord,
)
from reporter.evidence.tombstones import Tombstone, people_of

#: Events whose records stay: that it was destroyed, when and by whom.
KEPT_KINDS = (
    "destruction_proposed", "destruction_decided", "destruction_recalled", "evidence_key_destroyed",
    "evidence_object_destroyed", "evidence_destroyed", "case_destruction_proposed", "case_destruction_decided",
    "case_destruction_recalled", "case_key_destroyed", "case_destroyed", DESTROYED,
)  # fmt: skip
#: What people signed of which the record stays too, by its verb.
KEPT_ACTS = ("evidence destroy", "case destroy")
#: Removes what a room knows of a case beside its bodies, in the transaction that removes those.
Forget = Callable[[Connection, str], None]
_CASE = CaseDestruction.__table__  # type: ignore[attr-defined]


class CaseRemoval:
    """Removes cases for good; ``forgets`` are the rooms that know more of a case than its bodies."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        bodies: BodyVault,
        items: EvidenceDestruction,
        removal: Removal,
        forgets: Sequence[Forget],
    ) -> None:
        self._engine, self._clock, self._bodies, self._items = engine, clock, bodies, items
        self._removal, self._forgets = removal, forgets
        self.tombstones = removal.tombstones

    def carry_out(self, number: str, actor: str) -> None:
        """
        Do what is left of a destruction that was decided, or all that a restored store brought back.

        Raises:
            PolicyError: An object is held in its store, or no two people signed the decision.
            EnvironmentTroubleError: A store cannot be read or written.

        """
        with reading(self._engine) as connection:
            row = connection.execute(select(_CASE).where(_CASE.c.id == number)).one()
        reference = row.reference
        self._removal.require_decided(row)
        self.refuse_where_held(reference)
        self.tombstones.put(Tombstone(number, "", reference, row.key_ids, **people_of(row)))
        for each in self._items.interrupted(reference):
            self._items.carry_out(each, actor)
        if row.key_removed_at is None or self.has_key(reference):
            with custody_errors():
                self._bodies.keys.forget_case(reference)
            at = func.coalesce(_CASE.c.key_removed_at, self._clock.now())
            with transaction(self._engine) as connection:
                connection.execute(update(_CASE).where(_CASE.c.id == number).values(key_removed_at=at))
                self.tell(
                    connection, "case_key_destroyed", actor, reference, f"{number}{' again' * bool(row.key_removed_at)}"
                )
        Sequencer(self._engine).run()  # only what is a leaf can be forgotten
        with transaction(self._engine) as connection:
            row = connection.execute(select(_CASE).where(_CASE.c.id == number).with_for_update()).one()
            self._empty(connection, reference)
            if row.certificate is None:
                self._certify(connection, row, actor)

    def permit(self, policy: Terms, reference: str, people: dict[str, Any]) -> str:
        """Take a place of the day's for a case, as ``Permits.claim``."""
        return self._removal.permits.claim(policy, reference, people, self._clock.now())

    def refuse_where_held(self, reference: str) -> None:
        """
        See that the object store holds nothing of a case.

        Raises:
            PolicyError: It does.

        """
        with reading(self._engine) as connection:
            items = evidence.sealed_items(connection, reference)
        for sealed in items:
            self._removal.refuse_where_held(sealed)

    def has_key(self, reference: str) -> bool:
        """Whether the key of a case is there, of use or not."""
        with custody_errors():
            return self._bodies.keys.has_case(reference)

    def has_any_key(self, connection: Connection, reference: str) -> bool:
        """Whether the key of a case is there, or that of an item of it that nobody decided to destroy."""
        items = evidence.sealed_items(connection, reference, kept_only=True)
        return self.has_key(reference) or any(self._removal.has_key(sealed) for sealed in items)

    def tell(self, connection: Connection, kind: str, actor: str, reference: str, detail: str) -> None:
        """Record an event of the destruction of a case in the custody log."""
        audit.record(connection, at=self._clock.now(), actor=actor, kind=kind, reference=reference, detail=detail)

    def _empty(self, connection: Connection, reference: str) -> None:
        """Remove bodies and everything else that says something of the case."""
        if connection.dialect.name == "sqlite":
            connection.execute(text("PRAGMA secure_delete = ON"))
        of_case = col(SealedBody.reference) == reference
        left = of_case, col(SealedBody.kind) != DECIDED, col(SealedBody.ciphertext) != b""
        connection.execute(update(SealedBody).where(*left).values(ciphertext=b""))
        items = select(col(EvidenceItem.id)).where(col(EvidenceItem.reference) == reference)
        for of_item in (ViewRecord, OpenPermit, Verification):
            connection.execute(delete(of_item).where(col(of_item.evidence_id).in_(items)))
        for of_reference in (ViewClaim, CaseRevision):
            connection.execute(delete(of_reference).where(col(of_reference.reference) == reference))
        for forget in self._forgets:
            forget(connection, reference)

    def _certify(self, connection: Connection, row: Any, actor: str) -> None:
        """Destroy the records of the custody log that are about the case, and write the certificate."""
        reference = row.reference
        gone = select(col(Record.position)).where(
            col(Record.reference) == reference,
            col(Record.kind).not_in(KEPT_KINDS),
            *(~col(Record.content).contains(f'"detail":"{verb} sha256:') for verb in KEPT_ACTS),
        )
        positions = list(connection.execute(gone.order_by(col(Record.position))).scalars())
        audit.forget(connection, positions, at=self._clock.now(), actor=actor, certificate=row.id)
        of_case = col(SealedBody.reference) == reference
        count = select(col(SealedBody.kind), func.count().label("bodies")).where(of_case).group_by(col(SealedBody.kind))
        bodies = {row.kind: int(row.bodies) for row in connection.execute(count)}
        query = select(col(Destruction.id)).where(col(Destruction.reference) == reference).order_by(col(Destruction.id))
        items = list(connection.execute(query).scalars())
        certificate = certify_case(row, items, bodies, written_positions(positions), self._removal.horizon)
        connection.execute(update(_CASE).where(_CASE.c.id == row.id).values(certificate=certificate))
        self.tell(connection, "case_destroyed", actor, reference, f"{row.id} {digest_of(certificate)}")
