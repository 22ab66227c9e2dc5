"""
Admitting people: what somebody says that they do is signed, checked once, and kept.

In the sandbox a bare name is enough for whoever is not enrolled. An enrolled handle needs its proof and its role
everywhere, and outside the sandbox nobody else acts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from typing import Protocol

import rfc8785
from sqlalchemy import Connection, Engine, func, insert, select
from sqlmodel import col

from reporter.actors import lineage, register
from reporter.actors.founding import Founding
from reporter.actors.lineage import WINDOW, Register
from reporter.actors.model import ChangeKind, Person, ProofKind, Sign, Signature, Statement
from reporter.actors.policy import FREE, RULES
from reporter.actors.proofs import holds
from reporter.actors.tables import ActorChange, SignedStatement
from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import PolicyError

_STATEMENT = SignedStatement.__table__  # type: ignore[attr-defined]
_CHANGE = ActorChange.__table__  # type: ignore[attr-defined]
#: The environment in which a bare name is enough.
_FREE_ENVIRONMENT = "sandbox"


#: Signs what is done, in the transaction that does it; gives where the statement is kept, or None in the sandbox.
Witness = Callable[[Connection, Mapping[str, str]], str | None]


def unsigned(_connection: Connection, _subject: Mapping[str, str]) -> None:
    """Sign nothing; enough in the sandbox."""
    return


class ActorService:
    """Who is enrolled here, and what they are let do; ``environment`` is the most serious one configured."""

    def __init__(self, database: Engine, clock: Clock, environment: str, founding: Founding) -> None:
        self.database, self.clock, self.environment = database, clock, environment
        self._founding = founding
        self._played: tuple[tuple[int, datetime | None], Register] | None = None

    @property
    def required(self) -> bool:
        """Whether only enrolled people act here."""
        return self.environment != _FREE_ENVIRONMENT

    # --- looking --------------------------------------------------------------------------------------------

    def people(self) -> Sequence[Person]:
        """Give everybody enrolled, by handle."""
        with reading(self.database) as connection:
            return self.register(connection).people()

    def person(self, handle: str) -> Person | None:
        """
        Give somebody by handle.

        Raises:
            PolicyError: The table of people knows them, and nobody decided it.
        """
        with reading(self.database) as connection:
            return self._person(connection, handle)

    def holder(self, public_key: str) -> str | None:
        """Give whose proof this is or ever was."""
        with reading(self.database) as connection:
            return self.register(connection).holder(public_key)

    def register(self, connection: Connection) -> Register:
        """
        Give who may act, as people signed it; played anew when a change took effect since.

        Raises:
            CustodyError: Where it begins cannot be read.
        """
        in_force = select(func.count(), func.max(_CHANGE.c.confirmed_at)).where(_CHANGE.c.confirmed_at.is_not(None))
        count, latest = connection.execute(in_force).one()
        if self._played is None or self._played[0] != (count, latest):
            self._played = (count, latest), self._play(connection)
        return self._played[1]

    def forged(self, connection: Connection) -> dict[str, str]:
        """Give, by handle, what the tables of people and proofs say by nobody's decision."""
        return lineage.discrepancies(connection, self.register(connection))

    def _play(self, connection: Connection) -> Register:
        changes, lacking = lineage.read(connection)
        begun = sorted((entry for entry in changes if _founds(entry)), key=lambda entry: entry.number)
        home = register.home_of(connection) if changes else ""
        played = Register(home, self._founding.digest(begun[0].digest) if begun else "")
        played.play(changes)
        played.troubles += [f"change {number} is signed by nobody, or by others than it says" for number in lacking]
        return played

    def _person(self, connection: Connection, handle: str) -> Person | None:
        found = self.register(connection).person(handle)
        if found is None and register.person(connection, handle) is not None:
            raise PolicyError(
                f"{handle} stands in the table of people by nobody's decision: no two people signed it.",
                next_step="Somebody wrote into the database. See: reporter actor verify",
            )
        return found

    # --- admitting ------------------------------------------------------------------------------------------

    def authorise(self, person: Person, verb: str, kind: ProofKind | None = None) -> None:
        """
        See that somebody may do this at all, with a proof of this kind.

        Raises:
            PolicyError: They may not; the text says why.
        """
        if person.suspended:
            raise PolicyError(f"{person.handle} is suspended.", next_step="Two others can: reporter actor enable")
        rule = RULES.get(verb)
        if rule is None:
            what = "needs nobody" if verb in FREE else "stands in no table of roles, so nobody may run it here"
            raise PolicyError(f"`reporter {verb}` {what}.")
        if not rule.roles & person.roles:
            raise PolicyError(
                f"{person.handle} may not run `reporter {verb}`: it takes {_listed(sorted(rule.roles))}.",
                next_step="See: reporter actor list",
            )
        if kind is ProofKind.TOKEN and not rule.token:
            raise PolicyError(f"`reporter {verb}` takes a person's key; a token is not enough.")

    def accept(
        self, connection: Connection, statement: Statement, signature: Signature, candidate: Person | None = None
    ) -> str:
        """
        Check a signed statement and keep it, so that it is good for once; give the nonce that it is kept under.

        Args:
            connection: The transaction of what the statement is about.
            statement: What was signed.
            signature: The signature, and the public key that it is to be checked against.
            candidate: Somebody who founds the register, and is in nobody's list yet.

        Raises:
            PolicyError: It is forged, too old or too early, used before, or of somebody who may not do this.
        """
        person = candidate or self._person(connection, statement.actor)
        kind = person.kind_of(signature.public_key) if person and person.handle == statement.actor else None
        if person is None or kind is None:
            if register.holder(connection, signature.public_key) == statement.actor and not self._knows(
                connection, signature.public_key
            ):
                raise PolicyError(
                    f"That proof stands beside {statement.actor} by nobody's decision: no two people signed it.",
                    next_step="Somebody wrote into the database. See: reporter actor verify",
                )
            raise PolicyError(f"That is no proof of {statement.actor}'s.", next_step="See: reporter actor show")
        self.authorise(person, statement.verb, kind)
        if not holds(signature, statement.content()):
            raise PolicyError(f"The signature of {statement.actor} does not hold.")
        if statement.home != register.home_of(connection) or statement.environment != self.environment:
            raise PolicyError("The statement was made for another home or environment.")
        if abs(self.clock.now() - statement.at) > WINDOW:
            raise PolicyError("The statement is too old or too early.", next_step="Look at the clocks, and sign anew.")
        used = select(col(SignedStatement.nonce)).where(col(SignedStatement.nonce) == statement.nonce)
        if connection.execute(used).first() is not None:
            raise PolicyError("The statement was used before; each is good for once.")
        connection.execute(
            insert(SignedStatement).values(
                nonce=statement.nonce, actor=statement.actor, verb=statement.verb, at=statement.at,
                subject=rfc8785.dumps(dict(statement.subject)).decode(), environment=statement.environment,
                home=statement.home, public_key=signature.public_key, signature=signature.value,
            )
        )  # fmt: skip
        digest = hashlib.sha256(statement.content()).hexdigest()
        audit.record(
            connection, at=self.clock.now(), actor=statement.actor, kind="act_proven",
            reference=statement.subject.get("reference"), item=statement.nonce,
            detail=f"{statement.verb} sha256:{digest}",
        )  # fmt: skip
        return statement.nonce

    def _knows(self, connection: Connection, public_key: str) -> bool:
        return self.register(connection).holder(public_key) is not None

    # --- checking again -------------------------------------------------------------------------------------

    def vouches(
        self, connection: Connection, nonce: str | None, actor: str, verb: str, subject: Mapping[str, str]
    ) -> bool:
        """Whether a kept statement still proves that this person did this, by a key of theirs, when they might."""
        row = connection.execute(select(_STATEMENT).where(_STATEMENT.c.nonce == nonce)).one_or_none() if nonce else None
        kept = lineage.kept(row) if row is not None else None
        return kept is not None and kept.says(actor, verb, subject) and self.register(connection).stood(kept)

    def said(
        self,
        connection: Connection,
        actor: str,
        acts: Mapping[str, Mapping[str, str]],
        since: datetime,
        until: datetime | None = None,
    ) -> bool:
        """Whether somebody signed, between these times, one of ``acts`` (verb: subject), and might do it then."""
        near = _STATEMENT.c.at.between(since - WINDOW, (until or since) + WINDOW)
        rows = connection.execute(select(_STATEMENT).where(_STATEMENT.c.actor == actor, near)).all()
        everything = [kept for row in rows if (kept := lineage.kept(row))]
        said = [kept for kept in everything if any(kept.says(actor, verb, of) for verb, of in acts.items())]
        return any(self.register(connection).stood(kept) for kept in said)

    def require(
        self,
        connection: Connection,
        actor: str,
        acts: Mapping[str, Mapping[str, str]],
        since: datetime,
        until: datetime | None = None,
        *,
        still: bool = True,
    ) -> None:
        """
        See, where people decide together, that one of them signed it, and (``still``) may do so now; see ``said``.

        In the sandbox a name is enough.

        Raises:
            PolicyError: They did not, or may not.
        """
        if not self.required:
            return
        if not self.said(connection, actor, acts, since, until):
            raise PolicyError(
                f"No signature of {actor}'s that holds says so: their word counts for nothing.",
                next_step="Let people who are enrolled decide it anew. See also: reporter actor verify",
            )
        person = self._person(connection, actor)
        if still and person is not None:
            self.authorise(person, next(iter(acts)))


