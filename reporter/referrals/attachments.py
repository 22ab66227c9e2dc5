"""
Files that came along with a referral: nobody asked for them, and nothing here opens one.

They are read as bytes alone, to be sealed. Of a mail, which is sealed whole, the outline is read to count what is
attached; no attachment is decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email import policy
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

from reporter.errors import UsageError
from reporter.evidence.digests import Digests
from reporter.evidence.source import open_source
from reporter.evidence.vault import Plain

#: More files than that are no letter, and the outline of a longer mail is not read; bounds of ours.
MAX_FILES, MAX_OUTLINE = 1_000, 64 * 2**20


@dataclass(frozen=True, slots=True)
class Came:
    """A folder, with the files in it that are to be sealed, and of each mail how many parts are attached to it."""

    folder: Path
    files: tuple[Plain, ...]
    parts: tuple[int | None, ...]


def came(folder: Path | None, mails: Sequence[Path]) -> list[Came]:
    """
    Say what came along: the files of a folder, and mails.

    Raises:
        UsageError: There is no such folder, or too much is in it.
        DocumentError: A file is none that can be sealed, such as a link; or a mail is not there.
        EnvironmentTroubleError: It cannot be read.
    """
    found: list[Came] = []
    if folder is not None:
        if not folder.is_dir():
            raise UsageError("--attachments needs a folder.")
        names = sorted(path.name for path in folder.iterdir())
        if len(names) > MAX_FILES:
            raise UsageError(f"The folder holds more than {MAX_FILES:,} files.")
        files = tuple(_file(folder, name, number) for number, name in enumerate(names, start=1))
        found.append(Came(folder.absolute(), files, (None,) * len(files)))
    for mail in mails:
        outline = bytearray()
        file = _file(mail.parent, mail.name, 1 + sum(len(each.files) for each in found), outline)
        found.append(Came(mail.absolute().parent, (file,), (_parts(outline),)))
    return found


def _file(folder: Path, name: str, number: int, outline: bytearray | None = None) -> Plain:
    """Take the digest of a file, and its bytes where they are a mail's that is not too long."""
    digests, where = Digests("sha256"), f"attachments[{number - 1}]"
    with open_source(folder, name, where) as source:
        for block in digests.of(source.blocks()):
            if outline is not None and len(outline) <= MAX_OUTLINE:
                outline += block
    return Plain(f"a{number:04}", name, digests["sha256"], where)


def _parts(mail: bytearray) -> int | None:
    """Count what is attached to a mail, by its outline alone; None where that cannot be read."""
    if len(mail) > MAX_OUTLINE:
        return None
    try:
        message = BytesParser(policy=policy.compat32).parsebytes(bytes(mail))
        return sum(not part.is_multipart() and _is_attached(part) for part in message.walk())
    except (RecursionError, ValueError, LookupError, TypeError):  # whatever a hostile mail makes of its headers
        return None


def _is_attached(part: Message) -> bool:
    return "Content-Disposition" in part or part.get_content_maintype() != "text"
