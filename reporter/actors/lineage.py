"""
Who may act, played again from what people signed, so that rows which nobody decided count for nothing.

A key counts if two people signed that it is somebody's, whose own keys count for the same reason, and so on back to the
founders, whose one change is pinned outside the database (``founding``). Roles and suspensions follow from the same
signatures. The tables of people and proofs say the same in short, and are believed nowhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from reporter.actors.model import Change, ChangeKind, Person, Proof, ProofKind, Role, Signature, Statement
from reporter.actors.policy import RULES
from reporter.actors.proofs import fingerprint, holds
from reporter.actors.tables import ActorChange, ActorProof, ActorRecord, SignedStatement

#: How far the clocks of two machines of a house may be apart.
WINDOW = timedelta(minutes=5)

_CHANGE = ActorChange.__table__  # type: ignore[attr-defined]
_STATEMENT = SignedStatement.__table__  # type: ignore[attr-defined]
_PROOF = ActorProof.__table__  # type: ignore[attr-defined]
_ACTOR = ActorRecord.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Kept:
    """A statement as the database has it, with its signature."""

    statement: Statement
    signature: Signature

    def says(self, actor: str, verb: str, subject: Mapping[str, str]) -> bool:
        """Whether it says that this person did this to something with these properties; it may list several."""
        said = self.statement
        of_it = all(
            value in (named := said.subject.get(key, "")).split() or value == named for key, value in subject.items()
        )
        return (said.actor, said.verb) == (actor, verb) and of_it


@dataclass(frozen=True, slots=True)
class Decided:
    """A change that took effect, with what was signed for it: by two people, or by the one who suspends."""

    number: int
    content: str
    proposed: Kept
    confirmed: Kept | None

    @property
    def at(self) -> datetime:
        """When it took effect, as was signed."""
        return (self.confirmed or self.proposed).statement.at

    @property
    def digest(self) -> str:
        """What both signed."""
        return hashlib.sha256(self.content.encode()).hexdigest()

    def change(self) -> Change | None:
        """Give what it changes; None where that was altered beyond reading."""
        try:
            return Change.read(json.loads(self.content))
        except (ValueError, KeyError, TypeError):
            return None


@dataclass(frozen=True, slots=True)
class _Held:
    """A proof of somebody's, from when until when."""

    handle: str
    kind: ProofKind
    since: datetime
    until: datetime | None = None

    def was_held(self, at: datetime) -> bool:
        return self.since - WINDOW <= at and (self.until is None or at <= self.until + WINDOW)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What somebody may do from a time on."""

    since: datetime
    roles: frozenset[Role]
    suspended: bool

    def may(self, verb: str) -> bool:
        rule = RULES.get(verb)
        return rule is not None and not self.suspended and bool(rule.roles & self.roles)


class Register:
    """
    Everybody enrolled, as people decided and signed; ``troubles`` names the changes that do not hold.

    ``home`` is the name of this home, ``founding`` the digest of the change that began the register.
    """

    def __init__(self, home: str, founding: str) -> None:
        self._home, self._founding = home, founding
        self._people: dict[str, list[_Standing]] = {}
        self._proofs: dict[str, _Held] = {}
        self.troubles: list[str] = []

    def play(self, changes: Iterable[Decided]) -> None:
        """Let changes take effect, in the order in which they were signed."""
        for decided in sorted(changes, key=lambda entry: (entry.at, entry.number)):
            if (change := self._signed(decided)) is None:
                self.troubles.append(f"change {decided.number} was not signed as it stands by people who may")
                continue
            for person in change.people:
                self._apply(change.kind, person, decided.at)

    # --- looking --------------------------------------------------------------------------------------------

    def people(self) -> list[Person]:
        """Give everybody enrolled, by handle, with the proofs that hold."""
        return [person for handle in sorted(self._people) if (person := self.person(handle))]

    def person(self, handle: str) -> Person | None:
        """Give somebody by handle."""
        if handle not in self._people:
            return None
        now = self._people[handle][-1]
        held = sorted(
            (proof.kind, key) for key, proof in self._proofs.items() if proof.handle == handle and proof.until is None
        )
        return Person(handle, now.roles, now.suspended, tuple(Proof(kind, key) for kind, key in held))

    def holder(self, public_key: str) -> str | None:
        """Give whose proof this is or ever was."""
        held = self._proofs.get(public_key)
        return held.handle if held else None

    def stood(self, kept: Kept) -> bool:
        """Whether what was signed holds, by a person's key of their own at that time, when they might do it."""
        statement, key = kept.statement, kept.signature.public_key
        held = self._proofs.get(key)
        return (
            held is not None
            and (held.handle, held.kind) == (statement.actor, ProofKind.KEY)
            and held.was_held(statement.at)
            and self._might(statement.actor, statement.verb, statement.at)
            and statement.home == self._home
            and holds(kept.signature, statement.content())
        )

    def _might(self, handle: str, verb: str, at: datetime) -> bool:
        """Whether somebody might do this at about that time, by the clocks of two machines."""
        standings = self._people.get(handle, [])
        ends = [standing.since for standing in standings[1:]]
        return any(
            standing.may(verb) and standing.since - WINDOW <= at and (end is None or at <= end + WINDOW)
            for standing, end in zip(standings, [*ends, None], strict=True)
        )

    # --- playing --------------------------------------------------------------------------------------------

    def _signed(self, decided: Decided) -> Change | None:
        """Give a change if it was signed by those whom it takes, as things stood by then."""
        digest, change = decided.digest, decided.change()
        if change is None:
            return None
        alone = change.kind is ChangeKind.SUSPEND
        verbs = {f"actor {change.kind}": decided.proposed, **({} if alone else {"actor approve": decided.confirmed})}
        signers = set()
        for verb, kept in verbs.items():
            if kept is None or kept.statement.verb != verb or kept.statement.subject.get("change") != digest:
                return None
            if kept.statement.home != self._home or not holds(kept.signature, kept.statement.content()):
                return None
            if not self._is_founder(change, kept) if change.kind is ChangeKind.FOUND else not self._may(kept):
                return None
            signers.add(kept.statement.actor)
        if change.kind is ChangeKind.FOUND:
            return change if not self._people and digest == self._founding and len(signers) == 2 else None
        second = decided.confirmed.statement.actor if decided.confirmed else ""
        about = {person.handle for person in change.people}
        return change if len(signers) == len(verbs) and second not in about else None

    def _may(self, kept: Kept) -> bool:
        held = self._proofs.get(kept.signature.public_key)
        actor = kept.statement.actor
        known = held is not None and (held.handle, held.kind) == (actor, ProofKind.KEY)
        return known and self._people[actor][-1].may(kept.statement.verb)

    @staticmethod
    def _is_founder(change: Change, kept: Kept) -> bool:
        founder = next((person for person in change.people if person.handle == kept.statement.actor), None)
        return founder is not None and founder.kind_of(kept.signature.public_key) is ProofKind.KEY

    def _apply(self, kind: ChangeKind, person: Person, at: datetime) -> None:
        standings = self._people.setdefault(person.handle, [])
        before = standings[-1] if standings else _Standing(at, person.roles, suspended=False)
        match kind:
            case ChangeKind.FOUND | ChangeKind.ENROL:
                for proof in person.proofs:
                    self._enrol(person.handle, proof, at)
                standings[:] = standings or [before]
            case ChangeKind.ROLES:
                standings.append(replace(before, since=at, roles=person.roles))
            case ChangeKind.ENABLE | ChangeKind.SUSPEND:
                standings.append(replace(before, since=at, suspended=kind is ChangeKind.SUSPEND))

    def _enrol(self, handle: str, proof: Proof, at: datetime) -> None:
        if proof.public_key in self._proofs:  # whose it was is not exchanged
            return
        for key, held in self._proofs.items():
            if (held.handle, held.kind, held.until) == (handle, proof.kind, None):
                self._proofs[key] = replace(held, until=at)
        self._proofs[proof.public_key] = _Held(handle, proof.kind, at)


