"""
The PKCS#11 provider: the KEK is an AES key that never leaves a token (an HSM, a smart card, SoftHSM).

Keys are wrapped by ``CKM_AES_GCM`` (PKCS #11 v2.40 Current Mechanisms, 2.11.3) inside the token: the context is its
additional data, and the IV of 96 bits comes from the token's own generator (NIST SP 800-38D, 8.2.2), so the token must
take the IV it is given. ``CKM_AES_KEY_WRAP_PAD`` would bind no context.

Each version of the KEK is one key object. All have the configured label; the id is the keyring's number, then the
version, then a number of its own: two machines that rotate at once make two keys of one version, and either opens.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

from keycustody import secret_files
from keycustody.errors import KeyCustodyError, MissingKeyError, SealError, StorageError
from keycustody.redacted import Redacted
from keycustody.wraps import ALGORITHM, KEY_BYTES, NONCE_BYTES, Wrap, associated_data

_RING_BYTES, _VERSION_BYTES, _OWN_BYTES = 8, 4, 4
_TAG_BYTES = 16
#: PKCS#11 has one login and one initialisation for a whole process, and its sessions are not for several threads.
_ONE_AT_A_TIME = RLock()
#: The turn in which a module that failed twice is begun anew, for all that this process does with it.
_BEGINNING_ANEW = 2
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Kek:
    """One key object of the token; ``key`` is a handle that is good for one session."""

    ring: bytes
    version: int
    own: bytes
    key: Any

    @property
    def kek_id(self) -> str:
        return f"pkcs11-{self.ring.hex()}"


class TokenKeyring:
    """KEKs in a PKCS#11 token; threads use one session after another, and it is opened again when it is lost."""

    def __init__(self, module: Path, token: str, label: str, pin_file: Path | None) -> None:
        try:
            import pkcs11
        except ModuleNotFoundError:
            raise StorageError("PKCS#11 needs its driver: pip install 'reporter[hsm]'.") from None
        self._pkcs11: Any = pkcs11
        self._module, self._token, self._label, self._pin_file = module, token, label, pin_file
        self._session: Any = None
        self._keks: Sequence[_Kek] = ()
        self._asked: Redacted | None = None
        self._refused = False

    def create(self) -> None:
        """
        Make the first KEK, if the token has none of this label.

        Raises:
            StorageError: The token cannot be used.

        """

        def made() -> None:
            if not self._list():
                self._generate(os.urandom(_RING_BYTES), 1)

        self._attempt(made)

    @property
    def kek_id(self) -> str:
        """The number of the keyring in the token."""
        return self._attempt(lambda: self._newest().kek_id)

    @property
    def current_version(self) -> int:
        """The highest version in the token."""
        return self._attempt(lambda: self._newest().version)

    def wrap(self, key: bytes, context: Mapping[str, str]) -> Wrap:
        """
        Seal a key or a short secret under the current KEK, bound to ``context``.

        Raises:
            MissingKeyError: The token has no KEK.
            StorageError: The token cannot be used.

        """

        def sealed() -> Wrap:
            kek = self._newest()
            nonce, ciphertext = self._encrypt(kek, key, context)
            return Wrap(kek.kek_id, kek.version, ALGORITHM, nonce, ciphertext)

        return self._attempt(sealed)

    def unwrap(self, wrap: Wrap, context: Mapping[str, str]) -> bytes:
        """
        Open a wrap made under any version still in the token.

        Raises:
            MissingKeyError: That KEK or that version is not in this token.
            SealError: The wrap was altered or made for another context.
            StorageError: The token cannot be used.

        """
        if wrap.alg != ALGORITHM or len(wrap.nonce) != NONCE_BYTES or len(wrap.ciphertext) < _TAG_BYTES:
            raise SealError(f"A wrap under {wrap.kek_id} was altered, or made by a method this program does not know.")

        def opened() -> bytes:
            keks = _that_made(wrap, self._keks) or _that_made(wrap, self._list())
            if not keks:
                raise MissingKeyError(f"Version {wrap.kek_version} of the KEK {wrap.kek_id} is not in this token.")
            for kek in keks:
                try:
                    return self._decrypt(kek, wrap.nonce, wrap.ciphertext, context)
                except self._pkcs11.PKCS11Error:
                    # Tokens say of a wrong tag what they say of trouble (SoftHSM: CKR_GENERAL_ERROR). A key that still
                    # opens what it seals is well, and the wrap is what is wrong.
                    self._decrypt(kek, *self._encrypt(kek, b"", {}), {})
            raise SealError(
                f"A wrap under {wrap.kek_id} does not open: it was altered, swapped, or made for something else."
            )

        return self._attempt(opened)

    def rotate(self) -> int:
        """
        Make the next version of the KEK in the token, and give its number.

        Raises:
            MissingKeyError: The token has no KEK.
            StorageError: The token cannot be used.

        """

        def rotated() -> int:
            newest = self._newest()
            self._generate(newest.ring, newest.version + 1)
            return newest.version + 1

        return self._attempt(rotated)

    def describe(self) -> str:
        """Say which token it is."""
        return f"PKCS#11 token {self._token} by {self._module.name}"

    def close(self) -> None:
        """Close the session."""
        with _ONE_AT_A_TIME:
            self._drop()

    # --- keys in the token ----------------------------------------------------------------------------------------

    def _list(self) -> Sequence[_Kek]:
        """Look which KEKs are there now."""
        classes = {self._pkcs11.Attribute.CLASS: self._pkcs11.ObjectClass.SECRET_KEY}
        found = list(self._session.get_objects({**classes, self._pkcs11.Attribute.LABEL: self._label}))
        self._keks = sorted((_kek(key) for key in found), key=lambda kek: (kek.version, kek.own))
        if len({kek.ring for kek in self._keks}) > 1:
            raise SealError(f"Keys of several keyrings have the label {self._label} in the token {self._token}.")
        return self._keks

    def _newest(self) -> _Kek:
        keks = self._list()
        if not keks:
            raise MissingKeyError(f"The token {self._token} has no key labelled {self._label}; run: reporter init")
        return keks[-1]

    def _generate(self, ring: bytes, version: int) -> None:
        attribute = self._pkcs11.Attribute
        never = (attribute.EXTRACTABLE, attribute.MODIFIABLE, attribute.WRAP, attribute.UNWRAP, attribute.DERIVE)
        always = (attribute.PRIVATE, attribute.SENSITIVE, attribute.ENCRYPT, attribute.DECRYPT)
        with self._session.token.open(rw=True) as session:  # the login of the other session counts
            session.generate_key(
                self._pkcs11.KeyType.AES, KEY_BYTES * 8, label=self._label, store=True,
                id=ring + version.to_bytes(_VERSION_BYTES, "big") + os.urandom(_OWN_BYTES),
                template={**dict.fromkeys(never, False), **dict.fromkeys(always, True)},
            )  # fmt: skip

    def _encrypt(self, kek: _Kek, plaintext: bytes, context: Mapping[str, str]) -> tuple[bytes, bytes]:
        nonce = bytes(self._session.generate_random(NONCE_BYTES * 8))
        return nonce, bytes(kek.key.encrypt(plaintext, **self._gcm(nonce, context)))

    def _decrypt(self, kek: _Kek, nonce: bytes, ciphertext: bytes, context: Mapping[str, str]) -> bytes:
        return bytes(kek.key.decrypt(ciphertext, **self._gcm(nonce, context)))

    def _gcm(self, nonce: bytes, context: Mapping[str, str]) -> dict[str, Any]:
        parameters = self._pkcs11.GCMParams(nonce, associated_data(context), _TAG_BYTES * 8)
        return {"mechanism": self._pkcs11.Mechanism.AES_GCM, "mechanism_param": parameters}

    # --- the session ----------------------------------------------------------------------------------------------

    def _attempt(self, work: Callable[[], _T]) -> _T:
        """Do something with the token; if that fails, again in a new session, and again with the module begun anew."""
        trouble: KeyCustodyError = StorageError("")
        with _ONE_AT_A_TIME:
            for turn in range(3):
                try:
                    if turn == _BEGINNING_ANEW:
                        self._begin_anew()
                    self._open()
                    return work()
                except MissingKeyError as error:
                    if turn:
                        raise
                    trouble = error  # so says a session whose token was pulled out, too
                except self._pkcs11.PKCS11Error as error:
                    trouble = self._in_words(error)
                    if self._refused:
                        break
                self._drop()
        raise trouble from None

    def _open(self) -> None:
        if self._session is not None:
            return
        if self._refused:
            raise self._pkcs11.PinIncorrect
        token = self._pkcs11.lib(str(self._module)).get_token(token_label=self._token)
        try:
            self._session = token.open(user_pin=self._pin().reveal())
        except self._pkcs11.UserAlreadyLoggedIn:
            self._session = token.open()
        self._list()

    def _drop(self) -> None:
        session, self._session, self._keks = self._session, None, ()
        if session is not None:
            with suppress(self._pkcs11.PKCS11Error):
                session.close()

    def _begin_anew(self) -> None:
        """Without this a module may never again see a token that was pulled out and put back."""
        self._pkcs11.lib(str(self._module)).reinitialize()

    def _pin(self) -> Redacted:
        if self._pin_file is not None:
            return secret_files.read(self._pin_file, "PIN")
        self._asked = self._asked or secret_files.ask(f"PIN of the token {self._token}", "keys.pin_file")
        return self._asked

    def _in_words(self, error: Exception) -> StorageError:
        errors = self._pkcs11
        if isinstance(error, (errors.PinIncorrect, errors.PinInvalid, errors.PinLenRange, errors.PinLocked)):
            self._refused = True
            words = "refuses its PIN; it is not tried again, because too many wrong ones lock a token"
        elif isinstance(error, (errors.NoSuchToken, errors.TokenNotPresent, errors.DeviceRemoved)):
            words = "is not there"
        else:
            words = f"does not work ({type(error).__name__})"
        return StorageError(f"The token {self._token} {words}.")


def _kek(key: Any) -> _Kek:
    identity = bytes(key.id)
    if len(identity) != _RING_BYTES + _VERSION_BYTES + _OWN_BYTES:
        raise SealError(f"A key labelled {key.label} in the token was not made by this program.")
    ring, rest = identity[:_RING_BYTES], identity[_RING_BYTES:]
    return _Kek(ring, int.from_bytes(rest[:_VERSION_BYTES], "big"), rest[_VERSION_BYTES:], key)


def _that_made(wrap: Wrap, keks: Sequence[_Kek]) -> Sequence[_Kek]:
    return [kek for kek in keks if (kek.kek_id, kek.version) == (wrap.kek_id, wrap.kek_version)]
