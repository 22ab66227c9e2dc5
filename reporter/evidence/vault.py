"""
The vault: evidence sealed on the way in, each item as an age file of its own, its identity under its case's key.

An item is read from its source once: digests, seal and object come of the same pass, and no plaintext touches a disk
of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from keycustody import age
from keycustody.cases import CaseKeys
from reporter.clock import Clock
from reporter.errors import CustodyError, DocumentError, Finding, ReporterError
from reporter.evidence.custody import custody_errors
from reporter.evidence.digests import LONG, Digests
from reporter.evidence.model import SealedItem
from reporter.evidence.objects import ObjectStore
from reporter.evidence.opening import OpenItem
from reporter.evidence.parallel import each
from reporter.evidence.source import Source, open_source, refusal


@dataclass(frozen=True, slots=True)
class Plain:
    """A file to be sealed: its id, path and digest as the case document says, at ``where`` in the document."""

    item: str
    path: str
    sha256: str
    where: str


@dataclass(frozen=True, slots=True)
class EvidenceVault:
    """Seals, opens, verifies and discards evidence items."""

    keys: CaseKeys
    objects: ObjectStore
    clock: Clock

    def seal_all(
        self, reference: str, files: Sequence[Plain], *, folder: Path, digests: frozenset[str], batch: str = ""
    ) -> list[SealedItem]:
        """
        Seal files below ``folder``, all or none, taking SHA-256 and ``digests`` (``md5``, ``sha1``) in the same pass.

        Their ids begin with ``batch``, and are random for the rest. Whatever is raised, nothing is left behind: keys
        are kept only once every file has turned out good. The caller records the items, and discards them if that
        fails.

        Raises:
            DocumentError: Files are refused; the findings, at ``{where}.path`` or ``{where}.sha256``, name every one.
            CustodyError: The case's key is damaged.
            EnvironmentTroubleError: A disk is full or does not work.

        """
        put: dict[Plain, tuple[SealedItem, age.Identity]] = {}
        refused: dict[Plain, Sequence[Finding]] = {}

        def seal(file: Plain) -> None:
            try:
                put[file] = self._put(reference, file, folder, digests, batch)
            except DocumentError as error:
                refused[file] = error.findings

        def keep(file: Plain) -> None:
            sealed, identity = put[file]
            self.keys.keep_identity(reference, sealed.id, sealed.ciphertext_sha256, identity.text)

        def take_back(sealed_for: tuple[SealedItem, age.Identity]) -> None:
            with suppress(ReporterError):  # what stopped us is what the caller must hear of
                self.discard(sealed_for[0])

        try:
            each(seal, files, alone=lambda file: len(files) == 1 or _is_long(folder, file.path))
            if refused:
                findings = [finding for file in files for finding in refused.get(file, ())]
                raise DocumentError("The evidence cannot be taken in; nothing of it was kept:", findings)
            with custody_errors():
                each(keep, files, alone=lambda _: len(files) == 1)
        except BaseException:
            each(take_back, put.values())
            raise
        return [put[file][0] for file in files]

    def _put(
        self, reference: str, file: Plain, folder: Path, digests: frozenset[str], batch: str
    ) -> tuple[SealedItem, age.Identity]:
        """Put a file into the object store, sealed for an identity that is kept nowhere yet."""
        item_id, identity = f"{batch}{token_hex(16)}"[:32], age.Identity.generate()
        plain, cipher = Digests("sha256", *sorted(digests)), Digests("sha256")
        with custody_errors(), open_source(folder, file.path, file.where) as source:
            pieces = age.encrypt(_as_promised(source, plain, file.sha256), identity.recipient)
            self.objects.put(item_id, cipher.of(pieces))
        sealed = SealedItem(
            id=item_id,
            reference=reference,
            item=file.item,
            sha256=file.sha256,
            md5=plain.get("md5"),
            sha1=plain.get("sha1"),
            size=plain.size,
            ciphertext_sha256=cipher["sha256"],
            sealed_at=self.clock.now(),
        )
        return sealed, identity

    def open(self, sealed: SealedItem) -> OpenItem:
        """Give the plaintext of an item as a stream that can be begun again; nothing is read before it is iterated."""
        return OpenItem(self.keys, self.objects, sealed)

    def verify(self, sealed: SealedItem, took: Callable[[int], None] = lambda _size: None) -> None:
        """
        Read an item back to its last byte and hold it against its record; ``took`` hears of bytes as they pass.

        Raises:
            CustodyError: It does not open, or is not what the record says.
            EnvironmentTroubleError: A disk does not work.

        """
        recorded = {name: value for name in ("md5", "sha1") if (value := getattr(sealed, name))}
        digests = Digests(*recorded)
        for piece in digests.of(self.open(sealed)):
            took(len(piece))
        if any(digests[name] != value for name, value in recorded.items()):
            raise CustodyError(f"Evidence {sealed.item} of case {sealed.reference} is not what was recorded of it.")

    def remove_source(self, sealed: SealedItem, *, folder: Path, path: str, where: str) -> None:
        """
        Delete the source file of an item, once its seal has been read back and the file is still what was sealed.

        Raises:
            CustodyError: The sealed item does not verify; the source is untouched.
            DocumentError: The source is gone, or is another file by now; it is untouched.
            EnvironmentTroubleError: A disk does not work.

        """
        self.verify(sealed)
        with open_source(folder, path, where) as source:
            for _ in _as_promised(source, Digests("sha256"), sealed.sha256):
                pass
            source.remove()

    def discard(self, sealed: SealedItem) -> None:
        """
        Remove an item's identity and then its object; what is gone already is no error.

        Raises:
            PolicyError: The object is locked in its store; nothing opens it any more.
            EnvironmentTroubleError: Key store or object store cannot be written.

        """
        with custody_errors():
            self.keys.forget_identity(sealed.id)
        self.objects.delete(sealed.id)


def _as_promised(source: Source, digests: Digests, sha256: str) -> Iterator[bytes]:
    """Give the content of a source, which fails at its end unless it is what the case document says it is."""
    yield from digests.of(source.blocks())
    if digests["sha256"] != sha256:
        raise refusal(f"{source.where}.sha256", "sha256", "is not the SHA-256 of the file")


def _is_long(folder: Path, path: str) -> bool:
    """Whether a file is to be sealed by itself, with its digests beside it; what it is, is looked at on opening."""
    try:
        return (folder / path).lstat().st_size > LONG
    except (OSError, ValueError):
        return False
