"""What the CyberTipline double remembers: reports, files, and how long an unfinished report lives."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from adapters.ncmec.sandbox_codes import RefusedError

# CyberTipline Reporting API Technical Documentation, section 3: deleted 24 hours after the report was opened or 1 hour
# after the last modification (file upload or file details submission), whichever is later.
LIFE_FROM_OPENING = timedelta(hours=24)
LIFE_FROM_MODIFICATION = timedelta(hours=1)


class State(StrEnum):
    """Where a report stands."""

    OPEN = "open"
    FINISHED = "finished"
    RETRACTED = "retracted"
    EXPIRED = "expired"


@dataclass(slots=True)
class StoredFile:
    """One uploaded file: always its digests, its ``content`` only where it is small, ``details`` as submitted."""

    id: str
    name: str | None = field(repr=False)
    md5: str
    sha256: str
    size: int
    content: bytes | None = field(repr=False)
    details: bytes | None = field(default=None, repr=False)


@dataclass(slots=True)
class Report:
    """One report; ``document`` is its ``<report>`` as submitted."""

    id: str
    document: bytes = field(repr=False)
    batched: bool
    opened_at: datetime
    modified_at: datetime
    state: State = State.OPEN
    closed_at: datetime | None = None
    files: dict[str, StoredFile] = field(default_factory=dict)

    @property
    def alive_until(self) -> datetime:
        """When the report is deleted unless something happens."""
        return max(self.opened_at + LIFE_FROM_OPENING, self.modified_at + LIFE_FROM_MODIFICATION)


class Desk:
    """All reports of one reporter; every method is one step that no other thread can split."""

    def __init__(self, now: Callable[[], datetime], expired_code: int, forgets_after: timedelta | None) -> None:
        self._reports: dict[str, Report] = {}
        self._now = now
        self._expired_code = expired_code
        self._forgets_after = forgets_after
        self._lock = threading.Lock()

    def open(self, document: bytes, *, batched: bool) -> Report:
        """Open a report under an id of nine digits that no other has."""
        with self._lock:
            now = self._now()
            report_id = str(100_000_000 + uuid.uuid4().int % 900_000_000)
            while report_id in self._reports:
                report_id = str(int(report_id) + 1)
            report = self._reports[report_id] = Report(report_id, document, batched, now, now)
            return report

    def add_file(self, report_id: str, file: StoredFile) -> None:
        """Add a file, also when the same one is there already (section 3)."""
        with self._lock:
            report = self._alive(report_id)
            report.files[file.id] = file
            report.modified_at = self._now()

    def add_details(self, report_id: str, file_id: str, details: bytes) -> None:
        """Add a file's details, once."""
        with self._lock:
            report = self._alive(report_id)
            file = report.files.get(file_id)
            if file is None:
                raise RefusedError(5002)
            if file.details is not None:
                raise RefusedError(4000, "file details were already submitted for this file")
            file.details = details
            report.modified_at = self._now()

    def finish(self, report_id: str) -> Report:
        """File the report; a batched one may hold one file only (Appendix E)."""
        with self._lock:
            report = self._alive(report_id)
            if report.batched and len(report.files) > 1:
                raise RefusedError(4100, "batchedReport: only one file may be uploaded")
            return self._close(report, State.FINISHED)

    def retract(self, report_id: str) -> None:
        """Cancel an unfinished report."""
        with self._lock:
            self._close(self._alive(report_id), State.RETRACTED)

    def all(self) -> dict[str, Report]:
        """Give every report by its id, those whose time is up already expired."""
        with self._lock:
            for report in self._reports.values():
                self._age(report)
            return dict(self._reports)

    def batched(self, report_id: str) -> bool:
        """Whether there is such a report and it is a batched one."""
        with self._lock:
            report = self._reports.get(report_id)
            return report is not None and report.batched

    def _close(self, report: Report, state: State) -> Report:
        report.state, report.closed_at = state, self._now()
        return report

    def _age(self, report: Report) -> None:
        if report.state is State.OPEN and self._now() >= report.alive_until:
            self._close(report, State.EXPIRED)

    def _alive(self, report_id: str) -> Report:
        report = self._reports.get(report_id)
        if report is None:
            raise RefusedError(5001)
        self._age(report)
        forgotten = report.closed_at and self._forgets_after and self._now() >= report.closed_at + self._forgets_after
        if forgotten:
            raise RefusedError(5001)
        match report.state:
            case State.FINISHED:
                raise RefusedError(5102)
            case State.RETRACTED:
                raise RefusedError(5101)
            case State.EXPIRED:
                raise RefusedError(self._expired_code)
        return report
