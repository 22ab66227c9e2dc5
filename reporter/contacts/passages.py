"""By what somebody could be known who stands in the words of a case: its summary, messages, addresses and names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from reporter.cases.model import Case
from reporter.contacts.model import Identifiers, Named

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
