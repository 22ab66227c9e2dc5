"""
Checking again what people signed: statements, changes of the register, approvals.

What this shows: nobody wrote themselves or a yes into the database without a signature of somebody whose public key is
in it. Whoever may write the whole database could exchange every key and sign everything anew; the fingerprints in the
custody log tell that, as long as a checkpoint of it is kept elsewhere.
"""

from __future__ import annotations

import hashlib
import json

from sqlalchemy import Connection, Engine, select

from reporter.actors import register
from reporter.actors.model import Change, Signature, Statement
from reporter.actors.proofs import fingerprint, holds
from reporter.actors.tables import ActorChange, ActorProof, ActorRecord, SignedStatement
from reporter.db.engine import reading

_STATEMENT = SignedStatement.__table__  # type: ignore[attr-defined]
_CHANGE = ActorChange.__table__  # type: ignore[attr-defined]
_PROOF = ActorProof.__table__  # type: ignore[attr-defined]
_ACTOR = ActorRecord.__table__  # type: ignore[attr-defined]


def verify(database: Engine) -> tuple[int, list[str]]:
    """Give how many statements were checked, and what does not hold."""
    with reading(database) as connection:
        checked, troubles = _statements(connection)
        return checked, [*troubles, *_register(connection)]


def _statements(connection: Connection) -> tuple[int, list[str]]:
    owners = {row.public_key: row.handle for row in connection.execute(select(_PROOF))}
    homes = {row.home for row in connection.execute(select(_STATEMENT.c.home).distinct())}
    homes -= {register.home_of(connection)} if homes else set()
    troubles = [f"statements of another home, {home}, are among ours" for home in sorted(homes)]
    waiting = _founders(connection)
    checked = 0
    for row in connection.execute(select(_STATEMENT).order_by(_STATEMENT.c.at)):
        checked += 1
        statement = Statement(
            row.verb, json.loads(row.subject), row.environment, row.home, row.actor, row.at, row.nonce
        )
        if not holds(Signature(row.public_key, row.signature), statement.content()):
            troubles.append(f"statement {row.nonce} of {row.actor} was altered or forged")
        elif owners.get(row.public_key) != row.actor and (row.actor, row.public_key) not in waiting:
            troubles.append(f"statement {row.nonce} of {row.actor} is by a key that is not theirs")
    return checked, troubles


def _founders(connection: Connection) -> set[tuple[str, str]]:
    """Give those who proposed to found the register and were not approved: they signed, and are not enrolled."""
    rows = connection.execute(select(_CHANGE.c.content).where(_CHANGE.c.confirmed_at.is_(None)))
    changes = [Change.read(json.loads(row.content)) for row in rows]
    people = [person for change in changes for person in change.people]
    return {(person.handle, proof.public_key) for person in people for proof in person.proofs}


def _register(connection: Connection) -> list[str]:
    """Play the changes again, each signed by two people, and compare with who is enrolled."""
    troubles, proofs, roles = [], {}, {}
    for row in connection.execute(
        select(_CHANGE).where(_CHANGE.c.confirmed_at.is_not(None)).order_by(_CHANGE.c.confirmed_at, _CHANGE.c.number)
    ):
        content = row.content.encode()
        digest = hashlib.sha256(content).hexdigest()
        proposed = _subject(connection, row.proposed_in, row.proposed_by)
        confirmed = _subject(connection, row.confirmed_in, row.confirmed_by)
        if row.proposed_by == row.confirmed_by or {proposed.get("change"), confirmed.get("change")} != {digest}:
            troubles.append(f"change {row.number} was not signed as it stands by two people")
        for person in Change.read(json.loads(content)).people:
            for proof in person.proofs:
                proofs[proof.public_key] = person.handle
            if person.roles:
                roles[person.handle] = " ".join(sorted(person.roles))
    for row in connection.execute(select(_PROOF)):
        if proofs.get(row.public_key) != row.handle:
            troubles.append(f"{row.handle} has the {row.kind} {fingerprint(row.public_key)} by nobody's decision")
    for row in connection.execute(select(_ACTOR)):
        if roles.get(row.handle) != row.roles:
            troubles.append(f"{row.handle} has other roles than were decided")
    return troubles


def _subject(connection: Connection, nonce: str, actor: str) -> dict[str, str]:
    row = connection.execute(select(_STATEMENT).where(_STATEMENT.c.nonce == nonce)).one_or_none()
    return json.loads(row.subject) if row is not None and row.actor == actor else {}
