"""What takes the written words of two different people: naming a contact in a submission, and removing one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select

from reporter.actors.service import ActorService, Witness
from reporter.clock import Clock
from reporter.contacts.tables import ContactWord
from reporter.errors import PolicyError, UsageError
from reporter.evidence.bodies import BodyVault

_WORD = ContactWord.__table__  # type: ignore[attr-defined]
PEOPLE = 2


class Purpose(StrEnum):
    """What the words are for; the value is the command that says them."""

    ALLOW = "contact allow"
    REMOVE = "contact remove"


class Words:
    """The record of these words; every call joins the caller's transaction."""

    def __init__(self, actors: ActorService, bodies: BodyVault, clock: Clock) -> None:
        self._actors, self._bodies, self._clock = actors, bodies, clock

    def say(
        self,
        connection: Connection,
        purpose: Purpose,
        digest: str,
        *,
        sealed_for: str,
        subject: Mapping[str, str],
        actor: str,
        reason: str,
        witness: Witness,
    ) -> int:
        """
        Record one person's words about ``digest`` and give how many more people must write theirs.

        Args:
            connection: The caller's transaction.
            purpose: What they are for.
            digest: What they are about.
            sealed_for: Under whose key the words are sealed.
            subject: What a person signs besides the digest.
            actor: Who writes.
            reason: Why, in words.
            witness: Signs, where people must.

        Raises:
            UsageError: There are no words.
            PolicyError: This person has written theirs, or nothing was signed where it must be.
        """
        if not reason.strip():
            raise UsageError("--reason needs words.")
        if actor in {row.actor for row in self._rows(connection, purpose, [digest])}:
            raise PolicyError(
                f"{actor} has written why already, and a different person must.",
                next_step="Ask a colleague to run the same command with --as NAME.",
            )
        statement = witness(connection, {**subject, "digest": digest})
        if statement is None and self._actors.required:
            raise PolicyError("Outside the sandbox this is signed by somebody enrolled.")
        now = self._clock.now()
        body = self._bodies.seal(connection, sealed_for, "reason", reason.strip().encode(), now)
        values = {"digest": digest, "reference": sealed_for, "actor": actor, "at": now, "reason_body": body}
        connection.execute(insert(_WORD).values(purpose=purpose.value, statement=statement, **values))
        return self.missing(connection, purpose, [digest])[digest]

    def missing(self, connection: Connection, purpose: Purpose, digests: Iterable[str]) -> dict[str, int]:
        """Say of each how many people have yet to write; what is signed is checked again."""
        said: dict[str, set[str]] = {digest: set() for digest in digests}
        for row in self._rows(connection, purpose, said):
            if not self._actors.required or self._actors.vouches(
                connection, row.statement, row.actor, purpose.value, {"digest": row.digest}
            ):
                said[row.digest].add(row.actor)
        return {digest: max(0, PEOPLE - len(people)) for digest, people in said.items()}

    def first(self, connection: Connection, purpose: Purpose, digests: Iterable[str]) -> dict[str, str]:
        """Give who wrote first, of those that somebody wrote about."""
        rows = self._rows(connection, purpose, digests)
        return {row.digest: row.actor for row in reversed(rows)}

    @staticmethod
    def forget(connection: Connection, sealed_for: str) -> None:
        """Remove the words that are sealed for a case."""
        connection.execute(delete(_WORD).where(_WORD.c.reference == sealed_for))

    @staticmethod
    def _rows(connection: Connection, purpose: Purpose, digests: Iterable[str]) -> list[ContactWord]:
        query = select(_WORD).where(_WORD.c.purpose == purpose.value, _WORD.c.digest.in_(list(digests)))
        return [ContactWord(**row) for row in connection.execute(query.order_by(_WORD.c.id)).mappings()]
