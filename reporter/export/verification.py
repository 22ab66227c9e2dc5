"""
Checking a bundle, as a stranger would: nothing is needed but the bundle, openssl, and certificates from elsewhere.

Everything hangs on the seal: it is over the list of the tag files, which lists the lists of the payload. So a bundle
holds if its seal is believed, every list fits, and there is no file that no list knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from reporter.audit.notes import Verifier
from reporter.errors import CustodyError, UsageError
from reporter.export import bag, extract, vouching
from reporter.export.gathering import Gathered, gather, listed
from reporter.export.reading import files_of

_SEAL, _STAMP, _ANCHORS = "p7s", "tsr", "anchors.pem"
_STAMPED: Final = b"Time-Stamped: yes"
#: As many of one kind of fault are named.
_NAMED: Final = 10
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What a check found; ``faults`` are what is wrong with the bundle itself, ``doubts`` what nobody could vouch for.

    ``files`` and ``size`` (bytes) are of the payload, ``entries`` are those of the custody log that were proved.
    """

    name: str
    files: int
    size: int
    entries: int
    stamped_at: datetime | None
    fingerprints: tuple[str, ...]
    faults: tuple[str, ...]
    doubts: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong and nothing is in doubt."""
        return not self.faults and not self.doubts


def verify(
    bundle: Path, *, seal_ca: Path | None = None, tsa_ca: Path | None = None, log_key: Verifier | None = None
) -> Verdict:
    """
    Check a bundle, a tar or the folder it was unpacked to.

    Args:
        bundle: The bundle, decrypted.
        seal_ca: Certificates in PEM by which the seal is believed; by default those in the bundle, which leave a doubt.
        tsa_ca: Certificates in PEM by which the time-stamp is believed; without them it is in doubt.
        log_key: The key of the organisation's log; by default the one in the bundle, which the seal vouches for.

    Raises:
        UsageError: There is no such bundle, it is still encrypted, or a certificate cannot be read.
        EnvironmentTroubleError: It cannot be read, or openssl is not installed.
    """
    check = _Check()
    found = Gathered()
    check.take(lambda: gather(files_of(bundle), found))
    check.faults += [f"There is a file that belongs to no bundle: {_shown(path)}" for path in found.stray[:_NAMED]]
    _compare(found, check)
    anchors = _read(seal_ca) if seal_ca else found.beside.get(_ANCHORS, b"")
    check.take(lambda: _sealed(found, anchors))
    if not seal_ca:
        check.doubts.append("The seal's certificate is the bundle's own: compare its fingerprint, or give --seal-ca.")
    stamped_at = check.take(lambda: _stamped(found, tsa_ca))
    if not tsa_ca and _says_stamped(found):
        check.doubts.append("Nobody vouches for the time-stamp: give --tsa-ca.")
    proven = check.take(lambda: _proven(found, log_key))
    payload = found.paths(payload=True)
    return Verdict(
        name=_shown(found.name),
        files=len(payload),
        size=sum(found.sizes[path] for path in payload),
        entries=proven.entries if proven else 0,
        stamped_at=stamped_at,
        fingerprints=tuple(check.take(lambda: _fingerprints(anchors, seal_ca)) or ()),
        faults=tuple(check.faults),
        doubts=tuple(check.doubts),
    )


class _Check:
    """Goes on after a fault, so that all are named."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.doubts: list[str] = []

    def take(self, part: Callable[[], _Found]) -> _Found | None:
        try:
            return part()
        except CustodyError as error:
            self.faults.append(error.message)
            return None


def _compare(found: Gathered, check: _Check) -> None:
    """Hold every list against the files, both ways."""
    lists = {f"tagmanifest-{kind}.txt" for kind in bag.DIGESTS}
    if found.tags.get("bagit.txt") != bag.DECLARATION:
        check.faults.append("bagit.txt is missing, or is not that of a bag of BagIt 1.0.")
    for kind in bag.DIGESTS:
        tags = found.paths(payload=False) - lists
        for manifest, paths in ((f"tagmanifest-{kind}.txt", tags), (f"manifest-{kind}.txt", found.paths(payload=True))):
            wanted = check.take(lambda manifest=manifest: listed(found, manifest)) or {}  # type: ignore[misc]
            check.faults += _named("is missing", wanted.keys() - paths)
            check.faults += _named(f"is in no list ({manifest})", paths - wanted.keys())
            changed = {path for path in wanted.keys() & paths if found.digests[kind][path] != wanted[path]}
            check.faults += _named(f"is not what {manifest} says", changed)


def _named(what: str, paths: set[str]) -> list[str]:
    more = [f"… and {len(paths) - _NAMED:,} more"] if len(paths) > _NAMED else []
    return [*(f"{_shown(path)} {what}." for path in sorted(paths)[:_NAMED]), *more]


def _sealed(found: Gathered, anchors: bytes) -> None:
    if _SEAL not in found.beside:
        raise CustodyError("The seal is missing.")
    if not anchors:
        raise CustodyError("There is no certificate for the seal.")
    vouching.require_sealed(found.beside[_SEAL], found.tags.get(bag.SEALED, b""), anchors)


def _fingerprints(anchors: bytes, seal_ca: Path | None) -> list[str]:
    """Give those of what the seal was held against; that the bundle's own are none is a fault of the bundle."""
    try:
        return vouching.fingerprints(anchors) if anchors else []
    except UsageError:
        if seal_ca:
            raise
        raise CustodyError("The certificates in the bundle are none.") from None


def _says_stamped(found: Gathered) -> bool:
    return _STAMPED in found.tags.get("bag-info.txt", b"").splitlines()


def _stamped(found: Gathered, tsa_ca: Path | None) -> datetime | None:
    stamp = found.beside.get(_STAMP)
    if (stamp is not None) is not _says_stamped(found):
        raise CustodyError("The time-stamp is missing, or the bundle does not know of one.")
    if stamp is None or tsa_ca is None:
        return None
    _read(tsa_ca)
    return vouching.stamped_at(stamp, found.beside.get(_SEAL, b""), tsa_ca)


def _proven(found: Gathered, log_key: Verifier | None) -> extract.Proven:
    custody, checkpoint, key = (
        found.tags.get(path, b"").decode(errors="replace")
        for path in ("meta/custody.jsonl", "meta/log/checkpoint.txt", "meta/log/key.txt")
    )
    return extract.verify(custody, checkpoint, log_key or Verifier.parse(key.strip()))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None


def _shown(path: str) -> str:
    """Give a path that somebody else chose, safe to print."""
    return "".join(each if each.isprintable() else "?" for each in path[:200])
