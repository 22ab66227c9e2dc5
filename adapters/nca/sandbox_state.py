"""What the mock endpoint remembers: files by their digest, reports with their receipts, keys, and questions."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

#: SI 2026/268, as summarised: a request for information is answered within seven days.
ANSWER_WITHIN = timedelta(days=7)


@dataclass(slots=True)
class StoredFile:
    """One file; its ``content`` only where it is small."""

    sha256: str
    size: int
    content: bytes | None = field(repr=False)


@dataclass(slots=True)
class Report:
    """One report that was received in full; ``files`` are the digests that it names."""

    receipt: dict[str, Any] = field(repr=False)
    key: str
    files: tuple[str, ...]

    @property
    def number(self) -> str:
        """The readable number of its receipt."""
        return str(self.receipt["referralFriendlyId"])


@dataclass(slots=True)
class Question:
    """A request for information, and whether it was answered."""

    id: str
    referral_id: str
    asked_at: datetime
    text: str = field(repr=False)
    answered: bool = False

    def shown(self) -> dict[str, str]:
        """Give it as the contract does."""
        return {
            "requestId": self.id,
            "referralId": self.referral_id,
            "askedAt": stamp(self.asked_at),
            "dueBy": stamp(self.asked_at + ANSWER_WITHIN),
            "question": self.text,
            "status": "answered" if self.answered else "open",
        }


class Store:
    """Everything the mock holds; the caller takes ``lock`` around what belongs together."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.wipe()

    def wipe(self) -> None:
        """Forget everything, the numbers given too."""
        with self.lock:
            self.files: dict[str, StoredFile] = {}
            self.reports: dict[str, Report] = {}
            self.keys: dict[str, tuple[str, str]] = {}
            self.questions: dict[str, Question] = {}

    def add_file(self, file: StoredFile) -> bool:
        """Add a file; say whether it is new."""
        with self.lock:
            new = file.sha256 not in self.files
            self.files.setdefault(file.sha256, file)
            return new

    def by_reference(self, client_reference: str) -> list[Report]:
        """Give the reports of one of the client's references, oldest first."""
        return [report for report in self.reports.values() if report.receipt["clientReference"] == client_reference]

    def receive(self, report: Mapping[str, Any], body_sha256: str, key: str, now: datetime, named: list[str]) -> Report:
        """Receive a report in full and give it with its receipt."""
        receipt: dict[str, Any] = {
            "referralId": str(uuid.uuid4()),
            "referralFriendlyId": f"MOCK-UK-{len(self.reports) + 1:06}",
            "environment": "mock",
            "clientReference": report["clientReference"],
            "receivedAt": stamp(now),
            "priorityLevel": report["priority"]["level"],
            "bodySha256": body_sha256,
            "files": [{"sha256": digest, "sizeBytes": self.files[digest].size} for digest in named],
            "status": "linked" if "supplements" in report else "received",
            "retention": {"referenceUntil": _years(now, 5), "evidenceUntil": _years(now, 1)},
        }
        if "supplements" in report:
            receipt["supplements"] = report["supplements"]
        received = Report(receipt, key, tuple(named))
        self.reports[receipt["referralId"]] = received
        self.keys[key] = (body_sha256, receipt["referralId"])
        return received

    def ask(self, referral_id: str, text: str, now: datetime) -> Question:
        """Put a question about a report."""
        with self.lock:
            question = Question(str(uuid.uuid4()), referral_id, now, text)
            self.questions[question.id] = question
            return question


def stamp(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC."""
    return moment.isoformat().replace("+00:00", "Z")


def _years(moment: datetime, years: int) -> str:
    """Give the day that many calendar years later; from 29 February, where there is none, the day after."""
    try:
        return moment.date().replace(year=moment.year + years).isoformat()
    except ValueError:
        return moment.date().replace(year=moment.year + years, month=3, day=1).isoformat()
