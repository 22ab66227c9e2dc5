"""HTML forms read as a stream, for the doubles: multipart/form-data (RFC 7578) and urlencoded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from reporter.errors import DocumentError

#: Bounds of this reader, in bytes: the headers of one part, and one plain field.
MAX_PART_HEAD = 16 << 10
MAX_FIELD = 64 << 10

_BOUNDARY = re.compile(r'boundary=(?:"([^"]{1,70})"|([^";,\s]{1,70}))', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*([\w*]+)=(?:"((?:[^"\\]|\\.)*)"|([^";\s]*))')


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form; ``data`` can be read once, before the next part is asked for."""

    name: str
    file_name: str | None
    data: Iterator[bytes]


def collect(chunks: Iterable[bytes], limit: int) -> bytes:
    """
    Read a body of at most ``limit`` bytes.

    Raises:
        DocumentError: It is longer.

    """
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise DocumentError(f"The body is longer than {limit} bytes.")
    return bytes(body)


def read_form(content_type: str, body: Iterable[bytes]) -> Iterator[Part]:
    """
    Give the parts of a form in either encoding, in order.

    Raises:
        DocumentError: It is not a form, or a malformed one.

    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        text = collect(body, MAX_FIELD).decode("utf-8", "replace")
        for name, value in parse_qsl(text, keep_blank_values=True):
            yield Part(name, None, iter((value.encode(),)))
        return
    boundary = _BOUNDARY.search(content_type)
    if kind != "multipart/form-data" or boundary is None:
        raise DocumentError("The body is not a form.")
    yield from _parts(_Source(body), b"\r\n--" + (boundary[1] or boundary[2]).encode())


def _parts(source: _Source, delimiter: bytes) -> Iterator[Part]:
    source.until(delimiter, MAX_PART_HEAD)
    while True:
        if (line := source.until(b"\r\n", MAX_PART_HEAD).strip()) == b"--":
            return
        if line:
            raise DocumentError("The form's boundary is not followed by a part.")
        head = _headers(source.head())
        disposition = {
            key.lower(): quoted or plain
            for key, quoted, plain in _PARAMETER.findall(head.get("content-disposition", ""))
        }
        if "name" not in disposition:
            raise DocumentError("A part of the form has no name.")
        data = source.data(delimiter)
        yield Part(_unescaped(disposition["name"]), _file_name(disposition), data)
        for _ in data:
            pass


def _headers(head: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n"))
    return {name.strip().lower(): value for name, _, value in lines}


def _unescaped(text: str) -> str:
    """Undo what WHATWG forms (%22 %0D %0A) and curl (a backslash) do to a name."""
    return re.sub(r"%(22|0D|0A)|\\(.)", lambda found: unquote(found[0]) if found[1] else found[2], text)


def _file_name(disposition: Mapping[str, str]) -> str | None:
    if "filename*" in disposition:  # RFC 8187: charset'language'value
        return unquote(disposition["filename*"].rpartition("'")[2])
    return _unescaped(disposition["filename"]) if "filename" in disposition else None


class _Source:
    """Chunks with a little held back, so that a mark that spans two of them is found."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = b"\r\n"  # so that the first boundary reads like every other

    def _more(self) -> None:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise DocumentError("The form ends before its closing boundary.")
        self._held += chunk

    def until(self, mark: bytes, limit: int) -> bytes:
        """Read up to ``mark`` and past it; the closing boundary may end the stream without a line end."""
        while (at := self._held.find(mark)) < 0:
            if len(self._held) > limit:
                raise DocumentError("A part of the form has too long a head.")
            if mark == b"\r\n" and self._held == b"--":
                at = len(self._held)
                break
            self._more()
        found, self._held = self._held[:at], self._held[at + len(mark) :]
        return found

    def head(self) -> bytes:
        """Read the headers of a part, which end at an empty line."""
        self._held = b"\r\n" + self._held
        return self.until(b"\r\n\r\n", MAX_PART_HEAD)

    def data(self, delimiter: bytes) -> Iterator[bytes]:
        """Give the bytes up to ``delimiter``, as they come."""
        while (at := self._held.find(delimiter)) < 0:
            safe = len(self._held) - len(delimiter) + 1
            if safe > 0:
                data, self._held = self._held[:safe], self._held[safe:]
                yield data
            self._more()
        if at:
            yield self._held[:at]
        self._held = self._held[at + len(delimiter) :]
