"""A tar archive that is the same whenever its files are: sorted by whoever gives them, one time, one owner, no more."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_BLOCK: Final = tarfile.BLOCKSIZE
_MODE: Final = 0o644


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive: its path and size in bytes, and what gives its content when its turn comes."""

    path: str
    size: int
    content: Iterable[bytes]


def archive(members: Iterable[Member], at: int) -> Iterator[bytes]:
    """
    Give the archive (POSIX.1-2001 pax) piece by piece; ``at`` is the time of every file, in seconds since 1970.

    Raises:
        ValueError: The content of a file is not as long as was said.
    """
    written = 0
    for member in members:
        head, passed = _header(member, at), 0
        yield head
        for piece in member.content:
            passed += len(piece)
            yield piece
        if passed != member.size:
            raise ValueError("the content of a file is not as long as was said")
        padding = bytes(-passed % _BLOCK)
        if padding:
            yield padding
        written += len(head) + passed + len(padding)
    yield _end(written)


def size_of(members: Sequence[Member], at: int) -> int:
    """Give how many bytes ``archive`` comes to."""
    written = sum(len(_header(member, at)) + -(-member.size // _BLOCK) * _BLOCK for member in members)
    return written + len(_end(written))


def _header(member: Member, at: int) -> bytes:
    info = tarfile.TarInfo(member.path)
    info.size, info.mtime, info.mode = member.size, at, _MODE
    return info.tobuf(tarfile.PAX_FORMAT)


def _end(written: int) -> bytes:
    """Give what ends an archive: two empty blocks, and the rest of the last record."""
    least = 2 * _BLOCK
    return bytes(least + -(written + least) % tarfile.RECORDSIZE)
