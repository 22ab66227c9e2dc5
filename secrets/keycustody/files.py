"""
Private files that survive a power cut: owner only, whole or absent, flushed with their folder.

Everything here raises plain ``OSError``; the stores say with ``trouble`` what it means to them.
"""

from __future__ import annotations

import fcntl
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from keycustody.errors import StorageError

#: How the names of unfinished files begin; nothing that is finished is ever called so.
PARTIAL = ".partial-"
#: Bytes after which the disk is told to begin.
_STRETCH = 8 << 20
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@contextmanager
def trouble(what: str) -> Iterator[None]:
    """
    Run a block in which every ``OSError`` means ``what``.

    Raises:
        StorageError: The operating system refused.

    """
    try:
        yield
    except OSError as error:
        raise StorageError(f"{what}: {error.strerror or error}.") from error


def make_folder(folder: Path) -> None:
    """Create a private folder and what leads to it; a folder that is there already is left as it is."""
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir(mode=0o700, exist_ok=True)
            sync_folder(path.parent)


def require_private(path: Path) -> None:
    """
    Refuse a file or folder that anybody but its owner could read, or that somebody else owns.

    Raises:
        PermissionError: With the command that mends it.
        OSError: It is missing or a symbolic link.

    """
    about = path.lstat()
    if stat.S_ISLNK(about.st_mode):
        raise PermissionError(f"{path} is a symbolic link")
    if about.st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to another user")
    if about.st_mode & _OTHERS:
        raise PermissionError(f"{path} is open to others; run: chmod go-rwx '{path}'")


def create(path: Path, chunks: Iterable[bytes]) -> None:
    """
    Write a file that must not exist yet; it appears whole or not at all.

    Raises:
        FileExistsError: The name is taken; what is there is untouched.

    """
    partial = _partial_of(path)
    try:
        _write(partial, chunks)
        os.link(partial, path)  # unlike a rename, a link never replaces
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)


def replace(path: Path, content: bytes) -> None:
    """Write a file in place of whatever has its name; a reader sees the old or the new, whole."""
    partial = _partial_of(path)
    try:
        _write(partial, [content])
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Run a block while nobody else, in this process or another, holds this folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read(path: Path) -> BinaryIO:
    """Open a file for reading, never through a symbolic link."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")


def remove(path: Path) -> None:
    """Remove a file for good; one that is gone already is no error."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _partial_of(path: Path) -> Path:
    return path.with_name(f"{PARTIAL}{token_hex(8)}")


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        begun = written = 0
        for chunk in chunks:
            written += file.write(chunk)
            if written - begun >= _STRETCH:
                _start_disk(descriptor, begun, written - begun)
                begun = written
        file.flush()
        os.fsync(descriptor)


def _start_disk(descriptor: int, begun: int, size: int) -> None:
    """Have the disk begin with what is written, without waiting: the flush at the end of a long file waits less."""
    if sys.platform == "linux":
        os.posix_fadvise(descriptor, begun, size, os.POSIX_FADV_DONTNEED)
