"""What there is in a bundle: digests of every file, and the content of those that are not payload."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from reporter.errors import CustodyError
from reporter.export import bag
from reporter.export.reading import BESIDE, File

#: Bytes of all that is kept in memory, at most: tag files, and what lies beside a bag.
_MOST: Final = 1 << 30
_LINE: Final = re.compile(r"([0-9a-f]+)  (.+)")
PAYLOAD: Final = "data/"


@dataclass(slots=True)
class Gathered:
    """
    A bundle as it was read: ``digests`` by kind and path below the bag, ``tags`` what is no payload, ``beside`` what
    lies beside the bag by the end of its name, ``stray`` what belongs to neither, ``kept`` bytes in memory.
    """

    name: str = ""
    sizes: dict[str, int] = field(default_factory=dict)
    digests: dict[str, dict[str, str]] = field(default_factory=lambda: {kind: {} for kind in bag.DIGESTS})
    tags: dict[str, bytes] = field(default_factory=dict)
    beside: dict[str, bytes] = field(default_factory=dict)
    stray: list[str] = field(default_factory=list)
    kept: int = 0

    def paths(self, *, payload: bool) -> set[str]:
        """Give the paths of the payload, or of all else."""
        return {path for path in self.sizes if path.startswith(PAYLOAD) is payload}


def gather(files: Iterator[File], found: Gathered) -> None:
    """
    Read a bundle to its end, into ``found``; what was read before trouble stays there.

    Raises:
        CustodyError: It is not read to its end.
    """
    loose: dict[str, bytes] = {}
    for whole, content in files:
        top, _, path = whole.partition("/")
        if not path:
            loose[whole] = b"".join(_kept(found, content))
            continue
        found.name = found.name or top
        if top == found.name:
            _take(found, path, content)
        else:
            found.stray.append(whole)
    for name, kept in loose.items():
        end = name.removeprefix(f"{found.name}.")
        if end != name and end in BESIDE:
            found.beside[end] = kept
        else:
            found.stray.append(name)


def listed(found: Gathered, manifest: str) -> dict[str, str]:
    """
    Give the digest of each path that a manifest lists.

    Raises:
        CustodyError: There is none of that name, or it is none.
    """
    if manifest not in found.tags:
        raise CustodyError(f"{manifest} is missing.")
    lines: dict[str, str] = {}
    for line in found.tags[manifest].decode(errors="replace").splitlines():
        fits = _LINE.fullmatch(line)
        if fits is None or fits[2] in lines:
            raise CustodyError(f"{manifest} is no list of files, or lists one twice.")
        lines[fits[2]] = fits[1]
    return lines


def _take(found: Gathered, path: str, content: Iterator[bytes]) -> None:
    hashes, size, kept = {kind: hashlib.new(kind) for kind in bag.DIGESTS}, 0, []
    tag = not path.startswith(PAYLOAD)
    for piece in _kept(found, content) if tag else content:
        size += len(piece)
        for each in hashes.values():
            each.update(piece)
        if tag:
            kept.append(piece)
    found.sizes[path] = size
    for kind, each in hashes.items():
        found.digests[kind][path] = each.hexdigest()
    if tag:
        found.tags[path] = b"".join(kept)


def _kept(found: Gathered, content: Iterator[bytes]) -> Iterator[bytes]:
    for piece in content:
        found.kept += len(piece)
        if found.kept > _MOST:
            raise CustodyError("What explains the bundle is longer than that of any of ours.")
        yield piece
