"""Whatever went wrong before, and whether people are right or not: to decide that it was not filed never doubles it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select, update

from reporter.db.engine import transaction
from reporter.delivery.model import Verdict
from reporter.submissions.model import State
from reporter.submissions.tables import Submission
from reporter.testing.simulation.explore import explore, play
from reporter.testing.simulation.invariants import violations
from reporter.testing.simulation.schedule import Injection, Moment, written
from reporter.testing.simulation.world import Template, World
from tests.contract.ncmec_subject import NCMECSubject

_SUBMISSION = Submission.__table__
NCMEC = NCMECSubject()


def say_not_filed(world: World) -> None:
    """Do what ``reporter delivery resolve --not-accepted`` does."""
    with transaction(world.database) as connection:
        row = connection.execute(select(_SUBMISSION)).one()
        history = world.ledger.entries(connection, row.id)
        world.ledger.decide(connection, row.id, history, Verdict.NOT_ACCEPTED, world.clock.now())
        world.queue.recall(connection, [row.id])
        world.queue.enqueue(connection, row.id, lane=world.bench.lane, urgent=False, at=world.clock.now())
        connection.execute(update(_SUBMISSION).values(state=State.DELIVERING, reason=""))


def decide(world: World) -> tuple[int, int, State, list[str]]:
    """Play a world, and let people say that it was not filed; give how many were filed before that, and in the end."""
    world.play()
    before = len(NCMEC.filed(world.double))
    say_not_filed(world)
    world.play()
    state, broken = violations(world)
    return before, len(NCMEC.filed(world.double)), state, broken


def test_to_decide_that_it_was_not_filed_files_it_once(tmp_path: Path) -> None:
    template = Template.make(tmp_path, NCMEC, {})
    ends: Counter[tuple[int, int, State]] = Counter()
    failed = []
    for run in explore(template, faults=1, pauses=1):
        if run.state is State.IN_DOUBT:
            before, after, state, broken = decide(World(template, run.schedule))
            ends[before, after, state] += 1
            failed += [f"{'; '.join(broken)}: {written(run.schedule)}"] * bool(broken)
    print(f"{ends.total()} schedules in doubt")
    assert not failed, "\n".join(failed[:20])
    assert set(ends) == {(0, 1, State.ACCEPTED)}


@pytest.mark.parametrize(("lost", "filed"), [("drop_before", 0), ("drop_after", 1)])
def test_people_who_are_wrong_file_nothing_twice(tmp_path: Path, lost: str, filed: int) -> None:
    """The filing call is lost, with its work done or not, and the authority then denies that it knows the report."""
    template = Template.make(tmp_path, NCMEC, {})
    schedule: tuple[Injection, ...] = ()
    for fault in (lost, "code=5001"):
        calls = [at for at, moment in enumerate(play(template, schedule).trace) if moment is Moment.BEFORE_CALL]
        filing = calls[-1] if not schedule else next(at for at in calls if at > schedule[-1].at)
        schedule = (*schedule, Injection(filing, fault))
    world = World(template, schedule)
    assert decide(world) == (filed, 1, State.ACCEPTED, [])
    assert world.fired == {injection.at for injection in schedule}
