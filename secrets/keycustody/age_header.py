"""The textual header of an age v1 file (C2SP/age.md, "Header"): written, and read strictly."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import BinaryIO

from keycustody.errors import SealError

_VERSION = b"age-encryption.org/v1\n"
_COLUMNS = 64
_MAC_BYTES = 32
#: Ours has about 200 bytes; the format sets no limit, so this only stops a hostile file from filling memory.
_LONGEST = 64 * 1024
_ARGUMENTS = re.compile(rb"-> ([!-~]+(?: [!-~]+)*)\n")
_END = re.compile(rb"--- (\S+)\n")


@dataclass(frozen=True, slots=True)
class Stanza:
    """The file key, sealed for one recipient in that recipient's way."""

    kind: str
    arguments: tuple[str, ...]
    body: bytes

    def to_bytes(self) -> bytes:
        """Write the stanza; the body's last line is always shorter than a full one."""
        text = encode(self.body)
        lines = [" ".join(("->", self.kind, *self.arguments))]
        lines += [text[start : start + _COLUMNS] for start in range(0, len(text) + 1, _COLUMNS)]
        return "".join(f"{line}\n" for line in lines).encode()


@dataclass(frozen=True, slots=True)
class Header:
    """All stanzas of a file."""

    stanzas: tuple[Stanza, ...]

    def authenticated(self) -> bytes:
        """Give the bytes that the header's MAC covers."""
        return _VERSION + b"".join(stanza.to_bytes() for stanza in self.stanzas) + b"---"

    def to_bytes(self, mac: bytes) -> bytes:
        """Write the header."""
        return self.authenticated() + f" {encode(mac)}\n".encode()


def read(file: BinaryIO) -> tuple[Header, bytes]:
    """
    Read a header and its MAC, leaving ``file`` at the payload.

    Strict, so that what is read writes back to the same bytes: that is what the MAC is checked over.

    Raises:
        SealError: It is malformed or longer than 64 KiB.

    """
    lines = _Lines(file)
    if lines.next() != _VERSION:
        raise SealError("This is not an age v1 file.")
    stanzas = []
    line = lines.next()
    while not (end := _END.fullmatch(line)):
        stanzas.append(_stanza(line, lines))
        line = lines.next()
    try:
        mac = decode(end[1].decode())
    except ValueError as error:
        raise _malformed() from error
    passphrases = sum(stanza.kind == "scrypt" for stanza in stanzas)
    if not stanzas or len(mac) != _MAC_BYTES or (passphrases and len(stanzas) > 1):  # scrypt must stand alone
        raise _malformed()
    return Header(tuple(stanzas)), mac


def encode(data: bytes) -> str:
    """Write base64 without padding."""
    return b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    """
    Read base64 without padding, in its one canonical spelling.

    Raises:
        ValueError: It is anything else.

    """
    data = b64decode(text + "=" * (-len(text) % 4), validate=True)
    if encode(data) != text:
        raise ValueError("not canonical base64")
    return data


class _Lines:
    """The lines of a header, up to a limit for all of them together."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = _LONGEST

    def next(self) -> bytes:
        line = self._file.readline(self._left)
        self._left -= len(line)
        if not line.endswith(b"\n"):
            raise _malformed()
        return line


def _stanza(line: bytes, lines: _Lines) -> Stanza:
    if not (opening := _ARGUMENTS.fullmatch(line)):
        raise _malformed()
    kind, *arguments = opening[1].decode().split(" ")
    text = ""
    while True:
        piece = lines.next()[:-1]
        if len(piece) > _COLUMNS:
            raise _malformed()
        try:
            text += piece.decode("ascii")
            if len(piece) < _COLUMNS:
                return Stanza(kind, tuple(arguments), decode(text))
        except ValueError as error:
            raise _malformed() from error


def _malformed() -> SealError:
    return SealError("The header of the age file is malformed.")
