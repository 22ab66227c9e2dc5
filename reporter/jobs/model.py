"""Plain types of jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Job:
    """
    Something that runs ``every`` so often, in slices: ``run`` does what is due, within a minute or so, and returns.

    A run that has said nothing for ``lease`` is taken for dead and another worker runs the job, so that running twice
    at once must do no harm. It fails by raising; it is then tried again soon, and a person hears of it.
    """

    name: str
    every: timedelta
    run: Callable[[], object]
    lease: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Standing:
    """
    How a job stands: None where it never began or ended.

    ``trouble`` says why the last run failed, empty where it did not; while ``running``, ``next_at`` is when its lease
    ends.
    """

    name: str
    every: timedelta
    running: bool = False
    began_at: datetime | None = None
    ended_at: datetime | None = None
    next_at: datetime | None = None
    failing_since: datetime | None = None
    trouble: str = ""
