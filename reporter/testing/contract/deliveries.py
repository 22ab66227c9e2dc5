"""
Exactly once, or a person knows: the adapter through the real engine and ledger, with trouble at every step.

A step whose lost answer nobody can know (``ASK``), or that looks up and finds nothing, may end in doubt; every other
must end in one accepted report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reporter.authority import Call, Lost, Step
from reporter.submissions.model import NEEDS_PERSON, State
from reporter.testing.bench import LEASE, Bench, fresh_bodies, fresh_database
from reporter.testing.clock import FakeClock
from reporter.testing.contract.connections import require_no_secret
from reporter.testing.contract.subject import FILES, GENERIC_FAULTS, AdapterSubject

_ONE = {"e1": FILES["e1"]}


@dataclass(frozen=True, slots=True)
class Spot:
    """One step as trouble meets it: the double's name for its call, and what must go wrong before it is made."""

    step: Step
    call: str
    after: str = ""


class _KilledError(BaseException):
    """The worker dies here."""


class DeliveryContract(AdapterSubject):
    """Trouble at every step, one at a time."""

    @pytest.fixture
    def delivery(self, tmp_path: Path) -> Delivering:
        """Give what delivers one package at a time."""
        return Delivering(self, tmp_path)

    def spots(self) -> list[Spot]:
        """Find every step, those that abandon and look up too, by the double's journal of a walk through the plan."""
        double = self.double(FakeClock())
        walk = self.walk(double, _ONE)
        spots = []
        for step in walk.plan.steps:
            walk.perform(step)
            called = [seen.endpoint for seen in double.requests]
            spots.append(Spot(step, f"{called[-1]}:{called.count(called[-1])}"))
        restarted = [spot for spot in spots[1:] if spot.step.lost is Lost.RESTART]
        looked_up = [spot for spot in spots if spot.step.lost is Lost.LOOK_UP]
        for remedy, lost in ((walk.plan.abandon, restarted), (walk.plan.look_up, looked_up)):
            if remedy is not None and lost:
                walk.perform(remedy)
                spots.append(Spot(remedy, f"{double.requests[-1].endpoint}:1", f"{lost[0].call} drop_after"))
        return spots

    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_a_package_becomes_one_report(self, delivery: Delivering, count: int) -> None:
        files = dict(list(FILES.items())[:count])
        delivery.begin(files)
        delivery.bench.until_idle()
        delivery.require_one_end("without trouble", accepted=True)
        assert delivery.submission.receipt_kind == "acknowledged"

    @pytest.mark.parametrize("fault", GENERIC_FAULTS)
    def test_one_fault_at_any_step_costs_no_report_and_doubles_none(self, delivery: Delivering, fault: str) -> None:
        for spot in self.spots():
            delivery.begin(_ONE, f"{spot.after}\n{spot.call} {fault}")
            delivery.bench.until_idle()
            found = spot.step.lost is Lost.LOOK_UP and self.filed(delivery.double) != []
            delivery.require_one_end(f"{spot.step.key}: {fault}", accepted=_repairable(spot.step) or found)

    def test_a_fault_of_the_authoritys_own_doubles_nothing(self, delivery: Delivering) -> None:
        for spot in self.spots():
            for fault in self.own_faults:
                delivery.begin(_ONE, f"{spot.after}\n{spot.call} {fault}")
                delivery.bench.until_idle()
                if delivery.bench.paused:  # the fault is a refusal of our credentials
                    delivery.bench.queue.resume(delivery.bench.lane, "operator")
                    delivery.bench.until_idle()
                delivery.require_one_end(f"{spot.step.key}: {fault}", accepted=False)

    def test_refused_credentials_stop_the_lane_and_cost_no_report(self, delivery: Delivering) -> None:
        for spot in self.spots():
            delivery.begin(_ONE, f"{spot.after}\n{spot.call} status=401")
            delivery.bench.until_idle()
            assert delivery.bench.paused, f"{spot.step.key}: the lane goes on with credentials that are refused"
            delivery.bench.queue.resume(delivery.bench.lane, "operator")
            delivery.bench.until_idle()
            delivery.require_one_end(f"{spot.step.key}: 401", accepted=True)

    @pytest.mark.parametrize("moment", ["before", "after"])
    def test_a_worker_that_dies_at_any_step_is_replaced(self, delivery: Delivering, moment: str) -> None:
        for spot in self.spots():
            delivery.begin(_ONE, spot.after)
            setattr(delivery.bench.tap, moment, once(spot.step, _die))
            with pytest.raises(_KilledError):
                delivery.bench.until_idle()
            delivery.bench.until_idle()
            delivery.require_one_end(f"{spot.step.key}: died {moment} the call", accepted=_repairable(spot.step))

    def test_a_worker_paused_past_its_lease_may_still_make_its_call(self, delivery: Delivering) -> None:
        for spot in self.spots():
            delivery.begin(_ONE, spot.after)

            def another_takes_over(bench: Bench = delivery.bench) -> None:
                bench.clock.advance(2 * LEASE)
                bench.until_idle()

            delivery.bench.tap.before = once(spot.step, another_takes_over)
            delivery.bench.until_idle()
            delivery.require_one_end(f"{spot.step.key}: paused", accepted=_repairable(spot.step))

    def test_broken_evidence_is_never_filed_and_a_person_is_told(self, delivery: Delivering) -> None:
        delivery.begin(_ONE, contents={"e1": _ONE["e1"][:-1] + b"?"})
        delivery.bench.until_idle()
        assert self.filed(delivery.double) == []
        assert delivery.submission.state in NEEDS_PERSON


