"""
Writing a bundle where it is wanted: whole or not at all.

What is unfinished has a name of its own, which one process holds at a time. A run that was killed leaves it, and the
next one begins it again; nothing that is finished is ever called so or replaced.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from keycustody.files import sync_folder
from reporter.errors import EnvironmentTroubleError, UsageError

_UNFINISHED: Final = ".unfinished"


def land(path: Path, pieces: Generator[bytes]) -> None:
    """
    Write ``pieces`` to ``path``, which appears once all of it is on the disk.

    Raises:
        UsageError: There is something of that name, or another process writes it.
        EnvironmentTroubleError: The disk is full or does not work.
    """
    require_free(path)
    unfinished = path.with_name(f".{path.name}{_UNFINISHED}")
    with _trouble(path), closing(pieces), _held(unfinished) as descriptor:
        try:
            with os.fdopen(os.dup(descriptor), "wb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(descriptor)
            os.link(unfinished, path)  # unlike a rename, a link never replaces
        finally:
            unfinished.unlink(missing_ok=True)
        sync_folder(path.parent)


def require_free(path: Path) -> None:
    """
    See that nothing has this name.

    Raises:
        UsageError: Something has.
    """
    if os.path.lexists(path):
        raise UsageError(f"{path} is there already, and is never replaced.", next_step="Choose another --out.")


@contextmanager
def _held(path: Path) -> Iterator[int]:
    """Give an empty file that nobody else writes to."""
    descriptor = _opened(path)
    try:
        os.ftruncate(descriptor, 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    """Open and lock the file of that name; one that a finished bundle shares by now is left alone."""
    while True:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise UsageError("Another process writes this bundle now.") from None
        if os.fstat(descriptor).st_nlink == 1 and _is(path, descriptor):
            return descriptor
        if _is(path, descriptor):
            path.unlink()
        os.close(descriptor)


def _is(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@contextmanager
def _trouble(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise UsageError(f"{path} is there already, and is never replaced.") from None
    except OSError as error:
        raise EnvironmentTroubleError(
            f"{path} cannot be written: {error.strerror}. Nothing was left there.", next_step="Make room, or ask again."
        ) from None
