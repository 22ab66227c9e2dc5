"""
The local keyring: the provider for one machine. One file (0600) in a folder (0700), which only their owner may read.

The file names the keyring, says what it is locked with, and holds each version of the KEK sealed under that lock.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from threading import Lock

import rfc8785

from keycustody import files, protection
from keycustody.errors import KeyExistsError, MissingKeyError, SealError, StorageError
from keycustody.protection import Parameters, Places
from keycustody.wraps import KEY_BYTES, Wrap, unwrap_under, wrap_under

FILE = "keyring.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class _Content:
    """The file as it stands: useless without what it is locked with."""

    kek_id: str
    lock: Parameters
    keks: Mapping[int, Wrap]

    def to_json(self) -> bytes:
        return rfc8785.dumps(
            {
                "format": _FORMAT,
                "kek_id": self.kek_id,
                "lock": dict(self.lock),
                "keks": [json.loads(self.keks[version].to_json()) for version in sorted(self.keks)],
            }
        )

    @classmethod
    def from_json(cls, text: bytes) -> _Content:
        try:
            fields = json.loads(text)
            if fields["format"] != _FORMAT:
                raise SealError("The keyring is in a format that this program does not know.")
            wraps = [Wrap.from_json(json.dumps(wrap).encode()) for wrap in fields["keks"]]
            content = cls(str(fields["kek_id"]), dict(fields["lock"]), {wrap.kek_version: wrap for wrap in wraps})
        except (ValueError, KeyError, TypeError) as error:
            raise SealError("The keyring is damaged.") from error
        if not content.keks or min(content.keks) < 1:
            raise SealError("The keyring is damaged.")
        return content

    def opened(self, key: bytes) -> dict[int, bytes]:
        """Give the KEKs."""
        try:
            keks = {
                version: unwrap_under(key, wrap, _context(self.kek_id, version)) for version, wrap in self.keks.items()
            }
        except SealError as error:
            raise SealError("The keyring does not open: another passphrase or machine secret, or damaged.") from error
        if any(len(kek) != KEY_BYTES for kek in keks.values()):
            raise SealError("The keyring is damaged.")
        return keks

    @classmethod
    def sealed(cls, kek_id: str, lock: Parameters, key: bytes, keks: Mapping[int, bytes]) -> _Content:
        """Seal KEKs under the key of a lock."""
        wraps = {
            version: wrap_under(key, kek_id, version, kek, _context(kek_id, version)) for version, kek in keks.items()
        }
        return cls(kek_id, lock, wraps)


class LocalKeyring:
    """KEKs in a locked file; what another process adds to it is seen at once."""

    def __init__(self, folder: Path, content: _Content, key: bytes) -> None:
        self._folder, self._key, self._lock = folder, key, Lock()
        self._content, self._keks = content, content.opened(key)

    @classmethod
    def create(cls, folder: Path, places: Places) -> LocalKeyring:
        """
        Make a keyring with its first KEK, locked with a passphrase where ``places`` names its file.

        Raises:
            KeyExistsError: There is one already; it is never overwritten.
            StorageError: The folder, or the machine secret, cannot be written.
            ValueError: The passphrase is too short.

        """
        return cls.restore(folder, places, f"local-{token_hex(8)}", {1: os.urandom(KEY_BYTES)})

    @classmethod
    def restore(cls, folder: Path, places: Places, kek_id: str, keks: Mapping[int, bytes]) -> LocalKeyring:
        """
        Make a keyring that holds what ``reveal`` gave, locked anew, as ``create``.

        Raises:
            KeyExistsError: There is one already; it is never overwritten.
            StorageError: The folder, or the machine secret, cannot be written.
            ValueError: The passphrase is too short.

        """
        if places.passphrase is None:
            lock, key = protection.by_machine_secret(kek_id, places)
        else:
            lock, key = protection.by_passphrase(places.read_passphrase())
        content = _Content.sealed(kek_id, lock, key, keks)
        with files.trouble("The keyring cannot be written"):
            files.make_folder(folder)
            files.require_private(folder)
            try:
                files.create(folder / FILE, [content.to_json()])
            except FileExistsError as error:
                raise KeyExistsError(f"There is a keyring in {folder} already.") from error
        return cls(folder, content, key)

    @classmethod
    def open(cls, folder: Path, places: Places) -> LocalKeyring:
        """
        Read and unlock a keyring.

        Raises:
            MissingKeyError: There is none in ``folder``.
            StorageError: It, or what unlocks it, cannot be read, or others may read it.
            SealError: It is damaged, or locked with something else.

        """
        content = _read(folder)
        return cls(folder, content, protection.unlock(content.kek_id, content.lock, places))

    @property
    def kek_id(self) -> str:
        """The name of the keyring."""
        return self._content.kek_id

    @property
    def current_version(self) -> int:
        """The highest version in the file."""
        return max(self._fresh())

    def wrap(self, key: bytes, context: Mapping[str, str]) -> Wrap:
        """Seal a key or a short secret under the current KEK, bound to ``context``."""
        keks = self._fresh()
        return wrap_under(keks[max(keks)], self.kek_id, max(keks), key, context)

    def unwrap(self, wrap: Wrap, context: Mapping[str, str]) -> bytes:
        """
        Open a wrap made under any version still held.

        Raises:
            MissingKeyError: That KEK or that version is not held here.
            SealError: The wrap was altered or made for another context.

        """
        keks: Mapping[int, bytes] = {}
        if wrap.kek_id == self.kek_id:
            keks = self._keks if wrap.kek_version in self._keks else self._fresh()
        if wrap.kek_version not in keks:
            raise MissingKeyError(f"Version {wrap.kek_version} of the KEK {wrap.kek_id} is not in this keyring.")
        return unwrap_under(keks[wrap.kek_version], wrap, context)

    def rotate(self) -> int:
        """
        Add a KEK, which becomes the current one, and give its version.

        Raises:
            StorageError: The keyring cannot be written.

        """
        with self._held():
            keks = self._fresh()
            version = max(keks) + 1
            self._write(self._content.lock, self._key, {**keks, version: os.urandom(KEY_BYTES)})
            return version

    def relock(self, lock: Parameters, key: bytes) -> None:
        """
        Lock the keyring with something else (see ``protection``), in one step; its KEKs stay the same.

        Raises:
            StorageError: The keyring cannot be written.

        """
        with self._held():
            self._write(lock, key, self._fresh())

    def reveal(self) -> Mapping[int, bytes]:
        """Give every version of the KEK in clear: for a recovery kit, and nothing else."""
        return dict(self._fresh())

    def describe(self) -> str:
        """Say where it is and what locks it."""
        return f"local keyring in {self._folder}, locked with a {str(self._content.lock['method']).replace('-', ' ')}"

    @contextmanager
    def _held(self) -> Iterator[None]:
        with files.trouble("The keyring cannot be written"), files.held(self._folder):
            yield

    def _write(self, lock: Parameters, key: bytes, keks: Mapping[int, bytes]) -> None:
        content = _Content.sealed(self.kek_id, lock, key, keks)
        files.replace(self._folder / FILE, content.to_json())
        with self._lock:
            self._content, self._key, self._keks = content, key, dict(keks)

    def _fresh(self) -> Mapping[int, bytes]:
        """Give the KEKs as they are in the file now."""
        content = _read(self._folder)
        with self._lock:
            if content != self._content:
                if content.kek_id != self._content.kek_id:
                    raise StorageError("Another keyring lies in this one's folder now; start this process again.")
                if content.lock != self._content.lock:
                    raise StorageError("The keyring was locked with something else; start this process again.")
                self._content, self._keks = content, content.opened(self._key)
            return self._keks


def _read(folder: Path) -> _Content:
    with files.trouble("The keyring cannot be used"):
        try:
            files.require_private(folder)
            files.require_private(folder / FILE)
            with files.read(folder / FILE) as file:
                text = file.read()
        except FileNotFoundError as error:
            raise MissingKeyError(f"There is no keyring in {folder}.") from error
    return _Content.from_json(text)


def _context(kek_id: str, version: int) -> dict[str, str]:
    return {"keyring": kek_id, "version": str(version)}
