"""Where sealed objects are kept. Only ciphertext comes here, and an object is never overwritten."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from keycustody import files
from reporter.errors import CustodyError
from reporter.evidence.custody import custody_errors

_SAFE_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}")
_WRITING = "The object store cannot be written"
_READING = "The object store cannot be read"


class ObjectStore(Protocol):
    """Create-only storage of sealed objects by key."""

    def put(self, key: str, pieces: Iterable[bytes]) -> None:
        """
        Keep an object; it appears whole or not at all, and on return it survives a power cut.

        Raises:
            CustodyError: The key is taken; what is there is untouched.
            EnvironmentTroubleError: The store is full or cannot be written.

        """
        ...

    def open(self, key: str) -> BinaryIO:
        """
        Open an object for reading.

        Raises:
            CustodyError: There is none of that key.
            EnvironmentTroubleError: The store cannot be read.

        """
        ...

    def exists(self, key: str) -> bool:
        """Whether there is an object of that key."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """
        Give the keys that begin with ``prefix``, in no order.

        Raises:
            EnvironmentTroubleError: The store cannot be read.

        """
        ...

    def delete(self, key: str, *, despite_lock: bool = False) -> None:
        """
        Remove an object for good, in every version; one that is gone already is no error.

        ``despite_lock`` is for destruction that people have decided on: a lock that has not run out gives way to it,
        a hold never does. Where nothing can be locked it changes nothing.

        Raises:
            PolicyError: The object is locked, or held.
            EnvironmentTroubleError: The store cannot be written.

        """
        ...


@runtime_checkable
class Locking(Protocol):
    """
    What a store can do that refuses deletion by itself, whoever asks.

    A folder cannot: there a hold is what the database says, and who owns the disk is bound by nothing.
    """

    def locks(self) -> bool:
        """Whether it is configured to hold and lock; where it is not, ``held`` is all that may be asked."""
        ...

    def held(self, key: str) -> bool:
        """
        Whether any version of an object is held, by whomever.

        Raises:
            EnvironmentTroubleError: The store cannot be read.

        """
        ...

    def hold(self, key: str, *, on: bool) -> None:
        """
        Set or clear the hold of an object; while it stands, nobody can delete the object.

        Raises:
            CustodyError: There is none of that key.
            EnvironmentTroubleError: The store cannot do it.

        """
        ...

    def retain(self, key: str, until: datetime) -> None:
        """
        Lock an object until a time; a lock is only ever extended.

        Raises:
            CustodyError: There is none of that key.
            EnvironmentTroubleError: The store cannot do it.

        """
        ...


def sound(key: str) -> str:
    """
    Give ``key`` on, which is then safe as the name of a file too.

    Raises:
        ValueError: It is anything else.

    """
    if not _SAFE_KEY.fullmatch(key):
        raise ValueError("an object's key is 1 to 128 lower-case letters, digits, '.', '_' or '-'")
    return key


@dataclass(frozen=True, slots=True)
class LocalObjectStore:
    """Objects as files (0600) in one private folder."""

    folder: Path

    def put(self, key: str, pieces: Iterable[bytes]) -> None:
        """Keep an object, as ``ObjectStore.put``."""
        path = self._path(key)
        with custody_errors(), files.trouble(_WRITING):
            files.require_private(self.folder)
            try:
                files.create(path, pieces)
            except FileExistsError as error:
                raise CustodyError(f"The object store has an object {key} already.") from error

    def open(self, key: str) -> BinaryIO:
        """Open an object, as ``ObjectStore.open``."""
        path = self._path(key)
        with custody_errors(), files.trouble(_READING):
            files.require_private(self.folder)
            try:
                return files.read(path)
            except FileNotFoundError as error:
                raise CustodyError(f"The object {key} is missing from the object store.") from error

    def exists(self, key: str) -> bool:
        """Whether there is an object of that key."""
        return self._path(key).exists()

    def keys(self, prefix: str) -> Iterator[str]:
        """Give the keys that begin with ``prefix``, as ``ObjectStore.keys``."""
        with custody_errors(), files.trouble(_READING), os.scandir(self.folder) as entries:
            names = [entry.name for entry in entries if entry.name.startswith(prefix)]
        yield from (name for name in names if not name.startswith(files.PARTIAL))

    def delete(self, key: str, *, despite_lock: bool = False) -> None:
        """Remove an object, as ``ObjectStore.delete``; nothing here can be locked."""
        with custody_errors(), files.trouble(_WRITING):
            files.remove(self._path(key))

    def sweep_partials(self, before: datetime) -> int:
        """
        Remove what a crash left half-written and nobody has written to since ``before``; give how many.

        Raises:
            EnvironmentTroubleError: The store cannot be written.

        """
        swept = 0
        with custody_errors(), files.trouble(_WRITING):
            for path in self.folder.glob(f"{files.PARTIAL}*"):
                if path.stat().st_mtime < before.timestamp():
                    files.remove(path)
                    swept += 1
        return swept

    def _path(self, key: str) -> Path:
        return self.folder / sound(key)
