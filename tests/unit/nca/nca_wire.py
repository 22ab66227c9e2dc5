"""The connection and the mock, call by call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from adapters.nca.adapter import SANDBOX, NCAAdapter
from adapters.nca.client import NCAConnection
from adapters.nca.sandbox import PASSWORD, USERNAME, MockEndpoint
from reporter.authority import Answer, Call, Endpoint, Environment, Package, Step
from reporter.cases.model import Case
from reporter.testing.bench import chunks
from reporter.testing.clock import FakeClock
from reporter.testing.documents import case_document
from tests.contract.nca_subject import CHANGES
from tests.unit.nca.full_nca_case import nca_packaging

ADAPTER = NCAAdapter()


class Wire:
    """A mock, a connection to it, and packages of a small case without files."""

    def __init__(self, faults: str = "", **behaviour: Any) -> None:
        self.clock = FakeClock()
        self.mock: MockEndpoint = ADAPTER.double(self.clock, faults, **behaviour)
        self.connection = self.connect()

    def connect(self, url: str = SANDBOX, transport: Any = None, key: str = PASSWORD) -> NCAConnection:
        endpoint = Endpoint(Environment.SANDBOX, url, "", SecretStr(key), timeout_seconds=30.0)
        return ADAPTER.connect(endpoint, transport or self.mock.transport())

    @staticmethod
    def package(reference: str = "TEST-000001", files: dict[str, bytes] | None = None, **changes: Any) -> Package:
        case = Case.model_validate(case_document(reference, files=files, **{**CHANGES, **changes}))
        packaging = nca_packaging(case, registration_id=USERNAME, idempotency=True)
        facts = {item: replace(known, size=len((files or {})[item])) for item, known in packaging.evidence.items()}
        return ADAPTER.build(case, replace(packaging, evidence=facts))

    def perform(self, key: str, package: Package | None = None, item: str | None = None) -> Answer:
        call = Call(Step(key, ADAPTER.plan(self.package()).final.lost, item), package or self.package(), {}, _nothing)
        return self.connection.perform(call)


def _nothing(_item: str) -> Any:
    return chunks(b"")
