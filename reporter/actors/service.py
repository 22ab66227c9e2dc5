"""
Admitting people: what somebody says that they do is signed, checked once, and kept.

In the sandbox a bare name is enough for whoever is not enrolled. An enrolled handle needs its proof and its role
everywhere, and outside the sandbox nobody else acts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from secrets import token_hex

import rfc8785
from sqlalchemy import Connection, Engine, insert, select
from sqlmodel import col

from reporter.actors import register
from reporter.actors.model import Person, ProofKind, Sign, Signature, Statement
from reporter.actors.policy import FREE, RULES
from reporter.actors.proofs import holds
from reporter.actors.tables import SignedStatement
from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import PolicyError

#: How far the clock of whoever signed may be from ours; a statement is good for once within it.
WINDOW = timedelta(minutes=5)
#: The environment in which a bare name is enough.
_FREE_ENVIRONMENT = "sandbox"


class ActorService:
    """Who is enrolled here, and what they are let do; ``environment`` is the most serious one configured."""

    def __init__(self, database: Engine, clock: Clock, environment: str) -> None:
        self.database, self.clock, self.environment = database, clock, environment

    @property
    def required(self) -> bool:
        """Whether only enrolled people act here."""
        return self.environment != _FREE_ENVIRONMENT

    # --- looking --------------------------------------------------------------------------------------------

    def people(self) -> Sequence[Person]:
        """Give everybody enrolled, by handle."""
        with reading(self.database) as connection:
            return register.people(connection)

    def person(self, handle: str) -> Person | None:
        """Give somebody by handle."""
        with reading(self.database) as connection:
            return register.person(connection, handle)

    def holder(self, public_key: str) -> str | None:
        """Give whose proof this is or ever was."""
        with reading(self.database) as connection:
            return register.holder(connection, public_key)

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
        person = candidate or register.person(connection, statement.actor)
        kind = person.kind_of(signature.public_key) if person and person.handle == statement.actor else None
        if person is None or kind is None:
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

    # --- checking again -------------------------------------------------------------------------------------

    def vouches(
        self, connection: Connection, nonce: str | None, actor: str, verb: str, subject: Mapping[str, str]
    ) -> bool:
        """Whether a kept statement still proves that this person did this, by a key of theirs."""
        query = select(SignedStatement.__table__).where(col(SignedStatement.nonce) == nonce)  # type: ignore[attr-defined]
        row = connection.execute(query).one_or_none() if nonce else None
        if row is None or (row.actor, row.verb) != (actor, verb):
            return False
        said = json.loads(row.subject)
        if row.home != register.home_of(connection) or any(said.get(key) != value for key, value in subject.items()):
            return False
        if register.kind_of(connection, actor, row.public_key) is not ProofKind.KEY:
            return False
        statement = Statement(row.verb, said, row.environment, row.home, row.actor, row.at, row.nonce)
        return holds(Signature(row.public_key, row.signature), statement.content())

    def was_person(self, connection: Connection, handle: str, at: datetime) -> bool:
        """Whether a handle was, at that time, enrolled and somebody with a key: no bare name, and no program."""
        since = register.enrolled_at(connection, handle)
        return since is not None and since <= at and register.has_key(connection, handle)


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


def _listed(roles: Sequence[str]) -> str:
    words = [role.replace("_", " ") for role in roles]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
