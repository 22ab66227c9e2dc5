"""Every schedule within a bound."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from reporter.delivery.model import Entry
from reporter.submissions.model import State
from reporter.testing.simulation.invariants import violations
from reporter.testing.simulation.schedule import ANYWHERE, EXPIRE, PAUSES, Moment, Schedule, earlier, possible
from reporter.testing.simulation.world import REFERENCE, NeverIdleError, Template, World


@dataclass(frozen=True, slots=True)
class Run:
    """How one schedule ended."""

    schedule: Schedule
    state: State
    trace: tuple[Moment, ...]
    calls: tuple[Entry, ...]
    broken: tuple[str, ...]


def play(template: Template, schedule: Schedule) -> Run:
    """Play one schedule and hold its end against the invariants."""
    world = World(template, schedule)
    broken = []
    try:
        world.play()
    except NeverIdleError as error:
        broken.append(str(error))
    state, wrong = violations(world)
    missed = sorted({injection.at for injection in schedule} - world.fired)
    if missed:
        broken.append(f"moments {missed} were never reached, so nothing went wrong there")
    if unfired := world.double.faults.unfired:
        broken.append(f"faults {unfired} never fired")
    return Run(schedule, state, tuple(world.trace), tuple(world.ledger.calls(REFERENCE)), (*broken, *wrong))


def explore(
    template: Template,
    *,
    faults: int,
    pauses: int = 0,
    restores: int = 0,
    share: tuple[int, int] = (0, 1),
    every: bool = False,
) -> Iterator[Run]:
    """
    Play every schedule with at most so many faults, pauses in which another worker steps in, and forgetful databases.

    What goes wrong second is sought among the moments of the run that the first made, so that what only happens after
    trouble (a retraction, a repeated finish) goes wrong too. ``share`` (i, n) plays the i-th of n parts of the
    schedules. Where several things go wrong, one fault stands for all of its outcome, unless ``every`` is set.
    """
    subject, bounds = template.subject, (faults, pauses, restores)
    first = play(template, ())
    yield first
    everything = possible(first.trace, subject.faults, forgetting=restores > 0)
    alone: list[Schedule] = [(injection,) for injection in everything]
    pending = [schedule for schedule in alone if _within(schedule, subject.lies, *bounds)][share[0] :: share[1]]
    while pending:
        schedule = pending.pop()
        run = play(template, schedule)
        yield run
        last = schedule[-1]
        representative = last.action in (*ANYWHERE, EXPIRE, *subject.classes) or earlier(last.action) is not None
        if not every and not representative:
            continue
        next_faults = subject.faults if every else subject.classes
        for injection in possible(run.trace, next_faults, last.at, forgetting=restores > 0):
            longer = (*schedule, injection)
            if _within(longer, subject.lies, *bounds):
                pending.append(longer)


def _within(schedule: Schedule, lies: Collection[str], faults: int, pauses: int, restores: int) -> bool:
    actions = [injection.action for injection in schedule]
    paused = sum(action in PAUSES for action in actions)
    restored = sum(earlier(action) is not None for action in actions)
    if any(action in lies for action in actions):
        return len(actions) == 1
    return paused <= pauses and restored <= restores and len(actions) - paused - restored <= faults
