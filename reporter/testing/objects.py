"""An object store in memory."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from reporter.errors import CustodyError


class MemoryStore:
    """Objects in memory: create-only, gone with the process."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def put(self, key: str, pieces: Iterable[bytes]) -> None:
        """Keep an object, as ``ObjectStore.put``."""
        content = b"".join(pieces)
        with self._lock:
            if key in self._objects:
                raise CustodyError(f"The object store has an object {key} already.")
            self._objects[key] = content

    def open(self, key: str) -> BinaryIO:
        """Open an object, as ``ObjectStore.open``."""
        if key not in self._objects:
            raise CustodyError(f"The object {key} is missing from the object store.")
        return io.BytesIO(self._objects[key])

    def exists(self, key: str) -> bool:
        """Whether there is an object of that key."""
        return key in self._objects

    def keys(self, prefix: str) -> Iterator[str]:
        """Give the keys that begin with ``prefix``, as ``ObjectStore.keys``."""
        yield from [key for key in self._objects if key.startswith(prefix)]

    def delete(self, key: str, *, despite_lock: bool = False) -> None:
        """Remove an object, as ``ObjectStore.delete``; nothing here can be locked."""
        self._objects.pop(key, None)
