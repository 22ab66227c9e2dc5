"""The register's rows: who is enrolled, with which proofs; every call joins the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from secrets import token_hex

from sqlalchemy import Connection, insert, select, update
from sqlmodel import col

from reporter.actors.model import Person, Proof, ProofKind, Role
from reporter.actors.tables import ActorProof, ActorRecord, HomeIdentity

_ACTOR = ActorRecord.__table__  # type: ignore[attr-defined]
_PROOF = ActorProof.__table__  # type: ignore[attr-defined]


def home_of(connection: Connection) -> str:
    """Give the one name of this home, which it gets when it is first asked for."""
    known = connection.execute(select(col(HomeIdentity.home))).scalar_one_or_none()
    if known is None:
        known = token_hex(16)
        connection.execute(insert(HomeIdentity).values(number=1, home=known))
    return known


def people(connection: Connection) -> list[Person]:
    """Give everybody enrolled, by handle."""
    proofs: dict[str, list[Proof]] = {}
    for row in connection.execute(select(_PROOF).where(_PROOF.c.replaced_at.is_(None)).order_by(_PROOF.c.kind)):
        proofs.setdefault(row.handle, []).append(Proof(ProofKind(row.kind), row.public_key))
    return [
        Person(row.handle, _roles(row.roles), row.suspended, tuple(proofs.get(row.handle, ())))
        for row in connection.execute(select(_ACTOR).order_by(_ACTOR.c.handle))
    ]


def person(connection: Connection, handle: str) -> Person | None:
    """Give somebody by handle."""
    return next((entry for entry in people(connection) if entry.handle == handle), None)


def holder(connection: Connection, public_key: str) -> str | None:
    """Give whose proof this is or ever was."""
    return connection.execute(select(_PROOF.c.handle).where(_PROOF.c.public_key == public_key)).scalar_one_or_none()


def kind_of(connection: Connection, handle: str, public_key: str) -> ProofKind | None:
    """Give what kind of proof of somebody's this is or was, if it ever was one."""
    query = select(_PROOF.c.kind).where(_PROOF.c.public_key == public_key, _PROOF.c.handle == handle)
    kind = connection.execute(query).scalar_one_or_none()
    return ProofKind(kind) if kind else None


def enrolled_at(connection: Connection, handle: str) -> datetime | None:
    """Give since when somebody is enrolled; from then on nobody else acts under the handle."""
    return connection.execute(select(_ACTOR.c.enrolled_at).where(_ACTOR.c.handle == handle)).scalar_one_or_none()


def has_key(connection: Connection, handle: str) -> bool:
    """Whether somebody has, or had, a key of their own; a program has a token alone."""
    query = select(_PROOF.c.public_key).where(_PROOF.c.handle == handle, _PROOF.c.kind == ProofKind.KEY)
    return connection.execute(query.limit(1)).first() is not None


def add(connection: Connection, entry: Person, change_number: int, at: datetime) -> None:
    """Enrol somebody, or give somebody a new proof in place of the one of the same kind."""
    if person(connection, entry.handle) is None:
        values = {"handle": entry.handle, "roles": _written(entry.roles), "suspended": False, "enrolled_at": at}
        connection.execute(insert(ActorRecord).values(**values))
    for proof in entry.proofs:
        held = (_PROOF.c.handle == entry.handle, _PROOF.c.kind == proof.kind, _PROOF.c.replaced_at.is_(None))
        connection.execute(update(ActorProof).where(*held).values(replaced_at=at))
        connection.execute(
            insert(ActorProof).values(
                public_key=proof.public_key, handle=entry.handle, kind=proof.kind, change_number=change_number
            )
        )


def set_roles(connection: Connection, handle: str, roles: frozenset[Role]) -> None:
    """Give somebody other roles."""
    connection.execute(update(ActorRecord).where(_ACTOR.c.handle == handle).values(roles=_written(roles)))


def set_suspended(connection: Connection, handle: str, suspended: bool) -> None:
    """Suspend somebody, or take that back."""
    connection.execute(update(ActorRecord).where(_ACTOR.c.handle == handle).values(suspended=suspended))


def _written(roles: Iterable[Role]) -> str:
    return " ".join(sorted(roles))


def _roles(written: str) -> frozenset[Role]:
    return frozenset(Role(role) for role in written.split())
