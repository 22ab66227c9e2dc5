"""
Destroying a whole case: every item, then its key, and with it document, packages, exchanges and all other bodies.

Decided by two people as an item is, and carried out the same way: the decision is committed first and never taken back,
each step can be repeated, and what is interrupted is gone on with. What remains is the reference, what was filed where
and when (ids, codes and times, so that nothing is filed again), the certificates, and the leaves of the custody log:
the records behind them go too, but for those of the destruction itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlmodel import col

from reporter.actors.service import Require, names_suffice
from reporter.cases.records import CaseState
from reporter.cases.store import unknown
from reporter.cases.tables import CaseRecord
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import PolicyError, UsageError
from reporter.evidence.attestation import attest
from reporter.evidence.bodies import BodyVault
from reporter.evidence.case_removal import CaseRemoval
from reporter.evidence.custody import custody_errors
from reporter.evidence.destruction import LEFT_ALONE, Destroyed, EvidenceDestruction, Resumed, Word, lock, people_in
from reporter.evidence.removal import refuse_same
from reporter.evidence.standing import Terms
from reporter.evidence.tables import CaseDestruction
from reporter.evidence.tombstones import Tombstone

#: Says why a case, or anything of it, must not be destroyed now, or None; asked with the case's row locked.
CaseObjection = Callable[[Connection, str], str | None]
_CASE = CaseDestruction.__table__  # type: ignore[attr-defined]
_BASIS = re.compile(r"[a-z0-9][a-z0-9._:/-]{0,99}|")


class WholeCaseDestruction:
    """Destroys cases; ``objections`` are asked in turn, and speak for every item of the case too."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        bodies: BodyVault,
        items: EvidenceDestruction,
        removal: CaseRemoval,
        objections: Sequence[CaseObjection],
        require: Require = names_suffice,
    ) -> None:
        self._require = require
        self._engine, self._clock, self._bodies, self._items = engine, clock, bodies, items
        self._removal, self._objections = removal, objections

    # --- deciding -------------------------------------------------------------------------------------------

    def destroy(self, reference: str, actor: str, reason: str, basis: str = "") -> Destroyed:
        """
        Propose to destroy a case, or decide what another person proposed; what is decided is carried out at once.

        ``basis`` is a code, such as the id of a rule, and stays in the certificate; the reason goes with the case.

        Raises:
            UsageError: No reason is given, or the basis is no code.
            NotFoundError: There is no such case.
            PolicyError: Something stands against it, or one person says both words.
            EnvironmentTroubleError: A store does not let it be removed now; it is decided, and ``resume`` goes on.

        """
        if not reason.strip() or not _BASIS.fullmatch(basis):
            raise UsageError("A destruction needs its reason, in words; its basis is a code, such as a rule's id.")
        self._removal.refuse_where_held(reference)  # asked before the case is locked: the store may be far away
        with transaction(self._engine) as connection:
            _hold(connection, reference)
            row, now = self._row(connection, reference), self._clock.now()
            if row is None or row.decided_at is None:
                self.refuse(connection, reference)
                body = self._bodies.seal(connection, reference, "reason", reason.encode(), now)
            if row is None:
                number = uuid4().hex
                self._add(connection, reference, number, basis, Word(actor, now), reason_body=body)
                self._removal.tell(connection, "case_destruction_proposed", actor, reference, number)
                return Destroyed(number, actor, decided=False)
            if row.decided_at is None:
                refuse_same(row.proposed_by, actor)
                if row.basis != basis:
                    raise UsageError(f"The basis that was proposed is {row.basis or 'empty'}: confirm the same one.")
                proposed, decided = Word(row.proposed_by, row.proposed_at), Word(actor, now)
                acts = {"case destroy": {"reference": reference, **({"basis": basis} if basis else {})}}
                for word in (proposed, decided):
                    self._require(connection, word.by, acts, word.at)
                self._decide(connection, reference, row.id, proposed, decided, decided_reason_body=body)
                attest(connection, self._bodies, reference, "", people_in(proposed, decided))
        self._removal.carry_out(row.id, actor)
        return Destroyed(row.id, row.proposed_by, decided=True)

    def decide(
        self,
        connection: Connection,
        reference: str,
        basis: str,
        proposed: Word,
        decided: Word,
        policy: Terms | None = None,
    ) -> str:
        """
        Decide the destruction of a case that two people settled elsewhere, in the caller's transaction.

        Ask ``refuse_where_held`` before that transaction, and call ``carry_out`` with the number given after it. The
        command by which they settle it stands in ``removal.DESTROYS``, for what they signed is checked again there.
        Under a standing policy they named no case, and it takes one of the day's places (``standing.Permits``).

        Raises:
            NotFoundError: There is no such case.
            PolicyError: Something stands against it, the two are one person, or the policy allows no more.
            EnvironmentTroubleError: The object store cannot take the permit.

        """
        _hold(connection, reference)
        row = self._row(connection, reference)
        if row is not None and row.decided_at is not None:
            return str(row.id)
        refuse_same(proposed.by, decided.by)
        self.refuse(connection, reference)
        number: str = row.id if row else uuid4().hex
        if policy is not None:
            people = {"proposed_by": proposed.by, "proposed_at": proposed.at}
            people |= {"decided_by": decided.by, "decided_at": decided.at}
            number = self._removal.permit(policy, reference, people)
            connection.execute(update(_CASE).where(_CASE.c.reference == reference).values(id=number))
        if row is None:
            self._add(connection, reference, number, basis, proposed)
        self._removal.tell(connection, "case_destruction_proposed", proposed.by, reference, number)
        self._decide(connection, reference, number, proposed, decided, basis=basis)
        attest(connection, self._bodies, reference, "", people_in(proposed, decided))
        return number

    def refuse(self, connection: Connection, reference: str) -> None:
        """
        Ask what stands against destroying a case; the caller holds it.

        Raises:
            PolicyError: Something does.

        """
        for objection in self._objections:
            if reason := objection(connection, reference):
                raise PolicyError(f"Case {reference} is not destroyed: {reason}")

    def refuse_where_held(self, reference: str) -> None:
        """See that the object store holds nothing of a case, as ``CaseRemoval.refuse_where_held``."""
        self._removal.refuse_where_held(reference)

    # --- going on -------------------------------------------------------------------------------------------

    def carry_out(self, number: str, actor: str) -> None:
        """Do what is left of a destruction that was decided, as ``CaseRemoval.carry_out``."""
        self._removal.carry_out(number, actor)

    def interrupted(self) -> list[str]:
        """Give what was decided a while ago and is not finished."""
        late = _CASE.c.decided_at <= self._clock.now() - LEFT_ALONE
        with reading(self._engine) as connection:
            query = select(_CASE.c.id).where(late, _CASE.c.certificate.is_(None)).order_by(_CASE.c.decided_at)
            return list(connection.execute(query).scalars())

    def resume(self, actor: str) -> Resumed:
        """
        Finish what was interrupted and destroy again what restored stores brought back, as of items; those first.

        Raises:
            EnvironmentTroubleError: A store cannot be read or written.

        """
        back = tuple(filter(None, [self._recall(tombstone, actor) for tombstone in self._unknown()]))
        with reading(self._engine) as connection:
            rows = connection.execute(select(_CASE).where(_CASE.c.decided_at.is_not(None))).all()
        finished, stopped = [], []
        for row in rows:
            if row.certificate is None or self._removal.has_key(row.reference):
                try:
                    self._removal.carry_out(row.id, actor)
                    finished.append(row.id)
                except PolicyError as error:
                    stopped.append((row.reference, error.message))
        return Resumed(tuple(finished), back, tuple(stopped))

    def _unknown(self) -> Iterator[Tombstone]:
        with reading(self._engine) as connection:
            query = select(_CASE.c.reference).where(_CASE.c.decided_at.is_not(None))
            known = set(connection.execute(query).scalars())
        return self._removal.tombstones.cases(known)

    def _recall(self, tombstone: Tombstone, actor: str) -> str | None:
        """Take a destruction over from its tombstone; give the case where its key, or that of an item, is there."""
        reference, now = tombstone.reference, self._clock.now()
        with transaction(self._engine) as connection:
            if not lock(connection, reference):
                return None
            if self._removal.has_any_key(connection, reference):
                return reference
            connection.execute(delete(_CASE).where(_CASE.c.reference == reference))
            proposed = Word(tombstone.proposed_by, tombstone.proposed_at)
            decided = Word(tombstone.decided_by, tombstone.decided_at)
            self._add(connection, reference, tombstone.certificate, "", proposed, recalled_at=now)
            self._decide(connection, reference, tombstone.certificate, proposed, decided, key_ids=tombstone.key_ids)
            self._removal.tell(connection, "case_destruction_recalled", actor, reference, tombstone.certificate)
        return None

    # --- steps ----------------------------------------------------------------------------------------------

    def _add(
        self, connection: Connection, reference: str, number: str, basis: str, proposed: Word, **more: object
    ) -> None:
        row = {"id": number, "reference": reference, "basis": basis, "key_ids": ""}
        people = {"proposed_by": proposed.by, "proposed_at": proposed.at}
        connection.execute(insert(CaseDestruction).values(**row, **people, **more))

    def _decide(
        self, connection: Connection, reference: str, number: str, proposed: Word, decided: Word, **more: object
    ) -> None:
        with custody_errors():
            key_ids = " ".join(self._bodies.keys.lineage(reference))
        people = {"proposed_by": proposed.by, "proposed_at": proposed.at, "decided_by": decided.by}
        values = {"key_ids": key_ids, "decided_at": decided.at, **people, **more}
        connection.execute(update(_CASE).where(_CASE.c.id == number).values(**values))
        gone = {"state": CaseState.DESTROYED, "revision": col(CaseRecord.revision) + 1}  # whoever read it is too late
        connection.execute(update(CaseRecord).where(col(CaseRecord.reference) == reference).values(**gone))
        self._items.decide_all(connection, reference, proposed, decided)
        self._removal.tell(connection, "case_destruction_decided", decided.by, reference, number)

    def _row(self, connection: Connection, reference: str) -> Any:
        return connection.execute(select(_CASE).where(_CASE.c.reference == reference)).one_or_none()


def _hold(connection: Connection, reference: str) -> None:
    if not lock(connection, reference):
        raise unknown(reference)
