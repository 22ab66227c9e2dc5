"""
The file that a case document points to, opened without trusting the document, the folder or the file.

Each component of the path is opened inside the one before it and never through a symbolic link, so nothing can be
swapped in between; what is opened in the end is read through that one descriptor.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from reporter.errors import DocumentError, EnvironmentTroubleError, Finding

_BLOCK = 1024 * 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Without O_NONBLOCK, opening a FIFO would wait for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_REFUSALS = {
    errno.ENOENT: ("missing", "names no file in the case's folder"),
    errno.ENOTDIR: ("inside", "leads through something that is not a plain folder; symbolic links are not followed"),
    errno.ELOOP: ("inside", "is a symbolic link; symbolic links are not followed"),
    errno.ENXIO: ("regular", "is not a regular file"),
    errno.EACCES: ("readable", "may not be read by this user"),
    errno.EPERM: ("readable", "may not be read by this user"),
    errno.ENAMETOOLONG: ("missing", "is too long to name a file"),
}


def refusal(path: str, rule: str, message: str) -> DocumentError:
    """Give the error that refuses an evidence file, at ``path`` of the case document."""
    return DocumentError("An evidence file cannot be taken in.", [Finding(path, rule, message)])


@dataclass(frozen=True, slots=True)
class Source:
    """An open source file; ``where`` is its place in the case document, such as ``evidence[0]``."""

    where: str
    _descriptor: int
    _parent: int
    _name: str
    _before: os.stat_result

    def blocks(self) -> Iterator[bytes]:
        """
        Give the file's content, once.

        Raises:
            DocumentError: The file was changed or replaced while it was read.
            EnvironmentTroubleError: The disk does not give it.

        """
        left = self._before.st_size
        while block := self._read():
            left -= len(block)
            if left < 0:
                break
            yield block
        after = os.fstat(self._descriptor)
        same = (after.st_size, after.st_mtime_ns) == (self._before.st_size, self._before.st_mtime_ns)
        if left or not same or not self._in_place():
            raise self._changed()

    def remove(self) -> None:
        """
        Delete the file's name. What the disk keeps of it afterwards is beyond this program.

        Raises:
            DocumentError: The name belongs to another file by now.
            EnvironmentTroubleError: It cannot be deleted.

        """
        if not self._in_place():
            raise self._changed()
        try:
            os.unlink(self._name, dir_fd=self._parent)
            os.fsync(self._parent)
        except OSError as error:
            raise EnvironmentTroubleError(f"The source of {self.where} cannot be deleted: {error.strerror}.") from error

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, _BLOCK)
        except OSError as error:
            raise EnvironmentTroubleError(f"The source of {self.where} cannot be read: {error.strerror}.") from error

    def _in_place(self) -> bool:
        try:
            named = os.stat(self._name, dir_fd=self._parent, follow_symlinks=False)
        except OSError:
            return False
        return (named.st_dev, named.st_ino) == (self._before.st_dev, self._before.st_ino)

    def _changed(self) -> DocumentError:
        return refusal(f"{self.where}.path", "unchanged", "was changed while it was read; hand it in again")


@contextmanager
def open_source(folder: Path, path: str, where: str) -> Iterator[Source]:
    """
    Open the regular file at ``path`` below ``folder``.

    Raises:
        DocumentError: The path is absolute, climbs, leads through a symbolic link, or names nothing, nothing readable,
            nothing regular or nothing at all; the finding is at ``{where}.path``.
        EnvironmentTroubleError: The disk does not work.

    """
    *folders, name = _parts(path, where)
    descriptors: list[int] = []
    try:
        try:
            descriptors.append(os.open(folder, _FOLDER))
            for part in folders:
                descriptors.append(os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=descriptors[-1]))
            descriptors.append(os.open(name, _FILE, dir_fd=descriptors[-1]))
        except OSError as error:
            raise _refused(error, where) from error
        about = os.fstat(descriptors[-1])
        if not stat.S_ISREG(about.st_mode):
            raise refusal(f"{where}.path", "regular", "is not a regular file")
        if about.st_size == 0:
            raise refusal(f"{where}.path", "empty", "is empty (0 bytes)")
        yield Source(where, descriptors[-1], descriptors[-2], name, about)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _parts(path: str, where: str) -> tuple[str, ...]:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise refusal(f"{where}.path", "inside", "must be relative to the case's folder and stay inside it")
    try:
        usable = bool(pure.parts) and b"\0" not in path.encode()
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise refusal(f"{where}.path", "missing", "is not the name of a file")
    return pure.parts


def _refused(error: OSError, where: str) -> DocumentError | EnvironmentTroubleError:
    if error.errno in _REFUSALS:
        return refusal(f"{where}.path", *_REFUSALS[error.errno])
    return EnvironmentTroubleError(f"The source of {where} cannot be opened: {error.strerror}.")