def read(connection: Connection) -> tuple[list[Decided], list[int]]:
    """Give the changes that took effect, with what was signed for each, and the numbers of those that lack it."""
    rows = connection.execute(select(_CHANGE).where(_CHANGE.c.confirmed_at.is_not(None))).all()
    nonces = {nonce for row in rows for nonce in (row.proposed_in, row.confirmed_in) if nonce}
    signed = statements(connection, nonces)
    found, lacking = [], []
    for row in rows:
        proposed, confirmed = signed.get(row.proposed_in), signed.get(row.confirmed_in or "")
        people = tuple(kept.statement.actor if kept else None for kept in (proposed, confirmed))
        if proposed is None or people != (row.proposed_by, row.confirmed_by):
            lacking.append(row.number)
        else:
            found.append(Decided(row.number, row.content, proposed, confirmed))
    return found, lacking


def statements(connection: Connection, nonces: Iterable[str]) -> Mapping[str, Kept]:
    """Give statements by nonce, of those that are on record."""
    rows = connection.execute(select(_STATEMENT).where(_STATEMENT.c.nonce.in_(list(nonces))))
    return {row.nonce: statement for row in rows if (statement := kept(row))}


def kept(row: Row[Any]) -> Kept | None:
    """Give the statement that a row holds; None where it was altered beyond reading."""
    try:
        subject = {str(key): str(value) for key, value in json.loads(row.subject).items()}
    except (ValueError, AttributeError):
        return None
    statement = Statement(row.verb, subject, row.environment, row.home, row.actor, row.at, row.nonce)
    return Kept(statement, Signature(row.public_key, row.signature))


def discrepancies(connection: Connection, register: Register) -> dict[str, str]:
    """Give, by handle, where the tables of people and proofs say what nobody decided; empty while all is well."""
    found = {}
    decided = {person.handle: person for person in register.people()}
    for row in connection.execute(select(_PROOF).order_by(_PROOF.c.public_key)):
        if register.holder(row.public_key) != row.handle:
            found[row.handle] = f"{row.handle} has the {row.kind} {_shown(row.public_key)} by nobody's decision"
    for row in connection.execute(select(_ACTOR)):
        person = decided.pop(row.handle, None)
        if person is None:
            found[row.handle] = f"{row.handle} is enrolled by nobody's decision"
        elif row.roles != " ".join(sorted(person.roles)):
            found[row.handle] = f"{row.handle} has other roles than were decided"
        elif row.suspended != person.suspended:
            found[row.handle] = f"{row.handle} is suspended, or is not, by nobody's decision"
    return found | {handle: f"{handle} was removed by nobody's decision" for handle in decided}


def _shown(public_key: str) -> str:
    try:
        return fingerprint(public_key)
    except ValueError:
        return "that is none"
