"""
The transit provider: the KEK is a key of Vault's or OpenBao's transit engine and never leaves the server.

The engine wraps by AES-256-GCM with a nonce of its own; the context travels as ``associated_data`` (OpenBao API,
"Transit secrets engine": encrypt, decrypt; key type ``aes256-gcm96``). Its ciphertext ``vault:vN:…`` names the version.
"""

from __future__ import annotations

import re
import ssl
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from keycustody import files, secret_files
from keycustody.errors import MissingKeyError, SealError, StorageError
from keycustody.wraps import Wrap, associated_data

ALGORITHM = "transit-aes256-gcm96"
_CONNECT_SECONDS, _READ_SECONDS = 5.0, 15.0
_CIPHERTEXT = re.compile(r"vault:v([1-9][0-9]{0,8}):([A-Za-z0-9+/]+={0,2})")
#: What a key must be for this to be custody: asked before the first wrap.
_FIT = {"type": "aes256-gcm96", "derived": False, "exportable": False, "allow_plaintext_backup": False}


class TransitKeyring:
    """A key of a transit engine; the token is read anew for each call, so that it can be renewed at any time."""

    def __init__(self, url: str, mount: str, name: str, token_file: Path, ca_file: Path | None = None) -> None:
        self._url, self._mount, self._name, self._token_file = url.rstrip("/"), mount, name, token_file
        self._fit = False
        with files.trouble("The certificate authority of the transit service (keys.ca_file) cannot be read"):
            trusted = ssl.create_default_context(cafile=ca_file) if ca_file else True
        self._client = httpx.Client(
            base_url=f"{self._url}/v1/{mount}/",
            verify=trusted,
            timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
            trust_env=False,
        )

    def create(self) -> None:
        """
        Make the key, if the engine has none of this name.

        Raises:
            StorageError: The service cannot be used, or the key there is not fit for custody.

        """
        try:
            self._require_fit()
        except MissingKeyError:
            self._call("POST", f"keys/{self._name}", _FIT)
            self._require_fit()

    @property
    def kek_id(self) -> str:
        """The mount and the name of the key."""
        return f"transit-{self._mount}-{self._name}"

    @property
    def current_version(self) -> int:
        """The version that the engine encrypts with."""
        return self._versions()[1]

    def wrap(self, key: bytes, context: Mapping[str, str]) -> Wrap:
        """
        Seal a key or a short secret under the current version, bound to ``context``.

        Raises:
            MissingKeyError: The engine has no such key.
            StorageError: The service cannot be used, or the key is not fit for custody.

        """
        if not self._fit:
            self._require_fit()  # an encrypt that finds no key would make one, of whatever kind
        answer = self._call("POST", f"encrypt/{self._name}", {"plaintext": _text(key), **_bound_to(context)})
        found = _CIPHERTEXT.fullmatch(str(answer.get("ciphertext")))
        if not found:
            raise self._nonsense()
        return Wrap(self.kek_id, int(found[1]), ALGORITHM, b"", b64decode(found[2]))

    def unwrap(self, wrap: Wrap, context: Mapping[str, str]) -> bytes:
        """
        Open a wrap made under any version that the engine still decrypts.

        Raises:
            MissingKeyError: That key or that version is not there (any more).
            SealError: The wrap was altered or made for another context.
            StorageError: The service cannot be used.

        """
        if wrap.kek_id != self.kek_id:
            raise MissingKeyError(f"The KEK {wrap.kek_id} is not the transit key {self.kek_id}.")
        if wrap.alg != ALGORITHM or wrap.nonce:
            raise SealError(f"A wrap under {wrap.kek_id} was altered, or made by a method this program does not know.")
        ciphertext = f"vault:v{wrap.kek_version}:{_text(wrap.ciphertext)}"
        try:
            answer = self._call("POST", f"decrypt/{self._name}", {"ciphertext": ciphertext, **_bound_to(context)})
        except _RefusedError:
            oldest, latest = self._versions()  # a version that is gone and a wrong tag are both 400
            if not oldest <= wrap.kek_version <= latest:
                raise MissingKeyError(
                    f"Version {wrap.kek_version} of the transit key {self._name} is gone, or never was."
                ) from None
            raise SealError(
                f"A wrap under {wrap.kek_id} does not open: it was altered, swapped, or made for something else."
            ) from None
        try:
            return b64decode(answer["plaintext"], validate=True)
        except (KeyError, TypeError, ValueError):
            raise self._nonsense() from None

    def rotate(self) -> int:
        """
        Have the engine make the next version, and give its number.

        Raises:
            MissingKeyError: The engine has no such key.
            StorageError: The service cannot be used.

        """
        self._about()
        self._call("POST", f"keys/{self._name}/rotate", {})
        return self.current_version

    def describe(self) -> str:
        """Say where the key is."""
        return f"transit key {self._name} at {self._url}"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _about(self) -> dict[str, Any]:
        return self._call("GET", f"keys/{self._name}")

    def _versions(self) -> tuple[int, int]:
        """Give the oldest version that the engine still decrypts, and the latest."""
        about = self._about()
        try:
            return int(about["min_decryption_version"]), int(about["latest_version"])
        except (KeyError, TypeError, ValueError):
            raise self._nonsense() from None

    def _nonsense(self) -> StorageError:
        return StorageError(f"The transit service at {self._url} answered with something that is none of its answers.")

    def _require_fit(self) -> None:
        about = self._about()
        for what, wanted in _FIT.items():
            if about.get(what) != wanted:
                raise StorageError(f"The transit key {self._name} is not fit for custody: {what} must be {wanted}.")
        self._fit = True

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        token = secret_files.read(self._token_file, "transit token").reveal()
        where = f"The transit service at {self._url}"
        try:
            answer = self._client.request(method, path, json=body, headers={"X-Vault-Token": token})
        except httpx.HTTPError as error:
            raise StorageError(f"{where} cannot be reached ({type(error).__name__}).") from None
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise MissingKeyError(f"{where} has no key {self._name} under {self._mount}.")
        if answer.status_code == httpx.codes.FORBIDDEN:
            raise StorageError(f"{where} refuses the token in {self._token_file}: expired, or its policy lacks {path}.")
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise _RefusedError(f"{where} refuses what it was asked ({path}).")
        if answer.status_code == httpx.codes.NO_CONTENT:
            return {}
        try:
            data = answer.raise_for_status().json()["data"]
            return dict(data)
        except (httpx.HTTPStatusError, ValueError, KeyError, TypeError):
            raise StorageError(f"{where} is sealed, overloaded or broken (HTTP {answer.status_code}).") from None


class _RefusedError(StorageError):
    """The service says that the request itself is wrong."""


def _text(content: bytes) -> str:
    return b64encode(content).decode()


def _bound_to(context: Mapping[str, str]) -> dict[str, str]:
    return {"associated_data": _text(associated_data(context))}
