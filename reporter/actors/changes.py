"""Deciding who may act: proposed by one, confirmed by another, signed by both; suspending takes one."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import Connection, Row, insert, select, update

from reporter.actors import register
from reporter.actors.lineage import Register
from reporter.actors.model import Change, ChangeKind, Person, ProofKind, Waiting
from reporter.actors.proofs import fingerprint
from reporter.actors.service import ActorService, Presence
from reporter.actors.tables import ActorChange
from reporter.audit import service as audit
from reporter.db.engine import reading, transaction
from reporter.errors import NotFoundError, PolicyError, UsageError

_CHANGE = ActorChange.__table__  # type: ignore[attr-defined]
_DONE = {
    ChangeKind.FOUND: "actors_founded",
    ChangeKind.ENROL: "actor_enrolled",
    ChangeKind.ROLES: "actor_roles_changed",
    ChangeKind.ENABLE: "actor_enabled",
}


class ChangeService:
    """The use cases of the register; each method is one transaction."""

    def __init__(self, actors: ActorService) -> None:
        self._actors = actors

    def waiting(self) -> list[Waiting]:
        """Give the changes that wait for a second person, oldest first."""
        with reading(self._actors.database) as connection:
            rows = connection.execute(
                select(_CHANGE).where(_CHANGE.c.confirmed_at.is_(None)).order_by(_CHANGE.c.number)
            )
            return [_waiting(row) for row in rows]

    def get(self, number: int) -> Waiting:
        """
        Give a change that waits.

        Raises:
            NotFoundError: There is none of that number, or it waits no more.
        """
        found = next((entry for entry in self.waiting() if entry.number == number), None)
        if found is None:
            raise NotFoundError(f"No change {number} waits.", next_step="See: reporter actor list")
        return found

    def propose(self, change: Change, presence: Presence) -> int:
        """
        Propose a change, and give its number; nothing is changed before another person approves it.

        Raises:
            UsageError: It cannot be made.
            PolicyError: The key is known already, or whoever proposes may not.
        """
        (content, digest), now = _written(change), self._actors.clock.now()
        with transaction(self._actors.database) as connection:
            _require_possible(connection, self._actors.register(connection), change)
            nonce = _signed(presence.state(connection, {"change": digest}))
            number = self._insert(connection, content, digest, presence.handle, nonce, now)
            self._tell(connection, presence.handle, f"actor_{change.kind}_proposed", change, now)
        return number

    def approve(self, number: int, presence: Presence) -> Change:
        """
        Be the second person to decide a change, which takes effect.

        Raises:
            NotFoundError: It does not wait.
            PolicyError: It was proposed by, or is about, the same person, or whoever proposed it may no more.
        """
        now = self._actors.clock.now()
        with transaction(self._actors.database) as connection:
            waits = _CHANGE.c.number == number, _CHANGE.c.confirmed_at.is_(None)
            row = connection.execute(select(_CHANGE).where(*waits).with_for_update()).one_or_none()
            if row is None:
                raise NotFoundError(f"No change {number} waits.", next_step="See: reporter actor list")
            change = _waiting(row).change
            _require_possible(connection, self._actors.register(connection), change)
            self._require_second(connection, change, row.proposed_by, presence.handle)
            nonce = _signed(presence.state(connection, {"change": row.digest}))
            confirmed = {"confirmed_by": presence.handle, "confirmed_at": now, "confirmed_in": nonce}
            connection.execute(update(ActorChange).where(_CHANGE.c.number == number).values(**confirmed))
            _apply(connection, change, number, now)
            self._tell(connection, presence.handle, _DONE[change.kind], change, now)
        return change

    def suspend(self, handle: str, presence: Presence) -> None:
        """
        Suspend somebody at once; one person is enough.

        Raises:
            NotFoundError: Nobody is called so.
        """
        change, now = Change(ChangeKind.SUSPEND, (Person(handle, frozenset()),)), self._actors.clock.now()
        content, digest = _written(change)
        with transaction(self._actors.database) as connection:
            if self._actors.register(connection).person(handle) is None:
                raise unknown(handle)
            nonce = _signed(presence.state(connection, {"handle": handle, "change": digest}))
            number = self._insert(connection, content, digest, presence.handle, nonce, now, confirmed_at=now)
            _apply(connection, change, number, now)
            self._tell(connection, presence.handle, "actor_suspended", change, now)

    @staticmethod
    def _insert(
        connection: Connection, content: str, digest: str, actor: str, nonce: str, at: datetime, **more: datetime
    ) -> int:
        proposed = {"proposed_by": actor, "proposed_at": at, "proposed_in": nonce}
        row = insert(ActorChange).values(content=content, digest=digest, **proposed, **more)
        number: int = connection.execute(row.returning(_CHANGE.c.number)).scalar_one()
        return number

    def _require_second(self, connection: Connection, change: Change, first: str, second: str) -> None:
        if first == second:
            raise PolicyError(f"{second} proposed this, and a different person must approve it.")
        about = {person.handle for person in change.people}
        if change.kind is ChangeKind.FOUND:
            if second not in about:
                raise PolicyError("A register is founded by the two people whom it begins with.")
            return
        if second in about:
            raise PolicyError(f"This is about {second}, and a different person must approve it.")
        proposer = self._actors.register(connection).person(first)
        if proposer is None:
            raise PolicyError(f"{first} is not enrolled.")
        self._actors.authorise(proposer, f"actor {change.kind}")

    def _tell(self, connection: Connection, actor: str, kind: str, change: Change, at: datetime) -> None:
        """Put each person into the custody log, with the fingerprints, so that no key can be exchanged unseen."""
        for person in change.people:
            proofs = [f"{proof.kind} {fingerprint(proof.public_key)}" for proof in person.proofs]
            detail = ", ".join([*sorted(person.roles), *proofs])
            audit.record(connection, at=at, actor=actor, kind=kind, item=person.handle, detail=detail)


def unknown(handle: str) -> NotFoundError:
    """Give the error for somebody who is not enrolled."""
    return NotFoundError(f"{handle} is not enrolled here.", next_step="See: reporter actor list")


def _waiting(row: Row[Any]) -> Waiting:
    content = json.loads(row.content)
    return Waiting(row.number, Change.read(content), row.proposed_by, row.proposed_at)


def _signed(nonce: str | None) -> str:
    if nonce is None:
        raise PolicyError(
            "A bare name decides nothing about who may act.", next_step="Make a key with: reporter actor key HANDLE"
        )
    return nonce


def _written(change: Change) -> tuple[str, str]:
    """Give a change as it is kept, and the digest of that, which is signed."""
    content = rfc8785.dumps(change.content())
    return content.decode(), hashlib.sha256(content).hexdigest()


def _require_possible(connection: Connection, decided: Register, change: Change) -> None:
    for person in change.people:
        for proof in person.proofs:
            if register.holder(connection, proof.public_key) is not None:
                raise PolicyError(f"The {proof.kind} of {person.handle} is, or was, somebody's already.")
    if change.kind is ChangeKind.FOUND:
        _require_founders(connection, change.people)
        return
    (person,) = change.people
    known = decided.person(person.handle)
    if known is None and (change.kind is not ChangeKind.ENROL):
        raise unknown(person.handle)
    if known is None and not person.roles:
        raise UsageError(f"{person.handle} needs a role: --role ROLE")
    if known is not None and change.kind is ChangeKind.ENROL and person.roles:
        raise UsageError(
            f"{person.handle} is enrolled already: a new proof comes without --role.",
            next_step="Other roles: reporter actor roles",
        )
    if change.kind is ChangeKind.ENABLE and known is not None and not known.suspended:
        raise UsageError(f"{person.handle} is not suspended.")


def _require_founders(connection: Connection, people: tuple[Person, ...]) -> None:
    if register.people(connection):
        raise PolicyError("People are enrolled here already.", next_step="Enrol more with: reporter actor enrol")
    keys = {proof.public_key for person in people for proof in person.proofs if proof.kind is ProofKind.KEY}
    if len({person.handle for person in people}) != 2 or len(people) != 2 or len(keys) != 2:
        raise UsageError("A register begins with two people, each with a key of their own.")


def _apply(connection: Connection, change: Change, number: int, at: datetime) -> None:
    for person in change.people:
        match change.kind:
            case ChangeKind.FOUND | ChangeKind.ENROL:
                register.add(connection, person, number, at)
            case ChangeKind.ROLES:
                register.set_roles(connection, person.handle, person.roles)
            case ChangeKind.ENABLE | ChangeKind.SUSPEND:
                register.set_suspended(connection, person.handle, change.kind is ChangeKind.SUSPEND)
