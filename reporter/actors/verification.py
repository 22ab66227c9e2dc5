"""
Checking again what people signed: every statement, and that the tables of people say what people decided.

A key, a person or a role that is written into the database counts nowhere (``lineage``); this names it, and so does an
alarm. Whoever may write the whole database can still leave out what was decided last, such as that somebody is
suspended; the custody log tells that, as long as a checkpoint of it is kept elsewhere.
"""

from __future__ import annotations

import json

from sqlalchemy import Connection, select

from reporter.actors import lineage, register
from reporter.actors.model import Change
from reporter.actors.proofs import holds
from reporter.actors.service import ActorService
from reporter.actors.tables import ActorChange, SignedStatement
from reporter.db.engine import reading

_STATEMENT = SignedStatement.__table__  # type: ignore[attr-defined]
_CHANGE = ActorChange.__table__  # type: ignore[attr-defined]


def verify(actors: ActorService) -> tuple[int, list[str]]:
    """Give how many statements were checked, and what does not hold."""
    with reading(actors.database) as connection:
        checked, troubles = _statements(connection, actors)
        forged = actors.forged(connection)
        return checked, [*troubles, *actors.register(connection).troubles, *(forged[name] for name in sorted(forged))]


def _statements(connection: Connection, actors: ActorService) -> tuple[int, list[str]]:
    decided, waiting = actors.register(connection), _founders(connection)
    homes = {row.home for row in connection.execute(select(_STATEMENT.c.home).distinct())}
    homes -= {register.home_of(connection)} if homes else set()
    troubles = [f"statements of another home, {home}, are among ours" for home in sorted(homes)]
    checked = 0
    for row in connection.execute(select(_STATEMENT).order_by(_STATEMENT.c.at)):
        checked += 1
        kept, who = lineage.kept(row), (row.actor, row.public_key)
        if kept is None or not holds(kept.signature, kept.statement.content()):
            troubles.append(f"statement {row.nonce} of {row.actor} was altered or forged")
        elif decided.holder(row.public_key) != row.actor and who not in waiting:
            troubles.append(f"statement {row.nonce} of {row.actor} is by a key that is not theirs")
    return checked, troubles


def _founders(connection: Connection) -> set[tuple[str, str]]:
    """Give those who proposed to found the register and were not approved: they signed, and are not enrolled."""
    rows = connection.execute(select(_CHANGE.c.content).where(_CHANGE.c.confirmed_at.is_(None)))
    changes = [Change.read(json.loads(row.content)) for row in rows]
    people = [person for change in changes for person in change.people]
    return {(person.handle, proof.public_key) for person in people for proof in person.proofs}
