"""The register of contacts: who is protected, known again by keyed blind indexes alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from secrets import token_hex

from sqlalchemy import Connection, Engine, delete, insert, select, update

from keycustody.blind_index import BlindIndex, Kind
from reporter.actors.service import Witness
from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.contacts.model import Added, Contact, ContactKind, Identifiers
from reporter.contacts.normal import Mark, registered, sought
from reporter.contacts.tables import Contact as ContactRow
from reporter.contacts.tables import ContactKey, ContactMark, ContactRegister, NamedMark
from reporter.contacts.words import Purpose, Words
from reporter.db.engine import reading, transaction
from reporter.db.statements import inserting
from reporter.errors import CustodyError, NotFoundError, UsageError
from reporter.evidence.custody import custody_errors

_REGISTER = ContactRegister.__table__  # type: ignore[attr-defined]
_KEY_ROW = ContactKey.__table__  # type: ignore[attr-defined]
_CONTACT = ContactRow.__table__  # type: ignore[attr-defined]
_MARK = ContactMark.__table__  # type: ignore[attr-defined]
_NAMED = NamedMark.__table__  # type: ignore[attr-defined]
#: What the words of a removal are sealed for: longer than any case's reference, so that it is none.
_KEY = "contacts-" + hashlib.sha256(b"contacts").hexdigest()
_PAGE = 500
_CHECKED = "reporter"


class Register:
    """
    Who is protected.

    ``named`` is called with the reference of each case whose approved submissions name somebody who is added, in that
    transaction, so that approvals that nobody began to deliver can be voided.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        index: BlindIndex,
        words: Words,
        *,
        named: Callable[[Connection, str], None],
    ) -> None:
        self._engine, self._clock, self._index, self._words, self._named = engine, clock, index, words, named

    # --- changing -------------------------------------------------------------------------------------------

    def add(self, contacts: Sequence[tuple[ContactKind, Identifiers]], actor: str) -> list[Added]:
        """
        Add contacts, all or none; one that is known by the same already changes nothing.

        Raises:
            UsageError: One has nothing that somebody could be known by; the text says which, by its number.
            CustodyError: The key of the register is damaged.
        """
        with transaction(self._engine) as connection:
            return [
                self.join(connection, kind, known_by, actor, f"contact {number}: " if len(contacts) > 1 else "")
                for number, (kind, known_by) in enumerate(contacts, start=1)
            ]

    def join(
        self, connection: Connection, kind: ContactKind, known_by: Identifiers, actor: str, where: str = ""
    ) -> Added:
        """
        Add one contact in the caller's transaction.

        Raises:
            UsageError: They are known by nothing, or by something that is none.
            CustodyError: The key of the register is damaged.
        """
        try:
            sorts = registered(known_by)
        except ValueError as error:
            raise UsageError(f"{where}{error}.") from error
        if not sorts:
            raise UsageError(f"{where}a contact is known by an e-mail, a phone, a user name or a domain; give one.")
        self.require_key(connection, make=True)
        marks = {index: sort for sort, found in sorts.items() for index in self.indexes(found)}
        digest = hashlib.sha256("\n".join([kind.value, *sorted(marks)]).encode()).hexdigest()
        connection.execute(update(_REGISTER).values(changes=_REGISTER.c.changes + 1))
        same = select(_CONTACT.c.id).where(_CONTACT.c.digest == digest, _CONTACT.c.removed_at.is_(None))
        known: str | None = connection.execute(same).scalar_one_or_none()
        if known is not None:
            return Added(known, kind, new=False)
        number, now = token_hex(8), self._clock.now()
        row = {"id": number, "kind": kind.value, "digest": digest, "added_by": actor, "added_at": now}
        connection.execute(insert(_CONTACT).values(row))
        rows = [{"contact_id": number, "mark": index, "sort": sort} for index, sort in marks.items()]
        connection.execute(insert(_MARK), rows)
        self._tell(connection, "contact_added", actor, number, f"{kind} by {len(marks)}")
        found = select(_NAMED.c.reference).distinct().where(_NAMED.c.mark.in_(list(marks)))
        named_in = sorted(connection.execute(found).scalars())
        for reference in named_in:
            self._named(connection, reference)
        return Added(number, kind, new=True, named_in=tuple(named_in))

    def remove(self, number: str, actor: str, reason: str, witness: Witness) -> int:
        """
        Propose that somebody is protected no more, or decide it as the second person; give how many more must.

        Raises:
            NotFoundError: There is no such contact.
            UsageError: There is no reason.
            PolicyError: One person says both words.
        """
        with transaction(self._engine) as connection:
            connection.execute(update(_REGISTER).values(changes=_REGISTER.c.changes + 1))
            there = select(_CONTACT.c.id).where(_CONTACT.c.id == number, _CONTACT.c.removed_at.is_(None))
            if connection.execute(there).one_or_none() is None:
                raise NotFoundError("There is no such contact.", next_step="See: reporter contact list")
            missing = self._words.say(
                connection, Purpose.REMOVE, number,
                sealed_for=_KEY, subject={"contact": number}, actor=actor, reason=reason, witness=witness,
            )  # fmt: skip
            if not missing:
                gone = update(_CONTACT).where(_CONTACT.c.id == number).values(removed_at=self._clock.now())
                connection.execute(gone)
            kind = "contact_removal_proposed" if missing else "contact_removed"
            self._tell(connection, kind, actor, number)
            return missing

    # --- looking --------------------------------------------------------------------------------------------

    def contacts(self, known_by: Identifiers | None = None) -> list[Contact]:
        """Give who is protected, or whom of them these identifiers are of; oldest first."""
        with reading(self._engine) as connection:
            query = select(_CONTACT).where(_CONTACT.c.removed_at.is_(None))
            if known_by is not None:
                query = query.where(_CONTACT.c.id.in_(self.matched(connection, self.indexes(sought(known_by)))))
            rows = connection.execute(query.order_by(_CONTACT.c.added_at, _CONTACT.c.id)).all()
            removing = self._words.first(connection, Purpose.REMOVE, [row.id for row in rows])
            counts: dict[str, dict[str, int]] = {row.id: {} for row in rows}
            for owner, sort in connection.execute(select(_MARK.c.contact_id, _MARK.c.sort)):
                if owner in counts:
                    counts[owner][sort] = counts[owner].get(sort, 0) + 1
        return [
            Contact(row.id, ContactKind(row.kind), counts[row.id], row.added_by, row.added_at, removing.get(row.id))
            for row in rows
        ]

    def hold(self, connection: Connection) -> None:
        """Keep the register as it is until the transaction ends; others may hold it too."""
        connection.execute(select(_REGISTER.c.id).with_for_update(read=True))

    def empty(self, connection: Connection) -> bool:
        """Whether nobody is protected."""
        return connection.execute(select(_CONTACT.c.id).where(_CONTACT.c.removed_at.is_(None)).limit(1)).first() is None

    def matched(self, connection: Connection, indexes: Iterable[str]) -> dict[str, ContactKind]:
        """
        Give the contacts that are known by any of these, with their kinds.

        Raises:
            CustodyError: The key is not the one by which they were added.
        """
        self.require_key(connection)
        found: dict[str, ContactKind] = {}
        for page in _pages(indexes):
            query = (
                select(_CONTACT.c.id, _CONTACT.c.kind)
                .join(_MARK, _MARK.c.contact_id == _CONTACT.c.id)
                .where(_MARK.c.mark.in_(page), _CONTACT.c.removed_at.is_(None))
            )
            found |= {row.id: ContactKind(row.kind) for row in connection.execute(query)}
        return found

    def require_key(self, connection: Connection, *, make: bool = False) -> None:
        """
        See that the key is the one that was used before, since nobody is found by another.

        ``make`` notes the first one; where nobody is protected another one may take its place.

        Raises:
            CustodyError: It is another one.
        """
        with custody_errors():
            check = self._index.of(Kind.WORD, _CHECKED)
        known = connection.execute(select(_KEY_ROW.c.check_mark)).scalar_one_or_none()
        if known == check:
            return
        if known is not None and not self.empty(connection):
            raise CustodyError(
                "The key by which contacts are known again is not the one that was used before.",
                next_step="Restore the key store's newest backup; without it nobody is recognised, or protected.",
            )
        if make:
            connection.execute(delete(_NAMED))
            connection.execute(delete(_KEY_ROW))
            connection.execute(inserting(connection, _KEY_ROW).values(id=1, check_mark=check).on_conflict_do_nothing())

    def indexes(self, marks: Iterable[Mark]) -> list[str]:
        """
        Give the blind indexes of marks, in order and without doubles.

        Raises:
            CustodyError: The key of the register is damaged.
            EnvironmentTroubleError: The key store does not work.
        """
        with custody_errors():
            return sorted({self._index.of(kind, text) for kind, text in marks})

    def _tell(self, connection: Connection, kind: str, actor: str, item: str, detail: str = "") -> None:
        audit.record(connection, at=self._clock.now(), actor=actor, kind=kind, item=item, detail=detail)


def _pages(indexes: Iterable[str]) -> Iterator[list[str]]:
    every = list(indexes)
    return (every[start : start + _PAGE] for start in range(0, len(every), _PAGE))
