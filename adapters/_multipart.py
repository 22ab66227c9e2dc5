"""multipart/form-data (RFC 7578): written as a stream whose length is known beforehand."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping

from reporter.authority import PackagedFile
from reporter.errors import CustodyError

_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)


def escaped(name: str) -> bytes:
    """
    Make a name harmless inside quotes.

    WHATWG HTML, "multipart/form-data encoding algorithm": a quote, CR and LF are percent-encoded; here so is every
    other control character.
    """
    safe = "".join(f"%{ord(char):02X}" if char == '"' or char < " " or char == "\x7f" else char for char in name)
    return safe.encode("utf-8", "replace")


def _head(boundary: str, disposition: bytes, media_type: str | None = None) -> bytes:
    head = b"--" + boundary.encode() + b"\r\nContent-Disposition: form-data; " + disposition + b"\r\n"
    return head + (f"Content-Type: {media_type}\r\n\r\n".encode() if media_type else b"\r\n")


def _fields(boundary: str, fields: Mapping[str, str]) -> bytes:
    return b"".join(
        _head(boundary, b'name="' + escaped(name) + b'"') + value.encode() + b"\r\n" for name, value in fields.items()
    )


def form(fields: Mapping[str, str]) -> tuple[str, bytes]:
    """Give the content type and the body of a form without files."""
    boundary = uuid.uuid4().hex
    return f"multipart/form-data; boundary={boundary}", _fields(boundary, fields) + f"--{boundary}--\r\n".encode()


class FileForm:
    """
    A form with plain fields and one sealed file, streamed once in constant memory.

    Iterating raises ``CustodyError`` before the closing boundary when the plaintext is not the packaged file: the
    request then stays incomplete, so it cannot be taken for good. Nothing is unsealed until the first byte is asked
    for, which is after the connection stands.
    """

    def __init__(
        self,
        fields: Mapping[str, str],
        name: str,
        file: PackagedFile,
        open_item: Callable[[str], Iterable[bytes]],
        heartbeat: Callable[[], None],
    ) -> None:
        boundary = uuid.uuid4().hex
        media_type = file.media_type if _MEDIA_TYPE.fullmatch(file.media_type) else "application/octet-stream"
        disposition = b'name="' + escaped(name) + b'"; filename="' + escaped(file.file_name) + b'"'
        self._before = _fields(boundary, fields) + _head(boundary, disposition, media_type)
        self._after = f"\r\n--{boundary}--\r\n".encode()
        self._file = file
        self._open_item = open_item
        self._heartbeat = heartbeat
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.content_length = len(self._before) + file.size + len(self._after)

    def __iter__(self) -> Iterator[bytes]:
        """Give the body, verifying size and MD5 of the plaintext as it passes."""
        yield self._before
        sent, digest = 0, hashlib.md5(usedforsecurity=False)
        for chunk in self._open_item(self._file.item):
            self._heartbeat()
            sent += len(chunk)
            if sent > self._file.size:
                raise CustodyError(f"Evidence {self._file.item} unseals to more bytes than were sealed.")
            digest.update(chunk)
            yield chunk
        if sent != self._file.size or digest.hexdigest() != self._file.md5:
            raise CustodyError(f"Evidence {self._file.item} unseals to other bytes than were packaged.")
        yield self._after

    def envelope(self) -> bytes:
        """Give the body as it is kept: the item's digests and size stand in the place of its bytes."""
        item = self._file
        stand_in = f"[item {item.item}: {item.size} bytes, md5 {item.md5}, sha256 {item.sha256}]"
        return self._before + stand_in.encode() + self._after