class Delivering:
    """One delivery at a time, each with a double, a clock and a lane of its own, on one database."""

    double: Any
    bench: Bench

    def __init__(self, subject: DeliveryContract, folder: Path) -> None:
        self._subject = subject
        self._database, self._bodies = fresh_database(folder), fresh_bodies(folder)

    def begin(self, files: Mapping[str, bytes], faults: str = "", contents: Mapping[str, bytes] | None = None) -> None:
        """Approve a package with these files; ``contents`` is what the evidence unseals to, if not to them."""
        clock = FakeClock()
        self._files = files
        self.double = self._subject.double(clock, faults)
        connection = self._subject.connect(self.double)
        self.bench = Bench(self._database, self._bodies, clock, self._subject.adapter, connection)
        self._id = self.bench.submit(self._subject.package(files), contents or files)

    @property
    def submission(self) -> Any:
        """The submission as it stands."""
        return self.bench.submission(self._id)

    def require_one_end(self, story: str, *, accepted: bool) -> None:
        """Hold that all trouble happened, and that it ended in one filed report or with a person, never in two."""
        submission, filed = self.submission, self._subject.filed(self.double)
        calls = [f"{call.step} {call.outcome}" for call in self.bench.calls(self._id)]
        told = f"{story}; calls: {', '.join(calls)}; state: {submission.state} ({submission.reason})"
        assert self.double.faults.unfired == [], f"a fault never happened; {told}"
        assert len(filed) <= 1, f"filed {len(filed)} times; {told}"
        allowed = {State.ACCEPTED} if accepted else {State.ACCEPTED, *NEEDS_PERSON}
        assert submission.state in allowed, f"expected {', '.join(sorted(allowed))}; {told}"
        if submission.state == State.ACCEPTED:
            assert [report.reference for report in filed] == [submission.receipt_reference], told
            assert submission.receipt_body is not None, f"the receipt is not kept; {told}"
        if submission.state == State.REJECTED:
            assert filed == [], f"filed, and a person is told that it was refused; {told}"
        if submission.state != State.ATTENTION:
            files = [sorted(report.files) for report in filed]
            assert files in ([], [sorted(self._files.values())]), f"other files than ours; {told}"
        require_no_secret(self.bench.tap.answers)


def once(step: Step, happening: Callable[[], None]) -> Callable[[Call], None]:
    """Give a watcher that lets something happen at the first call of a step."""
    waiting = [happening]

    def watch(call: Call) -> None:
        if call.step == step and waiting:
            waiting.pop()()

    return watch


def _die() -> None:
    raise _KilledError


def _repairable(step: Step) -> bool:
    """Whether what another worker's lost call did can be found out by machine."""
    return step.lost in (Lost.REPEAT, Lost.RESTART)
