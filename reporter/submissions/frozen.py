"""
The frozen form of a package: canonical bytes and their digest.

The digest people approve is taken over these bytes, before the authority has given any id.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import rfc8785

from reporter.authority import Document, Environment, Package, PackagedFile, Supplement


@dataclass(frozen=True, slots=True)
class Frozen:
    """
    A package with its canonical bytes; ``viewed`` is what it was built from that people may add to later.

    ``adds_to`` is the submission that it was built as a supplement to, empty where it was not.
    """

    package: Package
    content: bytes
    digest: str
    viewed: str
    adds_to: str = ""


def freeze(
    package: Package,
    *,
    reference: str,
    revision: int,
    environment: Environment,
    viewed: str = "",
    decided: Sequence[str] = (),
    supplement: Supplement | None = None,
) -> Frozen:
    """Give the canonical bytes (RFC 8785) of a package and their SHA-256; ``decided`` is approved along with it."""
    content = rfc8785.dumps(
        {
            **({"decided": list(decided)} if decided else {}),
            "authority": package.authority,
            "environment": environment.value,
            "reference": reference,
            "revision": revision,
            "urgent": package.urgent,
            "documents": [
                {
                    "name": document.name,
                    "media_type": document.media_type,
                    "item": document.item or "",
                    "body": document.body.decode(),
                }
                for document in package.documents
            ],
            "files": [asdict(file) for file in package.files],
            **({"mode": package.mode} if package.mode else {}),
        }
    )
    adds_to = supplement.adds_to if supplement else ""
    return Frozen(package, content, hashlib.sha256(content).hexdigest(), viewed, adds_to)


def thaw(content: bytes) -> Package:
    """Read a package back from its canonical bytes."""
    data = json.loads(content)
    return Package(
        authority=data["authority"],
        documents=tuple(
            Document(entry["name"], entry["media_type"], entry["body"].encode(), entry["item"] or None)
            for entry in data["documents"]
        ),
        files=tuple(PackagedFile(**entry) for entry in data["files"]),
        urgent=data["urgent"],
        mode=data.get("mode", ""),
    )
