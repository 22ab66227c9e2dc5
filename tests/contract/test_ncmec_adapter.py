"""The NCMEC adapter under the contract of every adapter."""

from __future__ import annotations

from adapters._faults import Kind
from reporter.bootstrap import find_adapters
from reporter.testing.contract.adapters import AdapterContract
from reporter.testing.contract.handoffs import is_machine
from reporter.testing.contract.subject import GENERIC_FAULTS
from tests.contract.nca_subject import NCASubject
from tests.contract.ncmec_subject import NCMECSubject


class TestNCMEC(NCMECSubject, AdapterContract):
    pass


def test_every_installed_adapter_is_under_the_contract() -> None:
    machines = {name for name, adapter in find_adapters().items() if is_machine(adapter)}
    assert machines == {TestNCMEC.adapter.name, NCASubject.adapter.name}


def test_every_kind_of_fault_is_tried_but_the_authoritys_own_codes() -> None:
    assert {fault.partition("=")[0].partition(" ")[0] for fault in GENERIC_FAULTS} == set(Kind) - {Kind.CODE}
