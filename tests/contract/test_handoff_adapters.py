"""Every authority that people tell, under the contract of all of them."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from adapters.handoff.adapter import HandoffAdapter, shipped
from reporter.bootstrap import find_adapters
from reporter.testing.contract.handoffs import HandoffContract, is_machine

ADAPTERS = {adapter.name: adapter for adapter in shipped()}


@pytest.fixture(autouse=True, params=ADAPTERS)
def _each(request: pytest.FixtureRequest) -> None:
    if request.instance is not None:
        request.instance.adapter = ADAPTERS[request.param]


class TestHandoffs(HandoffContract):
    adapter: HandoffAdapter
    settings: ClassVar[dict[str, Any]] = {"provider_id": "P-17", "recipient": "A police authority, ES"}
    changes: ClassVar[dict[str, Any]] = {
        "incident": {
            "type": "csam",
            "occurred_at": "2026-11-18T09:55:00Z",
            "summary": "SYNTHETIC TEST CASE.",
            "urgency": {"level": "routine"},
        }
    }


def test_every_installed_form_is_under_the_contract() -> None:
    assert {name for name, adapter in find_adapters().items() if not is_machine(adapter)} == set(ADAPTERS)
