"""
Blind indexes: what a database can be searched by without holding it.

A value (an e-mail address, a telephone number, a user name) is brought to one form and becomes an HMAC under a key of
its register. The same value in the same register gives the same index; who has the database and not the key can
neither read nor guess it, nor see that two registers know the same person.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import unicodedata
from collections.abc import Iterator, Mapping
from enum import StrEnum

from keycustody.errors import KeyExistsError, MissingKeyError
from keycustody.providers import KeyProvider
from keycustody.store import KeyStore
from keycustody.wraps import KEY_BYTES, associated_data

_PREFIX = "index-"


class Kind(StrEnum):
    """What a value is; the same text as two kinds has two indexes."""

    EMAIL = "email"
    PHONE = "phone"
    USER_NAME = "user_name"
    ACCOUNT = "account"  # an account's own id
    NAME = "name"  # a human being's, in full
    WORD = "word"  # any other short text


def normalise(kind: Kind, value: str) -> str:
    """
    Give the one form of a value: NFKC and case-folded, without spaces around; of a telephone number its digits.

    An international prefix (``+``, ``00``) and the ``@`` before a user name go. An address keeps its dots and tags:
    whether they matter is for who runs the mail.

    Raises:
        ValueError: Nothing is left of it.

    """
    text = " ".join(_folded(value).split())
    if kind is Kind.PHONE:
        digits = "".join(str(unicodedata.decimal(sign)) for sign in text if sign.isdecimal())
        text = digits.removeprefix("00")
    elif kind is Kind.USER_NAME:
        text = text.removeprefix("@")
    if not text:
        raise ValueError(f"nothing is left of that {kind.replace('_', ' ')}")
    return text


class BlindIndex:
    """The indexes of one register, under a key of its own; the key is made at first need. Threads may share it."""

    def __init__(self, provider: KeyProvider, store: KeyStore, register: str) -> None:
        self._provider, self._store, self._register = provider, store, register
        self._made: bytes | None = None

    def of(self, kind: Kind, value: str) -> str:
        """
        Give the index of a value, as 64 hexadecimal digits.

        Raises:
            ValueError: Nothing is left of the value in its normal form.
            KeyCustodyError: The key can be neither made nor read.

        """
        said = associated_data({"kind": kind.value, "value": normalise(kind, value)})
        return hmac.digest(self._key(), said, hashlib.sha256).hex()

    def _key(self) -> bytes:
        if self._made is None:
            self._made = self._read()
        return self._made

    def _read(self) -> bytes:
        key_id = f"{_PREFIX}{self._register}"
        context = index_key_context(key_id)
        try:
            return self._provider.unwrap(self._store.get(key_id), context)
        except MissingKeyError:
            key = os.urandom(KEY_BYTES)
        try:
            self._store.put(key_id, self._provider.wrap(key, context))
        except KeyExistsError:  # another process was first, and its key is the one
            return self._provider.unwrap(self._store.get(key_id), context)
        return key


def index_keys(store: KeyStore) -> Iterator[str]:
    """
    Give the ids under which the key store has the keys of registers.

    Raises:
        StorageError: It cannot be read.

    """
    return store.ids(_PREFIX)


def index_key_context(key_id: str) -> Mapping[str, str]:
    """Give what the wrap of a register's key is bound to."""
    return {"register": key_id.removeprefix(_PREFIX), "use": "index-key"}


def _folded(value: str) -> str:
    """Fold as for a compatibility caseless match (Unicode 15.0, 3.13, D146), so that folding again changes nothing."""
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", value).casefold())
    return unicodedata.normalize("NFKC", once.casefold())
