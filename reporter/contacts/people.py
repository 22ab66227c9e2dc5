"""Whom a case document tells of, in which roles and by which of its places, and by what they could be known again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reporter.cases.locations import CellPhone, EmailLocation, Newsgroup
from reporter.cases.model import Case
from reporter.cases.people import Account, AssociatedAccount, InvolvedPerson, Person
from reporter.contacts.model import Identifiers, Named
from reporter.contacts.normal import last_part, own_marks

#: Under this name stand the addresses and numbers that a case names as places.
LOCATIONS = "locations"
_DEEDS = (("uploaded_by", "uploaded"), ("created_by", "created"), ("shared_by", "shared"))


def people_of(case: Case) -> Iterator[tuple[Named, Identifiers]]:
    """
    Give everybody a case tells of, with what they are known by; last, what stands in its locations.

    Who is known by the same as somebody who told us told us, too: one human being may stand there twice.
    """
    people = case.people or []
    marks = [own_marks(identifiers_of(person, _whole)) for person in people]
    tellers = {
        index: told for index, person in enumerate(people) if (told := (*_told(case, person.id), *_role(index, person)))
    }
    for index, person in enumerate(people):
        same = [teller for teller in tellers if teller != index and marks[teller] & marks[index]]
        told = (*tellers.get(index, ()), *(f"people[{teller}]" for teller in same))
        because = (
            *_because(case, person.id),
            *(f"is known by the same as {people[at].id}, who told us" for at in same),
        )
        named = Named(f"people[{index}]", person.id, tuple(person.roles), because, person.context or "", told)
        yield named, identifiers_of(person)
    if (places := in_locations(case)) != Identifiers():
        yield Named(LOCATIONS, LOCATIONS, (), ("stands in a location",)), places


def identifiers_of(person: InvolvedPerson, name_of: Callable[[str], str] = last_part) -> Identifiers:
    """Give what somebody is known by, other accounts of theirs included; ``name_of`` makes a name of a profile."""
    parts = [_of_account(person.account, name_of), _of_human(person.person)]
    for other in person.associated_accounts or []:
        parts += [_of_account(other, name_of), _of_human(other)]
    if person.billing:
        emails = tuple(email.address for email in person.billing.emails or [])
        parts.append(Identifiers(emails, tuple(phone.number for phone in person.billing.phones or [])))
    return Identifiers.joined(parts)


def _whole(url: str) -> str:
    """Give the whole address: the last parts of two people's may be the same word of the site."""
    return url.rstrip("/")


def _role(index: int, person: InvolvedPerson) -> tuple[str, ...]:
    return (f"people[{index}].roles",) if "notifier" in person.roles else ()


def _of_account(account: Account | AssociatedAccount | None, name_of: Callable[[str], str]) -> Identifiers:
    if account is None:
        return Identifiers()
    names = [account.screen_name, account.id, *(account.display_names or [])]
    names += [name_of(url) for url in account.profile_urls or []]
    return Identifiers(user_names=tuple(name for name in names if name))


def _of_human(human: Person | AssociatedAccount | None) -> Identifiers:
    if human is None:
        return Identifiers()
    emails = tuple(email.address for email in human.emails or [])
    return Identifiers(emails, tuple(phone.number for phone in human.phones or []))


def in_locations(case: Case) -> Identifiers:
    """Give the addresses and numbers that a case names as places."""
    emails: list[str] = []
    phones: list[str] = []
    for place in case.locations or []:
        if isinstance(place, EmailLocation | Newsgroup):
            emails += [email.address for email in place.addresses or []]
        elif isinstance(place, CellPhone) and place.phone:
            phones.append(place.phone.number)
    return Identifiers(tuple(emails), tuple(phones))


def _told(case: Case, who: str) -> Iterator[str]:
    """Give the places, besides their role, that say that somebody told us."""
    for index, entry in enumerate(case.detected_by or []):
        if entry.person == who:
            yield f"detected_by[{index}]"
    for index, item in enumerate(case.evidence or []):
        if item.received_from == who:
            yield f"evidence[{index}].received_from"


def _because(case: Case, who: str) -> Iterator[str]:
    """Say, in codes and ids, by what somebody comes to be in the case."""
    for entry in case.detected_by or []:
        if entry.person == who:
            yield f"told us ({entry.method.replace('_', ' ')})"
    items = case.evidence or []
    for field, deed in _DEEDS:
        if done := [item.id for item in items if who in (getattr(item, field) or [])]:
            yield f"{deed} {', '.join(done)}"
    for asked in (None, "nobody", "platform", "authority"):
        given = [i.id for i in items if i.received_from == who and i.received_at_request_of == asked]
        if given:
            yield f"handed us {', '.join(given)}{_REQUESTS[asked]}"


_REQUESTS = {
    None: " (it is not said at whose request)",
    "nobody": " unasked",
    "platform": " at our own request",
    "authority": " at an authority's request",
}
