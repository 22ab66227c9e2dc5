"""The contract suite on an authority of another shape, and on adapters that break it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reporter.authority import Check, Environment, Lost, Package
from reporter.errors import Finding
from reporter.testing.contract.adapters import AdapterContract
from reporter.testing.contract.deliveries import Delivering
from reporter.testing.contract.subject import Held
from tests.contract.mini import MiniAdapter, Registry


class _MiniContract(AdapterContract):
    own_classes = ("code=422",)

    @pytest.mark.parametrize("count", [0, 1, pytest.param(2, marks=pytest.mark.chaos)])
    def test_one_fault_and_two_workers(self, tmp_path: Path, count: int) -> None:
        super().test_one_fault_and_two_workers(tmp_path, count)

    def held(self, double: Registry) -> Iterable[Held]:
        return double.held()


class TestWithAKey(_MiniContract):
    adapter = MiniAdapter(Lost.REPEAT)
    own_faults = ("throttle=60 processed", "code=422")


class TestWithLookUp(_MiniContract):
    adapter = MiniAdapter(Lost.LOOK_UP)
    own_faults = ("code=422", "code=404")


class TestWithNeither(_MiniContract):
    adapter = MiniAdapter(Lost.ASK)
    own_faults = ("code=422", "code=404")


# --- the suite finds what is wrong ------------------------------------------------------------------------------


class _Broken(_MiniContract):
    def __init__(self, adapter: MiniAdapter) -> None:
        self.adapter = adapter


class _Hopeful(MiniAdapter):
    """Says that a repeat is harmless, of an authority that knows no keys."""

    def double(self, *arguments: Any, **behaviour: Any) -> Registry:
        return super().double(*arguments, **{**behaviour, "kind": Lost.ASK})


@pytest.mark.parametrize("fault", ["drop_after", "cut", "truncate", "delay=40", "status=503 processed"])
def test_a_repeat_that_files_twice_is_found(tmp_path: Path, fault: str) -> None:
    broken = _Broken(_Hopeful(Lost.REPEAT))
    with pytest.raises(AssertionError, match="filed 2 times"):
        broken.test_one_fault_at_any_step_costs_no_report_and_doubles_none(Delivering(broken, tmp_path), fault)


def test_a_plan_that_survives_neither_death_nor_pause_is_found(tmp_path: Path) -> None:
    broken = _Broken(_Hopeful(Lost.REPEAT))
    delivery = Delivering(broken, tmp_path)
    with pytest.raises(AssertionError, match="filed 2 times"):
        broken.test_a_worker_that_dies_at_any_step_is_replaced(delivery, "after")
    with pytest.raises(AssertionError, match="filed 2 times"):
        broken.test_a_worker_paused_past_its_lease_may_still_make_its_call(delivery)


class _Dated(MiniAdapter):
    def build(self, case: Any, packaging: Any) -> Package:
        built = super().build(case, packaging)
        return replace(built, documents=(replace(built.documents[0], body=f"{packaging.now}".encode()),))


class _Quoting(MiniAdapter):
    def check(self, case: Any, packaging: Any) -> Check:
        return Check((Finding("incident.summary", "long", f"is too long: {case.incident.summary}"),))


class _Unpinned(MiniAdapter):
    def endpoint_url(self, environment: Environment, base_url: str | None) -> str:
        return base_url or super().endpoint_url(environment, None)


def test_documents_that_change_with_the_day_are_found() -> None:
    with pytest.raises(AssertionError):
        _Broken(_Dated(Lost.ASK)).test_the_same_case_gives_the_same_bytes_at_any_time()


def test_findings_that_repeat_content_are_found() -> None:
    with pytest.raises(AssertionError, match="repeats content"):
        _Broken(_Quoting(Lost.ASK)).test_an_odd_case_is_answered_with_findings("control characters")


def test_addresses_that_can_be_overridden_are_found() -> None:
    broken = _Broken(_Unpinned(Lost.ASK))
    for test in (
        broken.test_official_addresses_cannot_be_overridden,
        broken.test_the_sandbox_is_never_an_official_host,
    ):
        with pytest.raises(pytest.fail.Exception):
            test()
