"""What there is in a bundle: digests of every file, and the content of those that are not payload."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from reporter.errors import CustodyError
from reporter.export import bag
from reporter.export.reading import File

#: Bytes of a tag file, or of what lies beside a bag, at most.
_LONGEST: Final = 256 << 20
_LINE: Final = re.compile(r"([0-9a-f]+)  (.+)")
PAYLOAD: Final = "data/"


@dataclass(slots=True)
class Gathered:
    """
    A bundle as it was read: ``digests`` by kind and path below the bag, ``tags`` what is no payload, ``beside`` what
    lies beside the bag by the end of its name, ``stray`` what belongs to neither.
    """

    name: str = ""
    sizes: dict[str, int] = field(default_factory=dict)
    digests: dict[str, dict[str, str]] = field(default_factory=lambda: {kind: {} for kind in bag.DIGESTS})
    tags: dict[str, bytes] = field(default_factory=dict)
    beside: dict[str, bytes] = field(default_factory=dict)
    stray: list[str] = field(default_factory=list)

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
            loose[whole] = b"".join(_kept(content))
            continue
        found.name = found.name or top
        if top == found.name:
            _take(found, path, content)
        else:
            found.stray.append(whole)
    for name, kept in loose.items():
        if name.startswith(f"{found.name}."):
            found.beside[name.removeprefix(f"{found.name}.")] = kept
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
    for piece in _kept(content) if tag else content:
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


def _kept(content: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in content:
        size += len(piece)
        if size > _LONGEST:
            raise CustodyError("A file that explains the bundle is longer than any of ours.")
        yield piece
