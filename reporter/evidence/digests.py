"""
Digests of a stream, taken while it passes; those of a long one beside it, each in a thread of its own.

MD5 is the slowest stage of sealing, and no thread of its own makes it faster: so everything else runs beside it.
hashlib lets go of the interpreter while it digests, and what passes is never changed, so the threads share the blocks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from queue import Queue
from threading import Thread

#: Bytes that are digested in place; a shorter stream has passed before threads would pay.
LONG = 4 << 20
#: Blocks that may wait for one digest; each is a few MiB at the most.
_WAITING = 4

_Update = Callable[[bytes], None]


class Digests:
    """Several digests of one stream."""

    def __init__(self, *names: str) -> None:
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in names}
        self.size = 0

    def of(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass ``pieces`` on; the digests hold once the iteration has ended. No piece may be changed afterwards."""
        updates: list[_Update] = [digest.update for digest in self._hashes.values()]
        with ExitStack() as threads:
            beside = False
            for piece in pieces:
                self.size += len(piece)
                if self.size > LONG and not beside:
                    beside, updates = True, [threads.enter_context(_beside(update)) for update in updates]
                for update in updates:
                    update(piece)
                yield piece

    def get(self, name: str) -> str | None:
        """Give a digest of what has passed, in lower-case hexadecimal; None when it was not asked for."""
        return self._hashes[name].hexdigest() if name in self._hashes else None

    def __getitem__(self, name: str) -> str:
        return self._hashes[name].hexdigest()


@contextmanager
def _beside(update: _Update) -> Iterator[_Update]:
    """Give what has ``update`` called in a thread, in order; on leaving, every call has been made."""
    waiting: Queue[bytes | None] = Queue(_WAITING)

    def work() -> None:
        while (piece := waiting.get()) is not None:
            update(piece)

    thread = Thread(target=work, name="digest", daemon=True)
    thread.start()
    try:
        yield waiting.put
    finally:
        waiting.put(None)
        thread.join()
