"""
Who holds the root key-encryption key (KEK).

A provider is two operations wide on purpose: an HSM or a transit service can be one, and the key never leaves it. The
local keyring is the provider for one machine: a folder of KEK files that only their owner can read.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Protocol

from keycustody import files
from keycustody.errors import KeyExistsError, MissingKeyError, SealError
from keycustody.wraps import KEY_BYTES, Wrap, unwrap_under, wrap_under

_SUFFIX = ".kek"


class KeyProvider(Protocol):
    """Seals and opens keys under the root KEK."""

    @property
    def current_version(self) -> int:
        """The version of the KEK that new wraps are made with."""
        ...

    def wrap(self, key: bytes, context: Mapping[str, str]) -> Wrap:
        """Seal a key or a short secret under the current KEK, bound to ``context``."""
        ...

    def unwrap(self, wrap: Wrap, context: Mapping[str, str]) -> bytes:
        """
        Open a wrap made under any version still held.

        Raises:
            MissingKeyError: That KEK or that version is not held here.
            SealError: The wrap was altered or made for another context.

        """
        ...


@dataclass(frozen=True, slots=True)
class LocalKeyring:
    """KEKs in a folder (0700), one file (0600) for each version."""

    kek_id: str
    _keks: Mapping[int, bytes] = field(repr=False)

    @classmethod
    def create(cls, folder: Path) -> LocalKeyring:
        """
        Make a keyring with its first KEK.

        Raises:
            KeyExistsError: There is one already; it is never overwritten.
            StorageError: The folder cannot be written.

        """
        first = {"kek_id": f"local-{token_hex(8)}", "version": 1, "key": b64encode(os.urandom(KEY_BYTES)).decode()}
        with files.trouble("The keyring cannot be written"):
            files.make_folder(folder)
            try:
                files.create(folder / f"1{_SUFFIX}", [json.dumps(first).encode()])
            except FileExistsError as error:
                raise KeyExistsError(f"There is a keyring in {folder} already.") from error
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> LocalKeyring:
        """
        Read a keyring.

        Raises:
            MissingKeyError: There is none in ``folder``.
            StorageError: It cannot be read, or others may read it.
            SealError: A file of it is damaged.

        """
        with files.trouble("The keyring cannot be used"):
            if not folder.exists():
                raise MissingKeyError(f"There is no keyring in {folder}.")
            files.require_private(folder)
            read = [cls._read(path) for path in sorted(folder.glob(f"*{_SUFFIX}"))]
        if not read:
            raise MissingKeyError(f"There is no keyring in {folder}.")
        ids = {kek_id for kek_id, _, _ in read}
        if len(ids) != 1:
            raise SealError(f"The KEK files in {folder} belong to different keyrings.")
        return cls(ids.pop(), {version: key for _, version, key in read})

    @property
    def current_version(self) -> int:
        """The highest version held."""
        return max(self._keks)

    def wrap(self, key: bytes, context: Mapping[str, str]) -> Wrap:
        """Seal a key or a short secret under the current KEK, bound to ``context``."""
        version = self.current_version
        return wrap_under(self._keks[version], self.kek_id, version, key, context)

    def unwrap(self, wrap: Wrap, context: Mapping[str, str]) -> bytes:
        """
        Open a wrap made under any version still held.

        Raises:
            MissingKeyError: That KEK or that version is not held here.
            SealError: The wrap was altered or made for another context.

        """
        kek = self._keks.get(wrap.kek_version) if wrap.kek_id == self.kek_id else None
        if kek is None:
            raise MissingKeyError(f"Version {wrap.kek_version} of the KEK {wrap.kek_id} is not in this keyring.")
        return unwrap_under(kek, wrap, context)

    @staticmethod
    def _read(path: Path) -> tuple[str, int, bytes]:
        files.require_private(path)
        with files.read(path) as file:
            content = file.read()
        try:
            fields = json.loads(content)
            kek_id, version, key = (
                str(fields["kek_id"]),
                int(fields["version"]),
                b64decode(fields["key"], validate=True),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise SealError(f"The KEK file {path} is damaged.") from error
        if len(key) != KEY_BYTES or path.name != f"{version}{_SUFFIX}":
            raise SealError(f"The KEK file {path} is damaged.")
        return kek_id, version, key
