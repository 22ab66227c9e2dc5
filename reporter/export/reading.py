"""The files of a bundle, one after another: of a tar, which is never unpacked, or of the folder it was unpacked to."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Final

from reporter.errors import CustodyError, EnvironmentTroubleError, UsageError

_PIECE: Final = 1 << 20
_CUT: Final = "The bundle is cut short, or its tar is damaged."
_PLAIN: Final = (tarfile.REGTYPE, tarfile.AREGTYPE)
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


def _of_folder(folder: Path) -> Iterator[File]:
    """Give the files of a bag, and those beside it that begin with its name."""
    bag = folder.resolve()
    beside = [path for path in sorted(bag.parent.iterdir()) if path.name.startswith(f"{bag.name}.")]
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


def _of_tar(bundle: Path) -> Iterator[File]:
    with _opened(bundle) as file:
        try:
            with tarfile.open(fileobj=file, mode="r|") as archive:
                for member in archive:
                    plain = member.type in _PLAIN and not member.issparse()  # what is sparse may be of any length
                    content = archive.extractfile(member) if plain else None
                    if content is None or not _is_inside(member.name):
                        raise CustodyError("The bundle holds something that is no file, or lies outside of it.")
                    yield member.name, _pieces(content, member.size)
        except tarfile.ReadError:
            raise _broken(bundle) from None
        _require_ended(file)


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


def _require_ended(file: BinaryIO) -> None:
    """See that nothing follows the end, and that it is there: two empty blocks (POSIX.1-2001, ustar)."""
    while rest := file.read(_PIECE):
        if rest.strip(b"\0"):
            raise CustodyError("Something follows the end of the bundle.")
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 2 * tarfile.BLOCKSIZE))
    if file.read().strip(b"\0"):
        raise CustodyError(_CUT)


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
