"""Whom a case document tells of, in which roles and by which of its places, and by what they could be known again."""

from __future__ import annotations

from collections.abc import Iterator

from reporter.cases.locations import CellPhone, EmailLocation, Newsgroup
from reporter.cases.model import Case
from reporter.cases.people import Account, AssociatedAccount, InvolvedPerson, Person
from reporter.contacts.model import Identifiers, Named
from reporter.contacts.normal import last_part

#: Under this name stand the addresses and numbers that a case names as places.
LOCATIONS = "locations"
_DEEDS = (("uploaded_by", "uploaded"), ("created_by", "created"), ("shared_by", "shared"))


def people_of(case: Case) -> Iterator[tuple[Named, Identifiers]]:
    """Give everybody a case tells of, with what they are known by; last, what stands in its locations."""
    for index, person in enumerate(case.people or []):
        told = (*_told(case, person.id), *((f"people[{index}].roles",) if "notifier" in person.roles else ()))
        because = tuple(_because(case, person.id))
        named = Named(f"people[{index}]", person.id, tuple(person.roles), because, person.context or "", told)
        yield named, identifiers_of(person)
    if (places := _in_locations(case)) != Identifiers():
        yield Named(LOCATIONS, LOCATIONS, (), ("stands in a location",)), places


def identifiers_of(person: InvolvedPerson) -> Identifiers:
    """Give what somebody is known by, other accounts of theirs included."""
    parts = [_of_account(person.account), _of_human(person.person)]
    for other in person.associated_accounts or []:
        parts += [_of_account(other), _of_human(other)]
    if person.billing:
        emails = tuple(email.address for email in person.billing.emails or [])
        parts.append(Identifiers(emails, tuple(phone.number for phone in person.billing.phones or [])))
    return Identifiers.joined(parts)


def _of_account(account: Account | AssociatedAccount | None) -> Identifiers:
    if account is None:
        return Identifiers()
    names = [account.screen_name, account.id, *(account.display_names or [])]
    names += [last_part(url) for url in account.profile_urls or []]
    return Identifiers(user_names=tuple(name for name in names if name))


def _of_human(human: Person | AssociatedAccount | None) -> Identifiers:
    if human is None:
        return Identifiers()
    emails = tuple(email.address for email in human.emails or [])
    return Identifiers(emails, tuple(phone.number for phone in human.phones or []))


def _in_locations(case: Case) -> Identifiers:
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
