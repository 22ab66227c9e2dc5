"""
BagIt 1.0 (RFC 8493) as text: manifests, tag manifests, and the order in which the files of a bag are written.

Names are ours and neutral (letters, digits, ``._-/``), so that nothing needs the escapes of section 2.1.3.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

DIGESTS: Final = ("sha256", "sha512")
#: Section 2.1.1; the version and encoding that every bag of ours has.
DECLARATION: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
#: A name that needs no escape in a manifest, a shell or a file system.
_NEUTRAL: Final = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
SEALED: Final = "tagmanifest-sha512.txt"


@dataclass(frozen=True, slots=True)
class Payload:
    """One file of the payload: its path below the bag, size in bytes, and digests in lower-case hexadecimal."""

    path: str
    size: int
    sha256: str
    sha512: str


def neutral(path: str) -> str:
    """
    Give ``path`` on, which is then safe as the path of a file in a bag.

    Raises:
        ValueError: It is not.
    """
    if not _NEUTRAL.fullmatch(path) or any(set(part) == {"."} for part in path.split("/")):
        raise ValueError("a path in a bag is letters, digits, '.', '_' and '-', with '/' between")
    return path


def payload_of(path: str, content: bytes) -> Payload:
    """Give a file of the payload whose content is at hand."""
    return Payload(path, len(content), hashlib.sha256(content).hexdigest(), hashlib.sha512(content).hexdigest())


def tag_files(payload: Sequence[Payload], more: Mapping[str, bytes], about: Mapping[str, str]) -> dict[str, bytes]:
    """Give every file of a bag but its payload, by path; ``more`` are further tag files, ``about`` is bag-info.txt."""
    oxum = f"{sum(file.size for file in payload)}.{len(payload)}"  # section 2.2.2
    info = "".join(f"{label}: {_line(value)}\n" for label, value in {**about, "Payload-Oxum": oxum}.items())
    tags = {"bagit.txt": DECLARATION, "bag-info.txt": info.encode(), **more}
    for digest in DIGESTS:
        lines = sorted((file.path, getattr(file, digest)) for file in payload)
        tags[f"manifest-{digest}.txt"] = _manifest(lines)
    manifests = {
        f"tagmanifest-{digest}.txt": _manifest(
            (path, hashlib.new(digest, content).hexdigest()) for path, content in sorted(tags.items())
        )
        for digest in DIGESTS
    }
    return {neutral(path): content for path, content in {**tags, **manifests}.items()}


def bagging_date(at: datetime) -> str:
    """Give a day as bag-info.txt has it."""
    return f"{at:%Y-%m-%d}"


def _manifest(lines: Iterable[tuple[str, str]]) -> bytes:
    return "".join(f"{digest}  {neutral(path)}\n" for path, digest in lines).encode()


def _line(value: str) -> str:
    """Give a value in one line: whoever wrote it cannot add a label of their own."""
    return " ".join(value.split())
