"""The NCA adapter and its mock under the contract of every adapter, in the four modes of an interface."""

from __future__ import annotations

from pathlib import Path

import pytest

from reporter.authority import Lost
from reporter.testing.contract.adapters import AdapterContract
from reporter.testing.contract.connections import ConnectionContract
from reporter.testing.contract.deliveries import DeliveryContract
from reporter.testing.contract.explorations import ExplorationContract
from reporter.testing.contract.subject import FILES
from tests.contract.nca_subject import NCASubject


class _Bounded(ExplorationContract):
    """The call that files is explored always, uploads before it among the long tests: each may simply be repeated."""

    @pytest.mark.parametrize("count", [0, *(pytest.param(count, marks=pytest.mark.chaos) for count in (1, 2))])
    def test_one_fault_and_two_workers(self, tmp_path: Path, count: int) -> None:
        super().test_one_fault_and_two_workers(tmp_path, count)


class TestWithKeysAndLookUp(NCASubject, _Bounded, AdapterContract):
    own_faults = (*NCASubject.own_faults, "throttle=60 processed")


class TestWithKeys(NCASubject, ConnectionContract):
    """Its plan is the one with keys and look-up, as the last test holds; deliveries and schedules are the same."""

    look_up = False


class TestWithLookUp(NCASubject, _Bounded, ConnectionContract, DeliveryContract):
    idempotency = False


class TestWithNeither(NCASubject, _Bounded, ConnectionContract, DeliveryContract):
    idempotency = look_up = False


@pytest.mark.parametrize(
    ("subject", "lost", "looks_up"),
    [
        (TestWithKeysAndLookUp(), Lost.REPEAT, False),
        (TestWithKeys(), Lost.REPEAT, False),
        (TestWithLookUp(), Lost.LOOK_UP, True),
        (TestWithNeither(), Lost.ASK, False),
    ],
)
def test_what_a_lost_answer_means_follows_from_the_mode(subject: NCASubject, lost: Lost, *, looks_up: bool) -> None:
    plan = subject.adapter.plan(subject.package(FILES))
    assert [step.lost for step in plan.steps] == [Lost.REPEAT, Lost.REPEAT, lost]
    assert (plan.look_up is not None) is looks_up


def test_with_keys_nothing_is_looked_up_whether_it_could_be_or_not() -> None:
    plans = [subject.adapter.plan(subject.package(FILES)) for subject in (TestWithKeys(), TestWithKeysAndLookUp())]
    assert plans[0] == plans[1]
