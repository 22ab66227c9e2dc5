"""
The people and accounts of cases, as blind indexes: every revision counts, for every revision is preserved.

A case is indexed when somebody first needs it, and again when it was revised; nothing has to happen at intake for a
later hold to be complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, insert, or_, select, update
from sqlmodel import col

from keycustody.blind_index import BlindIndex, Kind
from reporter.cases.document import parse_kept
from reporter.cases.locations import CellPhone, EmailLocation, Newsgroup
from reporter.cases.model import Case
from reporter.cases.people import Account, AssociatedAccount, Email, Person, Phone
from reporter.cases.records import CaseState
from reporter.cases.tables import CaseRecord, CaseRevision
from reporter.db.engine import reading, transaction
from reporter.errors import CustodyError
from reporter.evidence.bodies import BodyVault
from reporter.evidence.custody import custody_errors
from reporter.retention.tables import LEGAL, CaseIndexed, CaseSubject, IndexKey

REGISTER = "people"
_CHECKED = "reporter"
Known = tuple[Kind, str]


class Subjects:
    """Finds cases by the people and accounts they name."""

    def __init__(self, database: Engine, bodies: BodyVault, index: BlindIndex) -> None:
        self._database, self._bodies, self._index = database, bodies, index

    def index_of(self, connection: Connection, kind: Kind, value: str) -> str:
        """
        Give the blind index of a person or account, by the key that everything here was indexed with.

        Raises:
            ValueError: Nothing is left of the value.
            CustodyError: The key is another one: what was indexed before would not be found.
        """
        with custody_errors():
            check = self._index.of(Kind.WORD, _CHECKED)
            found = self._index.of(kind, value)
        query = select(col(IndexKey.check_index)).where(col(IndexKey.register_name) == REGISTER)
        known = connection.execute(query).scalar_one_or_none()
        if known is None:
            connection.execute(insert(IndexKey).values(register_name=REGISTER, check_index=check))
        elif known != check:
            raise CustodyError(
                "The key by which people and accounts are found is not the one that was used before.",
                next_step="Restore the key store's newest backup. Where it is lost for good: reporter hold reindex",
            )
        return found

    def take_key(self, connection: Connection) -> bool:
        """
        Use the key that the key store has from now on; give False where it is the one in use already.

        Raises:
            CustodyError: The key can be neither made nor read.
        """
        with custody_errors():
            check = self._index.of(Kind.WORD, _CHECKED)
        of_people = col(IndexKey.register_name) == REGISTER
        known = connection.execute(select(col(IndexKey.check_index)).where(of_people).with_for_update())
        if known.scalar_one_or_none() in (None, check):
            return False
        connection.execute(update(IndexKey).where(of_people).values(check_index=check))
        return True

    def seal(self, connection: Connection, said: str, now: datetime) -> str:
        """Seal what is said of a person or account and give the id of the body."""
        return self._bodies.seal(connection, LEGAL, "subject", said.encode(), now)

    def complete(self) -> int:
        """
        Index every case that is not yet, or was revised since; give how many.

        Raises:
            CustodyError: A document does not open, or the key of the index is not the one that was used before.
        """
        query = (
            select(col(CaseRecord.reference))
            .outerjoin(CaseIndexed, col(CaseIndexed.reference) == col(CaseRecord.reference))
            .where(col(CaseRecord.state) != CaseState.DESTROYED)
            .where(or_(col(CaseIndexed.revision).is_(None), col(CaseIndexed.revision) < col(CaseRecord.revision)))
            .order_by(col(CaseRecord.reference))
        )
        with reading(self._database) as connection:
            waiting = list(connection.execute(query).scalars())
        for reference in waiting:
            with transaction(self._database) as connection:
                self.index(connection, reference)
        return len(waiting)

    def index(self, connection: Connection, reference: str) -> None:
        """
        Index what is new in a case; the caller's transaction may hold the case already.

        Raises:
            CustodyError: A document does not open, or the key of the index is not the one that was used before.
        """
        done = select(col(CaseIndexed.revision)).where(col(CaseIndexed.reference) == reference)
        after = connection.execute(done).scalar_one_or_none() or 0
        query = select(col(CaseRevision.revision), col(CaseRevision.body_id)).where(
            col(CaseRevision.reference) == reference, col(CaseRevision.revision) > after
        )
        new = connection.execute(query.order_by(col(CaseRevision.revision))).all()
        if not new:
            return
        held = select(col(CaseRecord.reference)).where(col(CaseRecord.reference) == reference).with_for_update()
        connection.execute(held)
        found: set[str] = set()
        for row in new:
            case = parse_kept(self._bodies.open(connection, row.body_id)).case
            for kind, value in known_of(case):
                try:
                    found.add(self.index_of(connection, kind, value))
                except ValueError:  # an empty name finds nobody
                    continue
        there = select(col(CaseSubject.subject)).where(col(CaseSubject.reference) == reference)
        found -= set(connection.execute(there).scalars())
        if found:
            connection.execute(insert(CaseSubject), [{"reference": reference, "subject": each} for each in found])
        connection.execute(delete(CaseIndexed).where(col(CaseIndexed.reference) == reference))
        connection.execute(insert(CaseIndexed).values(reference=reference, revision=new[-1].revision))


def known_of(case: Case) -> Iterator[Known]:
    """Give everything by which the people and accounts of a case can be found; the same may come twice."""
    for involved in case.people or []:
        if involved.account:
            yield from _of_account(involved.account)
        if involved.person:
            yield from _of_person(involved.person)
        for other in involved.associated_accounts or []:
            yield from (*_of_account(other), *_of_person(other))
        if involved.billing:
            yield from (*_of_emails(involved.billing.emails), *_of_phones(involved.billing.phones))
    for place in case.locations or []:
        if isinstance(place, EmailLocation | Newsgroup):
            yield from _of_emails(place.addresses)
        elif isinstance(place, CellPhone) and place.phone:
            yield from _of_phones([place.phone])


def _of_account(account: Account | AssociatedAccount) -> Iterator[Known]:
    if account.id:
        yield Kind.ACCOUNT, account.id
    for name in (account.screen_name, *(account.display_names or [])):
        if name:
            yield Kind.USER_NAME, name


def _of_person(person: Person | AssociatedAccount) -> Iterator[Known]:
    names = [part for part in (person.first_name, person.middle_name, person.last_name) if part]
    if person.last_name and names:
        yield Kind.NAME, " ".join(names)
        if person.first_name:
            yield Kind.NAME, f"{person.first_name} {person.last_name}"
    yield from (*_of_emails(person.emails), *_of_phones(person.phones))


def _of_emails(emails: Iterable[Email] | None) -> Iterator[Known]:
    for email in emails or ():
        yield Kind.EMAIL, email.address


def _of_phones(phones: Iterable[Phone] | None) -> Iterator[Known]:
    """Give each number as written, and with its country code where that is known."""
    for phone in phones or ():
        yield Kind.PHONE, phone.number
        if phone.country_calling_code:
            yield Kind.PHONE, phone.country_calling_code + phone.number.lstrip("0")
