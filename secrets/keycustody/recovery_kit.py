"""
A recovery kit: one secret text that any two of n people can read together, and none of them alone.

For each pair there is a part, sealed to the one person, of an age file that is sealed to the other; so the kit is a tar
of ordinary age files and stock ``age`` opens it by hand. There is no secret-sharing arithmetic in it.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from keycustody import age
from keycustody.age import Identity
from keycustody.errors import SealError

FORMAT = "reporter-recovery-kit/1"
#: With one there would be no second person; eight would make 28 parts, and too many people who count.
FEWEST, MOST = 2, 7
#: Bytes at most of a whole kit and of each file in it; ours have a few kilobytes for each part.
_LONGEST = 16 << 20
_INDEX = "index.json"
_README = """\
A recovery kit of Reporter. It takes two of the people whose public keys index.json lists.

By hand, with age (https://age-encryption.org):

  1. Look up in index.json the file of the two people: "first" opens it, "second" opens what is in it.
  2. tar -xf KIT FILE.age
  3. age -d -i FIRST.key FILE.age | age -d -i SECOND.key

What comes out is one JSON object; "keks" holds the versions of the root key in base64. Do this where nothing is
recorded, and let it touch no disk. Otherwise: reporter recover --help
"""


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of the kit: ``first`` opens it, and ``second`` what is in it."""

    file: str
    first: str
    second: str


def seal(secret: bytes, recipients: Sequence[str]) -> bytes:
    """
    Give the kit, a tar, of which any two of these age X25519 recipients (``age1…``) can read ``secret``.

    Raises:
        ValueError: They are too few, too many, or not different.
        SealError: One of them is not an age X25519 recipient.

    """
    if not FEWEST <= len(recipients) <= MOST or len({each.lower() for each in recipients}) != len(recipients):
        raise ValueError(f"a recovery kit is for {FEWEST} to {MOST} different people")
    recipients = [each.lower() for each in recipients]
    numbered = enumerate(recipients, 1)
    parts = [_Part(f"{first[0]}-{second[0]}.age", first[1], second[1]) for first, second in combinations(numbered, 2)]
    index = {
        "format": FORMAT,
        "recipients": recipients,
        "parts": [{"file": part.file, "first": part.first, "second": part.second} for part in parts],
    }
    kit = io.BytesIO()
    with tarfile.open(fileobj=kit, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        _add(tar, "README.txt", _README.encode())
        _add(tar, _INDEX, json.dumps(index, indent=2).encode() + b"\n")
        for part in parts:
            _add(tar, part.file, b"".join(age.encrypt(age.encrypt([secret], part.second), part.first)))
    return kit.getvalue()


def unseal(kit: bytes, identities: Sequence[Identity]) -> bytes:
    """
    Give the secret to two of the people that a kit is for.

    Raises:
        SealError: It is no kit, or was altered, or is not for two of these.

    """
    holders = {identity.recipient: identity for identity in identities}
    try:
        with tarfile.open(fileobj=io.BytesIO(kit), mode="r:") as tar:
            parts = list(_index(_content(tar, _INDEX)))
            for part, (one, other) in product(parts, _orders(holders)):
                if (part.first, part.second) == (one, other):
                    inner = io.BytesIO(_opened(_content(tar, part.file), holders[one]))
                    return _opened(inner.getvalue(), holders[other])
    except (tarfile.TarError, KeyError, ValueError, TypeError, EOFError) as error:
        raise SealError("This is no recovery kit that this program knows, or it is damaged.") from error
    known = len(holders.keys() & {each for part in parts for each in (part.first, part.second)})
    raise SealError(f"This kit takes two of its people, each with their own identity; {known} of them are here.")


def _opened(sealed: bytes, identity: Identity) -> bytes:
    return b"".join(age.decrypt(io.BytesIO(sealed), identity))


def _orders(holders: dict[str, Identity]) -> Iterator[tuple[str, str]]:
    for one, other in combinations(holders, 2):
        yield one, other
        yield other, one


def _index(text: bytes) -> Iterator[_Part]:
    index = json.loads(text)
    if index["format"] != FORMAT:
        raise ValueError("another format")
    for part in index["parts"]:
        yield _Part(str(part["file"]), str(part["first"]), str(part["second"]))


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    about = tarfile.TarInfo(name)
    about.size, about.mode = len(content), 0o600
    tar.addfile(about, io.BytesIO(content))


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    """Give a file of the kit; nothing is ever unpacked to a disk."""
    about = tar.getmember(name)
    file = tar.extractfile(about) if about.isfile() and about.size <= _LONGEST else None
    if file is None:
        raise ValueError("not a file of a kit")
    return file.read()