class Require(Protocol):
    """``ActorService.require``, for rooms in which people decide together."""

    def __call__(
        self,
        connection: Connection,
        actor: str,
        acts: Mapping[str, Mapping[str, str]],
        since: datetime,
        until: datetime | None = None,
        /,
        *,
        still: bool = True,
    ) -> None:
        """See that somebody signed it."""
        ...


def names_suffice(
    _connection: Connection,
    _actor: str,
    _acts: Mapping[str, Mapping[str, str]],
    _since: datetime,
    _until: datetime | None = None,
    /,
    *,
    still: bool = True,
) -> None:
    """Require nothing; enough in the sandbox."""
    del still


class Presence:
    """Somebody who acts through a door, for one command; in the sandbox it may be no more than a name."""

    def __init__(
        self, service: ActorService, verb: str, handle: str, sign: Sign | None = None, candidate: Person | None = None
    ) -> None:
        self.handle = handle
        self._service, self._verb, self._sign, self._candidate = service, verb, sign, candidate

    def state(self, connection: Connection, subject: Mapping[str, str]) -> str | None:
        """
        Sign what is done, have it checked and kept in the transaction that does it; give where, if it was signed.

        Raises:
            PolicyError: It is not accepted.
        """
        if self._sign is None:
            return None
        service = self._service
        statement = Statement(
            self._verb, subject, service.environment, register.home_of(connection), self.handle,
            service.clock.now(), token_hex(16),
        )  # fmt: skip
        return service.accept(connection, statement, self._sign(statement.content()), self._candidate)

    @property
    def signs(self) -> bool:
        """Whether this is somebody enrolled, who signs what they do, and no bare name."""
        return self._sign is not None

    def act(self, subject: Mapping[str, str]) -> str:
        """Sign what is about to be done, in a transaction of its own; give who acts."""
        with transaction(self._service.database) as connection:
            self.state(connection, subject)
        return self.handle


def _founds(entry: lineage.Decided) -> bool:
    change = entry.change()
    return change is not None and change.kind is ChangeKind.FOUND


def _listed(roles: Sequence[str]) -> str:
    words = [role.replace("_", " ") for role in roles]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
