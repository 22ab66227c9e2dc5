"""Schedules: what goes wrong at which moment of a run, written so that a person can replay it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Moment(StrEnum):
    """The kinds of moment at which something can go wrong."""

    BEFORE_CALL = "before_call"
    AFTER_CALL = "after_call"
    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"


#: The process dies.
CRASH = "crash"
#: The worker is paused past its lease, another works until nothing is due, then the first goes on where it stood.
PAUSE = "pause"
#: The same, but the other worker only carries on what is due at that moment.
PAUSE_BRIEFLY = "pause_briefly"
#: So much time passes that an unfinished draft expires at the authority.
EXPIRE = "expire"

#: The database goes back to what it was at an earlier moment, "restore to 4", and every worker dies.
RESTORE = "restore to"
#: The same under the workers, which go on: a failover that lost what came after that moment.
FAIL_OVER = "fail over to"

PAUSES = (PAUSE, PAUSE_BRIEFLY)

#: What can happen at any moment, besides faults of the network and the authority, which need a call.
ANYWHERE = (CRASH, *PAUSES)


@dataclass(frozen=True, slots=True, order=True)
class Injection:
    """One thing that goes wrong: at the ``at``-th moment of the run, a word above or a line of a fault script."""

    at: int
    action: str

    def __str__(self) -> str:
        return f"{self.at}={self.action}"


Schedule = tuple[Injection, ...]


def written(schedule: Schedule) -> str:
    """Write a schedule on one line; ``read`` reads it back."""
    return "; ".join(str(injection) for injection in schedule)


def read(text: str) -> Schedule:
    """Read a schedule that ``written`` wrote."""
    parts = [part.partition("=") for part in text.split(";") if part.strip()]
    return tuple(Injection(int(at), action.strip()) for at, _, action in parts)


def earlier(action: str) -> int | None:
    """Give the moment to which an action takes the database back, if it does."""
    words, _, moment = action.rpartition(" ")
    return int(moment) if words in (RESTORE, FAIL_OVER) else None


def possible(
    trace: Sequence[Moment], faults: Sequence[str], after: int = -1, *, forgetting: bool = False
) -> list[Injection]:
    """
    Give everything that can go wrong in a run with these moments, later than the ``after``-th.

    ``forgetting`` has the database go back, too: to its beginning, or to right after any commit.
    """
    injections = []
    for at, moment in enumerate(trace):
        if at <= after:
            continue
        actions = [*ANYWHERE, *((EXPIRE, *faults) if moment is Moment.BEFORE_CALL else ())]
        if forgetting:
            commits = [past for past in range(at) if trace[past] is Moment.AFTER_COMMIT]
            actions += [f"{word} {past}" for word in (RESTORE, FAIL_OVER) for past in (0, *commits)]
        injections += [Injection(at, action) for action in actions]
    return injections
