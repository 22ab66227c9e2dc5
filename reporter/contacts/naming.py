"""
Who is named in a submission, why, and whether they may be: a notifier is not a suspect (law 8).

Somebody who told us and stands in another role takes a second human's decision in the case document. Somebody whom
the register knows takes the written words of two people here, about exactly these roles, identifiers and contacts;
when any of them changes, the words are about something else and count no more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import Connection, Engine, delete, insert, select

from reporter.actors.service import Witness
from reporter.audit import service as audit
from reporter.cases.model import Case
from reporter.cases.records import StoredCase
from reporter.clock import Clock
from reporter.contacts.model import Identifiers, Named
from reporter.contacts.normal import sought
from reporter.contacts.passages import WORDS, in_words, tellers
from reporter.contacts.people import people_of
from reporter.contacts.register import Register
from reporter.contacts.tables import Contact, ContactMark, NamedMark
from reporter.contacts.words import Purpose, Words
from reporter.db.engine import reading, transaction
from reporter.errors import Finding, NotFoundError, PolicyError

_CONTACT = Contact.__table__  # type: ignore[attr-defined]
_MARK = ContactMark.__table__  # type: ignore[attr-defined]
_NAMED = NamedMark.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Naming:
    """Looks at everybody whom a case tells of."""

    engine: Engine
    clock: Clock
    register: Register
    words: Words

    def of(self, stored: StoredCase, connection: Connection | None = None) -> tuple[Named, ...]:
        """
        Give everybody whom a case tells of, held against the register; with a connection, which stays as it is now.

        Raises:
            CustodyError: The key of the register is damaged.
        """
        if connection is None:
            with reading(self.engine) as fresh:
                return self._of(fresh, stored)
        self.register.hold(connection)
        return self._of(connection, stored)

    def allow(self, stored: StoredCase, person: str, actor: str, reason: str, witness: Witness) -> int:
        """
        Write why somebody whom the register knows is named all the same; give how many more people must.

        Raises:
            NotFoundError: The case tells of nobody of that id.
            PolicyError: Nothing stands against naming them, or one person writes twice.
            UsageError: There are no words.
        """
        with transaction(self.engine) as connection:
            found = next((named for named in self.of(stored, connection) if named.id == person), None)
            if found is None:
                raise NotFoundError("The case tells of nobody of that id.", next_step="See: reporter case check")
            if not found.contacts:
                raise PolicyError("The register knows nobody like that, so nothing is to be decided.")
            missing = self.words.say(
                connection, Purpose.ALLOW, found.digest, sealed_for=stored.reference,
                subject={"reference": stored.reference}, actor=actor, reason=reason, witness=witness,
            )  # fmt: skip
            kinds = " ".join(sorted(set(found.contacts)))
            audit.record(
                connection, at=self.clock.now(), actor=actor,
                kind="naming_proposed" if missing else "naming_allowed", reference=stored.reference,
                detail=f"{found.path} {kinds} sha256:{found.digest}",
            )  # fmt: skip
            return missing

    def remember(self, connection: Connection, submission_id: str, stored: StoredCase) -> None:
        """Keep, blind, by what those are known whom a submission names, so that a later contact finds it."""
        self.register.require_key(connection, make=True)
        connection.execute(delete(_NAMED).where(_NAMED.c.submission_id == submission_id))
        everybody = _everybody(stored.case)
        marks = {mark for named, known_by in everybody if _is_named(named) for mark in sought(known_by)}
        row = {"submission_id": submission_id, "reference": stored.reference}
        if rows := [{**row, "mark": index} for index in self.register.indexes(marks)]:
            connection.execute(insert(_NAMED), rows)

    def became_contacts(self, connection: Connection, submission_id: str, since: datetime) -> bool:
        """Whether somebody whom a submission names is a contact of ours that was added after that time."""
        query = (
            select(_CONTACT.c.id)
            .join(_MARK, _MARK.c.contact_id == _CONTACT.c.id)
            .join(_NAMED, _NAMED.c.mark == _MARK.c.mark)
            .where(_NAMED.c.submission_id == submission_id)
            .where(_CONTACT.c.removed_at.is_(None), _CONTACT.c.added_at > since)
        )
        return connection.execute(query.limit(1)).first() is not None

    def forget(self, connection: Connection, reference: str) -> None:
        """Remove what is known of a destroyed case; the words are sealed under its key, and go with that."""
        connection.execute(delete(_NAMED).where(_NAMED.c.reference == reference))
        self.words.forget(connection, reference)

    def _of(self, connection: Connection, stored: StoredCase) -> tuple[Named, ...]:
        everybody, unprotected = _everybody(stored.case), self.register.empty(connection)
        held = [named if unprotected else self._held(connection, stored, named, by) for named, by in everybody]
        held = [named for named in held if named.path != WORDS or named.contacts]
        missing = self.words.missing(connection, Purpose.ALLOW, [named.digest for named in held if named.digest])
        return tuple(replace(named, missing=missing.get(named.digest, 0)) for named in held)

    def _held(self, connection: Connection, stored: StoredCase, named: Named, known_by: Identifiers) -> Named:
        """Hold somebody against the register, unless nothing names them."""
        if not _is_named(named):
            return named
        indexes = self.register.indexes(sought(known_by))
        contacts = self.register.matched(connection, indexes)
        if not contacts:
            return named
        about: dict[str, Any] = {
            "reference": stored.reference,
            "person": named.id,
            "roles": sorted(named.roles),
            "told_us": bool(named.told_us),
            "contacts": sorted(contacts),
            "known_by": indexes,
        }
        digest = hashlib.sha256(rfc8785.dumps(about)).hexdigest()
        return replace(named, contacts=tuple(sorted(contacts.values())), digest=digest)


def needs(case: Case, everybody: Sequence[Named]) -> Iterator[Finding]:
    """Give what stands against naming them, by case path."""
    for place, person in tellers(case):
        words = "who told us, and stands in no other role: take it out, or name them in the role they have"
        yield Finding(place, "notifier", f"holds the address, number or name of {person}, {words}")
    for index, named in enumerate(everybody):
        if named.both:
            yield from _second_human(case, index, named)
        if named.missing:
            kinds = " and ".join(sorted({kind.replace("_", " ") for kind in named.contacts}))
            people = "two people" if named.missing > 1 else "one more person"
            yield Finding(
                named.path, "protected_contact",
                f"matches a {kinds} contact; {people} must write why: reporter contact allow REF PERSON --reason TEXT",
            )  # fmt: skip


def notes(case: Case, everybody: Sequence[Named]) -> Iterator[Finding]:
    """Give what whoever approves should see of them."""
    for named in everybody:
        if named.both:
            roles = ", ".join(role.replace("_", " ") for role in named.roles if role != "notifier")
            yield Finding(named.path, "both_roles", f"told us of this, and is in the case as {roles}: see why")
        if named.contacts and not named.missing:
            yield Finding(named.path, "protected_contact", "matches a contact of ours; two people wrote why")
    for index, item in enumerate(case.evidence or []):
        if item.received_from is not None and item.received_at_request_of is None:
            path = f"evidence[{index}].received_at_request_of"
            yield Finding(path, "unstated", "is not given: say at whose request it was handed to us")


def decided(everybody: Sequence[Named]) -> tuple[str, ...]:
    """Give what two people wrote about, which whoever approves approves with the rest."""
    return tuple(sorted(named.digest for named in everybody if named.contacts))


def require_two(everybody: Sequence[Named], prepared_by: str, actor: str) -> None:
    """
    See that two people stand behind naming somebody who told us, however few an approval takes otherwise (law 8).

    Raises:
        PolicyError: Whoever approves prepared the case, and with it the decision.
    """
    if prepared_by == actor and any(named.both for named in everybody):
        raise PolicyError(
            f"The case names somebody who told us, and {actor} prepared it: a different person must approve it.",
            next_step="Ask a colleague; where there is no time, telephone.",
        )


def _everybody(case: Case) -> list[tuple[Named, Identifiers]]:
    return [*people_of(case), *in_words(case)]


def _is_named(named: Named) -> bool:
    """Whether anything but a notifier is made of them; a notifier is reported to nobody."""
    return set(named.roles) != {"notifier"}


def _second_human(case: Case, index: int, named: Named) -> Iterator[Finding]:
    """See that a second human decided, in words, that who told us stands in another role too."""
    path = f"{named.path}.role_decision"
    decision = (case.people or [])[index].role_decision
    if decision is None:
        yield Finding(path, "required", "missing; a notifier in another role needs a second human's decision")
        return
    if not decision.reason.strip():
        yield Finding(f"{path}.reason", "not_blank", "blank")
    if decision.by.strip().casefold() == case.confirmation.by.strip().casefold() or not decision.by.strip():
        yield Finding(f"{path}.by", "second_human", "not another human than the one who confirmed the case")
