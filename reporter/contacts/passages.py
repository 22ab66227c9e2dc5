"""By what somebody could be known who stands in the words of a case: its summary, messages, addresses and names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from keycustody.blind_index import Kind
from reporter.cases.model import Case
from reporter.contacts.model import Identifiers, Named
from reporter.contacts.normal import own_marks
from reporter.contacts.people import LOCATIONS, identifiers_of, in_locations

#: Under this name stand those whom the words of a case name.
WORDS = "words"
#: What is held against the register by itself, is our own or the police's, or is never sent.
_PASSED_OVER = frozenset(
    {
        "emails", "phones", "phone", "address", "id", "screen_name", "display_names", "profile_urls", "received_from",
        "by", "assessed_by", "sha256", "path", "detected_by", "role_decision", "views", "law_enforcement", "context",
    }
)  # fmt: skip
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PHONE = re.compile(r"(?<![\w.])\+?\(?\d[\d ()./-]{5,30}\d(?!\w)")
_HANDLE = re.compile(r"(?<![\w@.])@\w[\w.-]{0,63}")
_ADDRESS = re.compile(r"(?:https?|ftps?)://\S+", re.IGNORECASE)
_PARTS = re.compile(r"[/?&=#]+")


def in_words(case: Case) -> Iterator[tuple[Named, Identifiers]]:
    """Give whoever could stand in the words of a case, as one, with what they would be known by."""
    texts = [_plain(text) for text in _texts(case.model_dump(exclude_none=True, exclude={"people"}))]
    for person in case.people or []:
        notifier = "notifier" in person.roles
        texts += [_plain(person.context)] if notifier and person.context else []
        if set(person.roles) != {"notifier"}:
            texts += [_plain(text) for text in _texts(person.model_dump(exclude_none=True))]
    names = [handle for text in texts for handle in _HANDLE.findall(text)]
    names += [part for text in texts for url in _ADDRESS.findall(text) for part in _PARTS.split(unquote(url))]
    emails = tuple(found for text in texts for found in _EMAIL.findall(text))
    phones = tuple(found for text in texts for found in _PHONE.findall(text))
    known_by = Identifiers(emails, phones, tuple(name.rstrip(".-") for name in names if name))
    if known_by != Identifiers():
        yield Named(WORDS, WORDS, (), ("stands in the words of the case",)), known_by


def tellers(case: Case) -> Iterator[tuple[str, str]]:
    """Give the places that name somebody who told us and stands in no other role, each with the path of that person."""
    told = {"people": [person.model_copy(update={"context": None}) for person in case.people or []]}
    said = Identifiers.joined(known_by for _, known_by in in_words(case.model_copy(update=told)))
    places = ((LOCATIONS, own_marks(in_locations(case))), (WORDS, own_marks(said)))
    for index, person in enumerate(case.people or []):
        if set(person.roles) == {"notifier"}:
            marks = {mark for mark in own_marks(identifiers_of(person)) if not _is_number(*mark)}
            yield from ((place, f"people[{index}]") for place, named in places if named & marks)


def _is_number(kind: Kind, text: str) -> bool:
    """Whether a name is a mere number, which the address of any page may have."""
    return kind is Kind.USER_NAME and text.isdecimal()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in _PASSED_OVER:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _plain(text: str) -> str:
    """Give text in its usual letters, without characters that cannot be seen."""
    if text.isascii():
        return text
    return "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
