"""The files of a bundle, one after another: of a tar, which is never unpacked, or of the folder it was unpacked to."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Final, Self

from reporter.errors import CustodyError, EnvironmentTroubleError, UsageError

_PIECE: Final = 1 << 20
_CUT: Final = "The bundle is cut short, or its tar is damaged."
_PLAIN: Final = (tarfile.REGTYPE, tarfile.AREGTYPE)
#: How the names end of what lies beside a bag; nothing else does.
BESIDE: Final = ("anchors.pem", "p7s", "tsr")
#: Bytes of what a tar says of a file beside its content, at most: it is read into memory.
_LONGEST_HEADER: Final = 1 << 16
#: A file of a bundle: its path, and its content.
File = tuple[str, Iterator[bytes]]


def files_of(bundle: Path) -> Iterator[File]:
    """
    Give the files of a bundle; each must be read before the next is asked for.

    Raises:
        UsageError: There is no such bundle, or it is still encrypted.
        CustodyError: It holds something that is no file, two of one path, or ends too soon.
        EnvironmentTroubleError: It cannot be read.
    """
    seen: set[str] = set()
    try:
        for path, content in _of_folder(bundle) if bundle.is_dir() else _of_tar(bundle):
            if path in seen:
                raise CustodyError("The bundle holds two files of one path.")
            seen.add(path)
            yield path, content
    except OSError as error:
        raise EnvironmentTroubleError(f"{bundle} cannot be read: {error.strerror}.") from None
    except RecursionError:
        raise CustodyError("The bundle is nested deeper than any of ours.") from None


def _of_folder(folder: Path) -> Iterator[File]:
    """Give the files of a bag, and those beside it that belong to it; the folder around it is the reader's own."""
    bag = folder.resolve()
    beside = [path for end in BESIDE if os.path.lexists(path := bag.with_name(f"{bag.name}.{end}"))]
    for path in [*beside, *_below(bag)]:
        if stat.S_ISREG(path.lstat().st_mode):
            yield path.relative_to(bag.parent).as_posix(), _content(path)
        elif path not in beside:
            raise CustodyError("The bundle holds something that is no file.")


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from _below(path)
        else:
            yield path


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


class _Header(tarfile.TarInfo):
    """What a tar says of a file, of a length that is refused before it is read."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        found = super().frombuf(buf, encoding, errors)
        if found.size < 0 or (found.type not in _PLAIN and found.size > _LONGEST_HEADER):
            raise CustodyError("A header in the bundle's tar tells a length that none of ours has.")
        return found


def _of_tar(bundle: Path) -> Iterator[File]:
    with _opened(bundle) as file:
        try:
            with tarfile.open(fileobj=file, mode="r|", tarinfo=_Header) as archive:
                for member in archive:
                    # what is sparse may be of any length
                    plain = member.type in _PLAIN and not member.issparse() and member.size >= 0
                    content = archive.extractfile(member) if plain else None
                    if content is None or not _is_inside(member.name):
                        raise CustodyError("The bundle holds something that is no file, or lies outside of it.")
                    yield member.name, _pieces(content, member.size)
        except (tarfile.TarError, ValueError):  # a header that says what it cannot, such as a length that is no number
            raise _broken(bundle) from None
        _require_ended(file, archive.offset)


def _pieces(content: IO[bytes], size: int) -> Iterator[bytes]:
    left = size
    while left:
        try:
            piece = content.read(min(_PIECE, left))
        except tarfile.ReadError:
            piece = b""
        if not piece:
            raise CustodyError(_CUT)
        left -= len(piece)
        yield piece


def _require_ended(file: BinaryIO, at: int) -> None:
    """See that the end is there, two empty blocks (POSIX.1-2001, ustar), and nothing between it and the last file."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 2 * tarfile.BLOCKSIZE))
    if file.read().strip(b"\0"):
        raise CustodyError(_CUT)
    file.seek(at)
    while rest := file.read(_PIECE):
        if rest.strip(b"\0"):
            raise CustodyError("Something follows the end of the bundle.")


@contextmanager
def _opened(bundle: Path) -> Iterator[BinaryIO]:
    try:
        file = bundle.open("rb")
    except FileNotFoundError:
        raise UsageError(f"There is no bundle {bundle}.") from None
    with file:
        yield file


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and str(path) == name


def _broken(bundle: Path) -> CustodyError | UsageError:
    with bundle.open("rb") as file:
        start = file.read(tarfile.BLOCKSIZE)
    if start[257:262] == b"ustar":  # POSIX.1-2001, ustar: magic
        return CustodyError(_CUT)
    return UsageError(f"{bundle} is no tar and no folder: decrypt it first.")
