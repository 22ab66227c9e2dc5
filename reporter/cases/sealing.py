"""Sealing the files of a document, and removing their sources: the cases room's dealings with the vault."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress

from sqlalchemy import Engine

from reporter.cases.intake import HandedIn
from reporter.db.engine import transaction
from reporter.errors import DocumentError, Finding, ReporterError
from reporter.evidence import leftovers
from reporter.evidence import service as evidence
from reporter.evidence.model import SealedItem
from reporter.evidence.vault import EvidenceVault, Plain

_log = logging.getLogger(__name__)


class Sealing:
    """Seals the files of documents; ``digests`` are taken of them besides SHA-256."""

    def __init__(self, engine: Engine, vault: EvidenceVault, digests: frozenset[str]) -> None:
        self._engine, self._vault, self._digests = engine, vault, digests

    @contextmanager
    def files_of(self, handed: HandedIn, kept: Collection[tuple[str, str]] = ()) -> Iterator[list[SealedItem]]:
        """
        Seal the files of a document, but for those (id, SHA-256) ``kept`` already, for the block that records them.

        What the block does not record is taken back.

        Raises:
            DocumentError: Files are refused; there are findings for every one of them.
            CustodyError: The case's key is damaged.
            EnvironmentTroubleError: A disk is full or does not work.

        """
        files = [file for file in _files(handed) if (file.item, file.sha256) not in kept]
        batch = leftovers.begin(self._engine, self._vault.clock) if files else ""
        fresh: list[SealedItem] = []
        try:
            fresh = self._vault.seal_all(
                handed.parsed.case.reference, files, folder=handed.folder, digests=self._digests, batch=batch
            )
            yield fresh
        except BaseException:
            self.take_back(fresh)
            with suppress(ReporterError):  # it stays on record, and is swept when its time is over
                leftovers.abandon(self._engine, self._vault.objects, batch)
            raise

    def remove_sources(self, handed: HandedIn) -> tuple[list[str], list[Finding]]:
        """
        Remove the source of every file on record whose seal verifies; one that is gone already is passed over.

        Returns:
            The items whose source was removed, and what kept others from being removed.

        """
        with transaction(self._engine) as connection:
            items = evidence.sealed_items(connection, handed.parsed.case.reference)
        records = {(item.item, item.sha256): item for item in items}
        removed, findings = [], []
        for file in _files(handed):
            record = records.get((file.item, file.sha256))
            if record is None:
                continue
            try:
                self._vault.remove_source(record, folder=handed.folder, path=file.path, where=file.where)
                removed.append(file.item)
            except DocumentError as error:
                findings += [finding for finding in error.findings if finding.rule != "missing"]
            except ReporterError as error:
                findings.append(Finding(f"{file.where}.path", "remove_source", error.message))
        return removed, findings

    def take_back(self, items: Sequence[SealedItem]) -> None:
        """Remove freshly sealed items that are on no record; what cannot be removed is noise without a record."""
        for item in self._unrecorded(items):
            try:
                self._vault.discard(item)
            except ReporterError:
                _log.warning("the sealed object %s is on no record and could not be removed", item.id)

    def _unrecorded(self, items: Sequence[SealedItem]) -> list[SealedItem]:
        """Give the items that are certainly on no record: a commit whose answer was lost may have worked."""
        if not items:
            return []
        try:
            with transaction(self._engine) as connection:
                recorded = {item.id for item in evidence.sealed_items(connection, items[0].reference)}
        except ReporterError:
            return []
        return [item for item in items if item.id not in recorded]


def _files(handed: HandedIn) -> list[Plain]:
    return [
        Plain(item.id, item.path, item.sha256, f"evidence[{index}]")
        for index, item in enumerate(handed.parsed.case.evidence or [])
        if item.path is not None and item.sha256 is not None
    ]
