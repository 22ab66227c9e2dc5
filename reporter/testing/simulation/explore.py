"""
Every schedule within a bound.

What goes wrong next is sought among the moments of the run that the schedule so far made, so that what only happens
after trouble (a retraction, a repeated finish) goes wrong too. Runs that come to the same state (see ``states``) with
no more to go wrong than one before them are **joined** to it: they end there, since all that can follow was or will be
played from the other. Each state is met first by some run that is played on from it, and the exploration goes to its
end; so every state that any schedule within the bound reaches is reached, and every violation with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from reporter.delivery.model import Entry
from reporter.submissions.model import State
from reporter.testing.simulation.invariants import violations
from reporter.testing.simulation.schedule import (
    ANYWHERE,
    EXPIRE,
    PAUSES,
    Injection,
    Moment,
    Schedule,
    earlier,
    possible,
)
from reporter.testing.simulation.states import require_timely, state_of
from reporter.testing.simulation.world import NeverIdleError, Template, World

#: How much may still go wrong: faults, pauses, restores.
Left = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Run:
    """How one schedule ended; without a ``state`` when it joined another. ``end`` is what the world came to."""

    schedule: Schedule
    state: State | None
    trace: tuple[Moment, ...]
    calls: tuple[Entry, ...]
    broken: tuple[str, ...]
    end: str = ""


class _Joined(BaseException):
    """From here on all is as in a run before, which ended."""


class Known:
    """The states that were met, each with the most that could still go wrong from there."""

    def __init__(self) -> None:
        self._met: dict[str, list[Left]] = {}

    def __len__(self) -> int:
        return len(self._met)

    def covers(self, state: str, left: Left) -> bool:
        """Whether all that can follow is played from elsewhere; if not, it is from here."""
        met = self._met.setdefault(state, [])
        if any(all(more >= less for more, less in zip(most, left, strict=True)) for most in met):
            return True
        met.append(left)
        return False


def play(template: Template, schedule: Schedule, known: Known | None = None, left: Left = (0, 0, 0)) -> Run:
    """Play one schedule, to its end or to a state that is ``known``, and hold it against the invariants."""
    world = World(template, schedule) if known is None else World(template, schedule, _joining(known, left))
    broken: list[str] = []
    try:
        world.play()
    except NeverIdleError as error:
        broken.append(str(error))
    except _Joined:
        require_timely(world)
        return Run(schedule, None, tuple(world.trace), (), _unfired(world))
    except Exception as error:
        broken.append(f"a worker fell over with {type(error).__name__}")
    if known is not None:
        require_timely(world)
    state, wrong = violations(world)
    broken += (*_unfired(world), *wrong)
    return Run(schedule, state, tuple(world.trace), tuple(world.calls()), tuple(broken), state_of(world))


def explore(
    template: Template,
    *,
    faults: int,
    pauses: int = 0,
    restores: int = 0,
    share: tuple[int, int] = (0, 1),
    every: bool = False,
    joining: bool = True,
) -> Iterator[Run]:
    """
    Play every schedule with at most so many faults, pauses in which another worker steps in, and forgetful databases.

    ``share`` (i, n) plays the i-th of n parts of the schedules. Where several things go wrong, one fault stands for
    all of its outcome, unless ``every`` is set. Without ``joining`` each is played to its end.
    """
    subject, bound = template.subject, (faults, pauses, restores)
    known = Known() if joining else None
    first = play(template, (), known, bound)
    yield first
    everything = possible(first.trace, subject.faults, forgetting=restores > 0)
    alone: list[Schedule] = [(injection,) for injection in everything]
    pending = deque([schedule for schedule in alone if _left(schedule, subject.lies, bound)][share[0] :: share[1]])
    while pending:
        schedule = pending.popleft()  # those with the most left first: the others join them
        left = _left(schedule, subject.lies, bound) or (0, 0, 0)
        if not every and not _representative(schedule[-1], subject.classes):
            left = (0, 0, 0)
        run = play(template, schedule, known, left)
        yield run
        if left == (0, 0, 0):
            continue
        next_faults = subject.faults if every else subject.classes
        for injection in possible(run.trace, next_faults, schedule[-1].at, forgetting=left[2] > 0):
            longer = (*schedule, injection)
            if _left(longer, subject.lies, bound):
                pending.append(longer)


def _joining(known: Known, left: Left) -> Callable[[World], str]:
    met: set[str] = set()

    def look(world: World) -> str:
        over = len(world.fired) == len(world.schedule)
        if not over and not any(action in PAUSES for action in world.schedule.values()):
            return ""  # nobody will ask
        state = state_of(world)
        # While the database may still go back, the past counts too.
        if over and not left[2] and state not in met:
            if known.covers(state, left):
                raise _Joined
            met.add(state)
        return state

    return look


def _unfired(world: World) -> tuple[str, ...]:
    """Say what did not go wrong although it should have."""
    broken = []
    if missed := sorted(set(world.schedule) - world.fired):
        broken.append(f"moments {missed} were never reached, so nothing went wrong there")
    if unfired := world.double.faults.unfired:
        broken.append(f"faults {unfired} never fired")
    return tuple(broken)


def _representative(last: Injection, classes: Collection[str]) -> bool:
    return last.action in (*ANYWHERE, EXPIRE, *classes) or earlier(last.action) is not None


def _left(schedule: Schedule, lies: Collection[str], bound: Left) -> Left | None:
    """Give what may still go wrong; None when this is too much already."""
    actions = [injection.action for injection in schedule]
    if any(action in lies for action in actions):
        return (0, 0, 0) if len(actions) == 1 else None
    paused = sum(action in PAUSES for action in actions)
    restored = sum(earlier(action) is not None for action in actions)
    left = bound[0] - (len(actions) - paused - restored), bound[1] - paused, bound[2] - restored
    return left if min(left) >= 0 else None
