"""Taking a case document from disk, together with the folder its files are in."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from reporter.cases.document import ParsedDocument, parse
from reporter.cases.reader import CASE, MAX_BYTES, too_large
from reporter.errors import EnvironmentTroubleError, UsageError

DOCUMENT_NAME = "case.json"


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A document as it was handed in: its bytes, what they say, and the folder that evidence paths start from."""

    data: bytes = field(repr=False)
    parsed: ParsedDocument
    folder: Path


def take(path: Path, now: datetime) -> HandedIn:
    """
    Read a case document, given its file or the folder that holds it as ``case.json``.

    Raises:
        UsageError: There is no such document.
        DocumentError: The document breaks its contract.
        EnvironmentTroubleError: It cannot be read.

    """
    file = path
    with suppress(OSError):  # where even that cannot be asked, reading says why
        file = path / DOCUMENT_NAME if path.is_dir() else path
    data = read_file(file)
    return HandedIn(data, parse(data, now), file.absolute().parent)


def read_file(file: Path, what: str = CASE) -> bytes:
    """
    Read a document whole; one that is too large is refused by its size, and ``what`` it is.

    Raises:
        UsageError: There is no such file, or it is no ordinary one.
        DocumentError: It is too large.
        EnvironmentTroubleError: It cannot be read.

    """
    try:
        # Without O_NONBLOCK the opening of a pipe would wait for somebody to write into it.
        with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:  # noqa: PTH123
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise UsageError(f"{shown(file)} is not an ordinary file.")
            if status.st_size > MAX_BYTES:
                raise too_large(status.st_size, what)
            data = stream.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"There is no {shown(file)}.") from error
    except ValueError as error:
        raise UsageError("A path cannot hold a NUL character.") from error
    except OSError as error:
        raise EnvironmentTroubleError(f"{shown(file)} cannot be read: {error.strerror}.") from error
    if len(data) > MAX_BYTES:
        raise too_large(len(data), what)
    return data


def shown(path: Path) -> str:
    """Give a path for a line of text, even where its name holds line breaks."""
    text = str(path)
    return text if text.isprintable() else repr(text)
