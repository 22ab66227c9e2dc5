"""The files of a bundle, one after another: of a tar, which is never unpacked, or of the folder it was unpacked to."""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from reporter.errors import CustodyError, EnvironmentTroubleError, UsageError

_PIECE: Final = 1 << 20
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
            with tarfile.open(fileobj=file, mode="r|", errorlevel=2) as archive:
                for member in archive:
                    if not member.isreg() or not _is_inside(member.name):
                        raise CustodyError("The bundle holds something that is no file, or lies outside of it.")
                    content = archive.extractfile(member)
                    assert content is not None  # noqa: S101 (it is a regular file)
                    yield member.name, _pieces(content, member.size)
            rest = file.read(tarfile.RECORDSIZE)
        except tarfile.ReadError:
            raise _broken(bundle) from None
        if rest:
            raise CustodyError("Something follows the end of the bundle.")


def _pieces(content: BinaryIO | object, size: int) -> Iterator[bytes]:
    read, left = getattr(content, "read"), size  # noqa: B009 (typeshed's IO[bytes])
    while left:
        piece = read(min(_PIECE, left))
        if not piece:
            raise tarfile.ReadError("cut short")
        left -= len(piece)
        yield piece


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
        return CustodyError("The bundle is cut short, or its tar is damaged.")
    return UsageError(f"{bundle} is no tar and no folder: decrypt it first.")
