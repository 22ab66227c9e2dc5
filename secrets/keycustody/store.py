"""
The key store: wraps by id, apart from database and object store.

It has a short backup horizon of its own, because removing a wrap here is what makes a destroyed item unreadable in
every old copy of the other two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from keycustody import files
from keycustody.errors import KeyExistsError, MissingKeyError
from keycustody.wraps import Wrap

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class KeyStore(Protocol):
    """
    Wraps by id. Processes and threads may share one; what returned survives a power cut.

    Every id is 1 to 128 letters, digits, '.', '_' or '-', and begins with a letter or digit; else it is a
    ``ValueError``. A store that cannot be used is a ``StorageError``.
    """

    def put(self, key_id: str, wrap: Wrap) -> None:
        """
        Keep a new wrap.

        Raises:
            KeyExistsError: The id is taken; what is there is untouched.

        """
        ...

    def get(self, key_id: str) -> Wrap:
        """
        Give a wrap.

        Raises:
            MissingKeyError: There is none of that id.
            SealError: What is kept there is not a wrap any more.

        """
        ...

    def replace(self, key_id: str, old: Wrap, new: Wrap) -> bool:
        """Put ``new`` in the place of ``old``; False, and nothing done, where ``old`` was changed or destroyed."""
        ...

    def delete(self, key_id: str) -> None:
        """Remove a wrap for good; one that is gone already is no error."""
        ...

    def ids(self, prefix: str = "") -> Iterator[str]:
        """Give the ids that begin with ``prefix``, in order, as they were at the time of asking."""
        ...

    def describe(self) -> str:
        """Say in a few words what it is and where, for a person."""
        ...


def safe(key_id: str) -> str:
    """
    Give an id that is one.

    Raises:
        ValueError: It is none.

    """
    if not _SAFE_ID.fullmatch(key_id):
        raise ValueError("a key id is 1 to 128 letters, digits, '.', '_' or '-', and begins with a letter or digit")
    return key_id


@dataclass(frozen=True, slots=True)
class FolderKeyStore:
    """A private folder with one file for each wrap."""

    folder: Path

    def put(self, key_id: str, wrap: Wrap) -> None:
        """
        Keep a new wrap.

        Raises:
            KeyExistsError: The id is taken; what is there is untouched.
            StorageError: The folder cannot be written, or others may read it.

        """
        path = self._path(key_id)
        with files.trouble("The key store cannot be written"):
            files.require_private(self.folder)
            try:
                files.create(path, [wrap.to_json()])
            except FileExistsError as error:
                raise KeyExistsError(f"The key store has a wrap {key_id} already.") from error

    def get(self, key_id: str) -> Wrap:
        """
        Give a wrap.

        Raises:
            MissingKeyError: There is none of that id.
            SealError: The file is not a wrap any more.
            StorageError: The folder cannot be read.

        """
        path = self._path(key_id)
        with files.trouble("The key store cannot be read"):
            files.require_private(self.folder)
            try:
                with files.read(path) as file:
                    return Wrap.from_json(file.read())
            except FileNotFoundError as error:
                raise MissingKeyError(f"The key store has no wrap {key_id}.") from error

    def replace(self, key_id: str, old: Wrap, new: Wrap) -> bool:
        """
        Put ``new`` in the place of ``old``; False, and nothing done, where ``old`` was changed or destroyed.

        Raises:
            StorageError: The folder cannot be written.

        """
        path = self._path(key_id)
        with files.trouble("The key store cannot be written"):
            files.require_private(self.folder)
            with files.held(self.folder):
                try:
                    if self.get(key_id) != old:
                        return False
                except MissingKeyError:
                    return False
                files.replace(path, new.to_json())
        return True

    def delete(self, key_id: str) -> None:
        """
        Remove a wrap for good; one that is gone already is no error.

        Raises:
            StorageError: The folder cannot be written.

        """
        path = self._path(key_id)
        with files.trouble("The key store cannot be written"), files.held(self.folder):
            files.remove(path)

    def ids(self, prefix: str = "") -> Iterator[str]:
        """
        Give the ids that begin with ``prefix``, in order, as they were at the time of asking.

        Raises:
            StorageError: The folder cannot be read.

        """
        with files.trouble("The key store cannot be read"):
            files.require_private(self.folder)
            names = sorted(path.name for path in self.folder.iterdir())
        return (name for name in names if name.startswith(prefix) and _SAFE_ID.fullmatch(name))

    def describe(self) -> str:
        """Say where it is."""
        return f"folder {self.folder}"

    def _path(self, key_id: str) -> Path:
        return self.folder / safe(key_id)
