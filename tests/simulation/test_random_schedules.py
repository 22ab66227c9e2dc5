"""Beyond the bound: long random schedules, shrunk by Hypothesis to the shortest that breaks an invariant."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from reporter.testing.simulation.invariants import violations
from reporter.testing.simulation.replay import first_files
from reporter.testing.simulation.schedule import ANYWHERE
from reporter.testing.simulation.world import Template, World
from tests.contract.ncmec_subject import LIES, NCMECSubject

NCMEC = NCMECSubject()

#: An authority that lies is explored alone.
ACTIONS = [*ANYWHERE, *(fault for fault in NCMEC.faults if fault not in LIES)]


@cache
def template(files: int) -> Template:
    return Template.make(Path(tempfile.mkdtemp(prefix="reporter-random-")), NCMEC, first_files(files))


class Deliveries(RuleBasedStateMachine):
    """Workers come and go, calls fail in every way, time passes: at the end one report, or a person is asked."""

    @initialize(files=st.integers(0, 2))
    def approved(self, files: int) -> None:
        self.world = World(template(files), ())

    @rule(action=st.sampled_from(ACTIONS), moments=st.integers(0, 8))
    def something_will_go_wrong(self, action: str, moments: int) -> None:
        self.world.schedule[len(self.world.trace) + moments] = action

    @rule(owner=st.sampled_from(["one", "two"]))
    def somebody_works(self, owner: str) -> None:
        self.world.once(owner)

    @rule(minutes=st.sampled_from([1, 4, 7, 61, 60 * 24]))
    def time_passes(self, minutes: int) -> None:
        self.world.clock.advance(timedelta(minutes=minutes))

    def teardown(self) -> None:
        self.world.play()
        state, broken = violations(self.world)
        assert not broken, f"{state}: {'; '.join(broken)}"


class LongDeliveries(Deliveries):
    """The same for as long as one has time."""


CALM = settings(deadline=None, suppress_health_check=list(HealthCheck))
Deliveries.TestCase.settings = settings(CALM, max_examples=60, stateful_step_count=25)
LongDeliveries.TestCase.settings = settings(CALM, max_examples=3000, stateful_step_count=60)
TestDeliveries = Deliveries.TestCase
TestLongDeliveries = pytest.mark.chaos(LongDeliveries.TestCase)
