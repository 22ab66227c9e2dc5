"""The NCMEC adapter under the contract of every adapter."""

from __future__ import annotations

from collections.abc import Iterable

from adapters._faults import Kind
from adapters.ncmec.adapter import NCMECAdapter
from adapters.ncmec.sandbox import CyberTipline
from reporter.bootstrap import find_adapters
from reporter.testing.contract.adapters import AdapterContract
from reporter.testing.contract.deliveries import GENERIC_FAULTS
from reporter.testing.contract.subject import Held


class TestNCMEC(AdapterContract):
    adapter = NCMECAdapter()
    own_faults = ("throttle=60 processed", "code=1000 processed", "code=1300", "code=4100", "code=5001", "code=5101")

    def held(self, double: CyberTipline) -> Iterable[Held]:
        for report in double.reports.values():
            files = tuple(file.content or b"" for file in report.files.values())
            yield Held(report.id, report.state == "finished", files)


def test_every_installed_adapter_is_under_the_contract() -> None:
    assert set(find_adapters()) == {TestNCMEC.adapter.name}


def test_every_kind_of_fault_is_tried_but_the_authoritys_own_codes() -> None:
    assert {fault.partition("=")[0].partition(" ")[0] for fault in GENERIC_FAULTS} == set(Kind) - {Kind.CODE}
