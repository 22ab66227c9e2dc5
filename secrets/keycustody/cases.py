"""
One key for each case, and what lies under it: bodies and the identities of evidence items.

The case key is made at first need, wrapped by the provider and kept in the key store. Removing its wrap there makes
everything of the case unreadable, at the latest when other processes have forgotten the key too: a few minutes.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import StrEnum
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keycustody.errors import KeyCustodyError, KeyExistsError, MissingKeyError, SealError
from keycustody.providers import KeyProvider
from keycustody.store import KeyStore
from keycustody.wraps import KEY_BYTES, NONCE_BYTES, Wrap, associated_data, unwrap_under, wrap_under

#: First byte of a sealed body: AES-256-GCM, then the nonce, then ciphertext and tag.
_BODY_VERSION = b"\x01"
_CACHED_CASES = 256
#: How long a key stays in memory without asking the key store again: so long may a destroyed one live on in a worker.
REMEMBERED_SECONDS = 300.0
_CASE_KEY_VERSION = 1


class Fault(StrEnum):
    """Why the identity of an item cannot be had."""

    WRAP_MISSING = "wrap_missing"
    WRAP_ALTERED = "wrap_altered"
    WRAP_SWAPPED = "wrap_swapped"
    CASE_KEY_MISSING = "case_key_missing"
    CASE_KEY_ALTERED = "case_key_altered"
    KEK_MISSING = "kek_missing"


class CaseKeys:
    """Seals and opens under the keys of cases; safe to share between threads."""

    def __init__(self, provider: KeyProvider, store: KeyStore, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._provider, self._store, self._monotonic = provider, store, monotonic
        self._cache: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._lock = Lock()

    def seal_body(self, case: str, body: str, kind: str, plaintext: bytes) -> bytes:
        """
        Seal a body under the key of ``case``, bound to its id and kind.

        Raises:
            KeyCustodyError: The case key can be neither made nor read.

        """
        nonce = os.urandom(NONCE_BYTES)
        aead = AESGCM(self._key(case, make=True))
        return _BODY_VERSION + nonce + aead.encrypt(nonce, plaintext, _body_context(case, body, kind))

    def open_body(self, case: str, body: str, kind: str, sealed: bytes) -> bytes:
        """
        Open a sealed body.

        Raises:
            MissingKeyError: The case key is gone.
            SealError: The body was altered, or belongs to another case, id or kind.

        """
        start = len(_BODY_VERSION) + NONCE_BYTES
        aead = AESGCM(self._key(case))
        try:
            if not sealed.startswith(_BODY_VERSION):
                raise SealError(f"Body {body} of case {case} is not sealed in a way this program knows.")
            nonce, ciphertext = sealed[len(_BODY_VERSION) : start], sealed[start:]
            return aead.decrypt(nonce, ciphertext, _body_context(case, body, kind))
        except (InvalidTag, ValueError) as error:
            raise SealError(f"Body {body} of case {case} does not open: it was altered or swapped.") from error

    def keep_identity(self, case: str, item: str, ciphertext_sha256: str, identity: str) -> None:
        """
        Keep the age identity of an item, wrapped under its case's key and bound to the item's ciphertext.

        Raises:
            KeyExistsError: The item has one already.
            KeyCustodyError: The case key or the key store cannot be used.

        """
        context = _item_context(case, item, ciphertext_sha256)
        key = self._key(case, make=True)
        wrap = wrap_under(key, case_key_id(case), _CASE_KEY_VERSION, identity.encode(), context)
        self._store.put(_item_id(item), wrap)

    def identity(self, case: str, item: str, ciphertext_sha256: str) -> str:
        """
        Give the age identity of an item, as text.

        Raises:
            MissingKeyError: It, or the case key, is gone.
            SealError: The wrap was altered, or belongs to another case, item or ciphertext.

        """
        wrap = self._store.get(_item_id(item))
        return unwrap_under(self._key(case), wrap, _item_context(case, item, ciphertext_sha256)).decode()

    def forget_identity(self, item: str) -> None:
        """
        Remove the identity of an item: without it the item's ciphertext is noise.

        Raises:
            StorageError: The key store cannot be written.

        """
        self._store.delete(_item_id(item))

    def forget_case(self, case: str) -> None:
        """
        Remove the key of a case: without it all that is sealed for the case is noise.

        Another process may still hold the key for ``REMEMBERED_SECONDS``.

        Raises:
            StorageError: The key store cannot be written.

        """
        self._store.delete(case_key_id(case))
        with self._lock:
            self._cache.pop(case, None)

    def has_case(self, case: str) -> bool:
        """
        Whether the key of a case is in the key store, of use or not.

        Raises:
            StorageError: The key store cannot be read.

        """
        return self._has(case_key_id(case))

    def has_item(self, item: str) -> bool:
        """
        Whether the identity of an item is in the key store, of use or not.

        Raises:
            StorageError: The key store cannot be read.

        """
        return self._has(_item_id(item))

    def lineage(self, case: str, item: str | None = None) -> list[str]:
        """
        Give the ids of the keys between the root and an item, or a case, its own first, as far as they are there.

        Raises:
            StorageError: The key store cannot be read.

        """
        ids = [*([_item_id(item)] if item else []), case_key_id(case)]
        with suppress(MissingKeyError, SealError):
            wrap = self._store.get(ids[-1])
            ids.append(f"{wrap.kek_id}:{wrap.kek_version}")
        return ids

    def fault(
        self, case: str, item: str, ciphertext_sha256: str, others: Callable[[str], Iterable[tuple[str, str]]]
    ) -> Fault | None:
        """
        Say why the identity of an item cannot be had, or None where it can; nothing remembered counts.

        ``others`` gives the items of a case with the digests of their ciphertexts: whose wrap may lie here instead.

        Raises:
            StorageError: The key store or the provider does not work.

        """
        try:
            wrap = self._store.get(_item_id(item))
        except MissingKeyError:
            return Fault.WRAP_MISSING
        except SealError:
            return Fault.WRAP_ALTERED
        if fault := self._fault_of_case(case):
            return fault
        if self._opens(case, item, ciphertext_sha256, wrap):
            return None
        owner = wrap.kek_id.removeprefix(case_key_id(""))
        if self._fault_of_case(owner) is None and any(self._opens(owner, *each, wrap) for each in others(owner)):
            return Fault.WRAP_SWAPPED
        return Fault.WRAP_ALTERED

    def _has(self, key_id: str) -> bool:
        try:
            self._store.get(key_id)
        except MissingKeyError:
            return False
        except SealError:
            pass
        return True

    def _fault_of_case(self, case: str) -> Fault | None:
        try:
            wrap = self._store.get(case_key_id(case))
        except MissingKeyError:
            return Fault.CASE_KEY_MISSING
        except (SealError, ValueError):
            return Fault.CASE_KEY_ALTERED
        try:
            self._provider.unwrap(wrap, case_key_context(case))
        except MissingKeyError:
            return Fault.KEK_MISSING
        except SealError:
            return Fault.CASE_KEY_ALTERED
        return None

    def _opens(self, case: str, item: str, ciphertext_sha256: str, wrap: Wrap) -> bool:
        try:
            unwrap_under(self._key(case), wrap, _item_context(case, item, ciphertext_sha256))
        except KeyCustodyError:
            return False
        return True

    def _key(self, case: str, *, make: bool = False) -> bytes:
        now = self._monotonic()
        with self._lock:
            for old in [name for name, (_, until) in self._cache.items() if until <= now]:
                del self._cache[old]
            if case in self._cache:
                self._cache.move_to_end(case)
                return self._cache[case][0]
        key = self._read(case, make)  # outside the lock: a provider that is slow for one case keeps no other waiting
        with self._lock:
            self._cache[case] = key, now + REMEMBERED_SECONDS
            if len(self._cache) > _CACHED_CASES:
                self._cache.popitem(last=False)
        return key

    def _read(self, case: str, make: bool) -> bytes:
        context = case_key_context(case)
        try:
            return self._provider.unwrap(self._store.get(case_key_id(case)), context)
        except MissingKeyError:
            if not make:
                raise
        key = os.urandom(KEY_BYTES)
        try:
            self._store.put(case_key_id(case), self._provider.wrap(key, context))
        except KeyExistsError:  # another process was first, and its key is the one
            return self._provider.unwrap(self._store.get(case_key_id(case)), context)
        return key


def case_key_id(case: str) -> str:
    """Give the id under which the key store has the key of a case."""
    return f"case-{case}"


def case_key_context(case: str) -> dict[str, str]:
    """Give what the wrap of a case's key is bound to."""
    return {"case": case, "use": "case-key"}


def _item_id(item: str) -> str:
    return f"item-{item}"


def _body_context(case: str, body: str, kind: str) -> bytes:
    return associated_data({"case": case, "body": body, "kind": kind})


def _item_context(case: str, item: str, ciphertext_sha256: str) -> dict[str, str]:
    return {"case": case, "item": item, "ciphertext_sha256": ciphertext_sha256}
