"""One sealed file as the whole body of a request."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

from reporter.authority import PackagedFile
from reporter.errors import CustodyError


class WholeFile:
    """
    The bytes of one sealed file, streamed once in constant memory.

    Iterating raises ``CustodyError`` before the last bytes are given when the plaintext is not the packaged file: the
    request then stays incomplete, so it cannot be taken for good. Nothing is unsealed until the first byte is asked
    for, which is after the connection stands.
    """

    content_type = "application/octet-stream"

    def __init__(
        self, file: PackagedFile, open_item: Callable[[str], Iterable[bytes]], heartbeat: Callable[[], None]
    ) -> None:
        self._file, self._open_item, self._heartbeat = file, open_item, heartbeat
        self.content_length = file.size

    def __iter__(self) -> Iterator[bytes]:
        """Give the body one chunk late, so that the last one goes only when size and SHA-256 are verified."""
        size, digest, held = 0, hashlib.sha256(), b""
        for chunk in self._open_item(self._file.item):
            self._heartbeat()
            size += len(chunk)
            if size > self._file.size:
                raise CustodyError(f"Evidence {self._file.item} unseals to more bytes than were sealed.")
            digest.update(chunk)
            if held:
                yield held
            held = chunk
        if size != self._file.size or digest.hexdigest() != self._file.sha256:
            raise CustodyError(f"Evidence {self._file.item} unseals to other bytes than were packaged.")
        if held:
            yield held

    def envelope(self) -> bytes:
        """Give what is kept of the body: the item's digest and size in the place of its bytes."""
        return f"[item {self._file.item}: {self._file.size} bytes, sha256 {self._file.sha256}]".encode()
