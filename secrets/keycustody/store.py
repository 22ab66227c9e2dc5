"""
The key store: wraps by id, apart from database and object store.

It has a short backup horizon of its own, because removing a wrap here is what makes a destroyed item unreadable in
every old copy of the other two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from keycustody import files
from keycustody.errors import KeyExistsError, MissingKeyError
from keycustody.wraps import Wrap

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class KeyStore:
    """A private folder with one file for each wrap."""

    folder: Path

    def put(self, key_id: str, wrap: Wrap) -> None:
        """
        Keep a wrap; on return it survives a power cut.

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

    def delete(self, key_id: str) -> None:
        """
        Remove a wrap for good; one that is gone already is no error.

        Raises:
            StorageError: The folder cannot be written.

        """
        with files.trouble("The key store cannot be written"):
            files.remove(self._path(key_id))

    def _path(self, key_id: str) -> Path:
        if not _SAFE_ID.fullmatch(key_id):
            raise ValueError("a key id is 1 to 128 letters, digits, '.', '_' or '-', and begins with a letter or digit")
        return self.folder / key_id
