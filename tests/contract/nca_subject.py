"""The mock of our own NCA-style contract as the contract suite and the exploration see it, in one of its four modes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.nca.adapter import NCAAdapter
from adapters.nca.sandbox import MockEndpoint
from adapters.nca.sandbox_codes import NUMBERS
from reporter.cases.model import Email, Phone
from reporter.organisation import Contact, Organisation
from reporter.testing.clock import FakeClock
from reporter.testing.contract.subject import PASSWORD, USERNAME, AdapterSubject, Held

ORGANISATION = Organisation(
    name="Example Forum Ltd",
    established_in="GB",
    serves=("GB",),
    reporting_person=Contact(
        first_name="Sam",
        last_name="Example",
        emails=(Email(address="reports@forum.example"),),
        phones=(Phone(number="1632 960000", country_calling_code="44"),),
    ),
)
SETTINGS: Mapping[str, Any] = {
    "registration_id": USERNAME,
    "registered_on": "2026-04-07",
    "administrator": {"name": "Alex Example", "email": "alex@forum.example"},
    "replacement": {"name": "Robin Example", "email": "robin@forum.example"},
    "authorised_persons": [{"name": "Sam Example", "email": "reports@forum.example"}],
}
CHANGES: Mapping[str, Any] = {
    "incident": {
        "type": "csam",
        "occurred_at": "2026-11-18T09:55:00Z",
        "summary": "SYNTHETIC TEST CASE.",
        "urgency": {"level": "routine", "reason": "SYNTHETIC: no sign of danger."},
    },
    "detected_by": [{"method": "user_report", "at": "2026-11-18T10:00:00Z"}],
    "uk": {"declaration": {"by": "reviewer-7", "at": "2026-11-18T10:05:00Z"}},
}


class NCASubject(AdapterSubject):
    """The adapter with an interface that knows keys or not, and can be asked or not."""

    adapter = NCAAdapter()
    mocked = True
    changes = CHANGES
    organisation = ORGANISATION
    own_faults = (
        *(f"code={number}" for number in NUMBERS),
        "status=503",
        "delay=600",
        "code=500 processed",
        "code=503 processed",
    )
    own_classes = ("code=422",)  # rejected
    lies = frozenset({"code=4092"})
    idempotency: bool = True
    look_up: bool = True

    @property
    def settings(self) -> Mapping[str, Any]:  # type: ignore[override]
        """Give the settings of this mode."""
        return {**SETTINGS, "idempotency": self.idempotency, "look_up": self.look_up}

    def double(self, clock: FakeClock, faults: str = "") -> MockEndpoint:
        """Give a mock of this mode that takes our credentials."""
        return self.adapter.double(
            clock, faults, username=USERNAME, password=PASSWORD, idempotency=self.idempotency, look_up=self.look_up
        )

    def held(self, double: MockEndpoint) -> Iterable[Held]:
        """Give the reports with their files, and the files of no report as one draft."""
        store = double.store
        named = {digest for report in store.reports.values() for digest in report.files}
        for report in store.reports.values():
            files = tuple(store.files[digest].content or b"" for digest in report.files)
            yield Held(report.number, True, files)
        if loose := tuple(file.content or b"" for digest, file in store.files.items() if digest not in named):
            yield Held("", False, loose)
