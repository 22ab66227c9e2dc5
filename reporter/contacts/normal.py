"""
The forms under which people are known again, however an address, a number or a name was typed.

A match only asks for a decision of two people, so where a form is unsure it rather matches too much. Letters of other
scripts that look alike are not made alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from keycustody.blind_index import Kind, normalise
from reporter.contacts.model import Identifiers

#: One form of one identifier: its kind in the index, and its text there.
Mark = tuple[Kind, str]
#: So many digits of a telephone number are compared: what is left of the shortest national numbers (a choice of ours),
#: since a number may be written with or without the codes of its country and area.
PHONE_DIGITS = 7
#: What is longer is nothing that somebody is known by: an address has at most 254 characters (RFC 5321, 4.5.3.1).
_MAX_LENGTH = 1_000
_EXTENSION = re.compile(r"ext|x|;|#|,")


def registered(identifiers: Identifiers) -> dict[str, list[Mark]]:
    """
    Give the marks that the register keeps of a contact, by sort of identifier, without doubles.

    Raises:
        ValueError: One of them is nothing that somebody could be known by; the text says of which sort.
    """
    marks: dict[str, list[Mark]] = {}
    for sort, values, mark in (
        ("email", identifiers.emails, _email),
        ("phone", identifiers.phones, _phone),
        ("user_name", identifiers.user_names, _user_name),
        ("domain", identifiers.domains, _domain),
    ):
        for value in values:
            found = mark(value)
            if found is None:
                raise ValueError(f"a {sort.replace('_', ' ')} of this contact is none")
            if found not in marks.setdefault(sort, []):
                marks[sort].append(found)
    return {sort: found for sort, found in marks.items() if found}


def sought(identifiers: Identifiers) -> set[Mark]:
    """Give the marks by which somebody could be in the register; what is none is passed over."""
    emails = list(_some(map(_email, identifiers.emails)))
    return {
        *emails,
        *(mark for _, address in emails for mark in _domains_of(address)),
        *_some(map(_phone, identifiers.phones)),
        *_some(map(_user_name, identifiers.user_names)),
    }


def own_marks(identifiers: Identifiers) -> set[Mark]:
    """Give the marks that are somebody's own: none of the domains of their addresses."""
    return {mark for mark in sought(identifiers) if mark[0] is not Kind.WORD}


def last_part(url: str) -> str:
    """Give the last part of a profile's address, which often is the user name; empty where there is none."""
    try:
        return urlsplit(url.strip()).path.rstrip("/").rpartition("/")[2]
    except ValueError:
        return ""


def _email(value: str) -> Mark | None:
    """Give an address in one form, without what follows ``+`` in its first half (RFC 5233: subaddressing)."""
    text = _normal(Kind.EMAIL, value)
    text = text.rpartition("<")[2].partition(">")[0].removeprefix("mailto:").strip()
    local, sign, host = text.rpartition("@")
    host = _host(host)
    local = local.partition("+")[0] or local
    return (Kind.EMAIL, f"{local}@{host}") if sign and local and host else None


def _phone(value: str) -> Mark | None:
    if len(value) > _MAX_LENGTH:
        return None
    number = _EXTENSION.split(unicodedata.normalize("NFKC", value).casefold())[0]
    digits = "".join(str(unicodedata.decimal(sign)) for sign in number if sign.isdecimal())
    return (Kind.PHONE, digits[-PHONE_DIGITS:]) if len(digits) >= PHONE_DIGITS else None


def _user_name(value: str) -> Mark | None:
    text = _normal(Kind.USER_NAME, value).replace(" ", "")
    return (Kind.USER_NAME, text) if text else None


def _domain(value: str) -> Mark | None:
    host = _host(_normal(Kind.WORD, value).removeprefix("@"))
    return _as_domain(host) if "." in host else None


def _domains_of(address: str) -> Iterator[Mark]:
    """Give the domain of an address, and those above it, but for the topmost."""
    labels = address.rpartition("@")[2].split(".")
    for start in range(len(labels) - 1):
        yield _as_domain(".".join(labels[start:]))


def _as_domain(host: str) -> Mark:
    return Kind.WORD, f"domain {host}"


def _host(text: str) -> str:
    """Give a host in ASCII (RFC 5891), or as it is where it cannot be written so."""
    text = text.strip().strip(".")
    try:
        return text.encode("idna").decode().casefold()
    except UnicodeError:
        return text


def _normal(kind: Kind, value: str) -> str:
    """Give the normal form, without characters that cannot be seen; empty where nothing is left, or far too much."""
    if len(value) > _MAX_LENGTH:
        return ""
    seen = "".join(sign for sign in value if unicodedata.category(sign) != "Cf")
    try:
        return normalise(kind, seen)
    except ValueError:
        return ""


def _some(marks: Iterable[Mark | None]) -> Iterator[Mark]:
    return (mark for mark in marks if mark is not None)
