"""
What a world comes to at a claim: two worlds of the same state have the same futures.

A worker that has just claimed knows nothing yet: it reads all from the database, the object store and the authority. So
everything on which the rest of a run depends is in those three, in the clock, and in workers that are paused further
up. ``state_of`` writes that down, and leaves out only what cannot make a difference:

- Random ids are numbered in the order in which they come up. The program compares them and never looks into them.
- Times are written as ages, and all ages below ``_YOUNG`` as one, all from the subject's ``expiry`` on as one. What
  compares times asks whether a draft is stale or has expired, hours later; ``require_timely`` holds that no run comes
  near. A plan that looks up whether a report arrived compares minutes: there ages stay as they are.
- An attempt that is over: a later one has begun, it never came to its filing call, each draft whose id it learnt is
  gone at the authority, and no paused worker was at it. Nobody calls for it any more. Its drafts are left out at the
  authority too, and so are, while no worker is paused, drafts whose id nobody of us has learnt.
- How many attempts there were and how long the waits are: a worker waits for what is due, whenever that is.
- Words for people, request ids, sealed copies and the custody log, by which nothing is decided.

A paused worker is written as the state at its claim and what went wrong from there to its pause: that is all it knows.
Whatever else the double or a table holds is compared to the letter, so that what is new there makes worlds differ
rather than look the same.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from enum import Enum
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, select

from reporter.delivery.model import Claim
from reporter.delivery.tables import (
    Circuit,
    Delivery,
    ForgottenFiling,
    Generation,
    LanePause,
    LateAnswer,
    LedgerEntry,
    Quarantine,
)
from reporter.submissions.tables import Submission
from reporter.testing.simulation.world import PAUSED_FOR, World

#: Below this an age is as good as none: shorter than whatever a draft's life is measured in.
_YOUNG = timedelta(hours=1)
#: Runs that may be compared take less than this without the time in which drafts expire, so that two make no hour.
_LONGEST = _YOUNG / 2
#: Columns by which nothing is decided.
_UNREAD = frozenset(
    {"position", "code", "http_status", "request_id", "reason", "exchange_body", "owner", "fence", "available_at"}
)
#: Attributes of a double that are no memory of the authority's: the journal, and what is written elsewhere.
_OUTSIDE = frozenset({"clock", "requests", "faults"})
_TABLES = (Submission, Delivery, LanePause, Circuit, Quarantine, Generation, ForgottenFiling)
#: What is random: our ids and tokens, and the ids of doubles, in hexadecimal or of nine digits.
_RANDOM = re.compile(r"(?<![0-9a-zA-Z])(?:[0-9a-f]{32}|[1-9][0-9]{8})(?![0-9a-zA-Z])")


class TooSlowError(AssertionError):
    """A run took so long that ages cannot be told apart by hours alone."""


def require_timely(world: World) -> None:
    """
    Hold that a run is short enough for its ages to be written as they are here.

    Raises:
        TooSlowError: It is not; explore this subject without joining.
    """
    if world.template.plan.look_up is None and (world.elapsed > _LONGEST or world.longest_wait > PAUSED_FOR):
        raise TooSlowError(f"a run took {world.elapsed} and waited {world.longest_wait} at most")


def state_of(world: World, claim: Claim | None = None) -> str:
    """Give a digest of all on which the rest of the run depends; ``claim`` is that of the worker that begins now."""
    written = "\n".join(_lines(world, claim))
    names: dict[str, str] = {}
    numbered = _RANDOM.sub(lambda found: names.setdefault(found[0], f"#{len(names)}"), written)
    return hashlib.sha256(numbered.encode()).hexdigest()


def _lines(world: World, claim: Claim | None) -> Iterator[str]:
    age = _ages(world)
    with world.database.connect() as connection:
        tables = {kind.__name__: _rows(connection, kind) for kind in _TABLES}
        calls = sorted(_rows(connection, LedgerEntry), key=lambda row: (row["submission_id"], row["position"]))
        late = {row["entry_id"]: row for row in _rows(connection, LateAnswer)}
    fences = sorted({call["fence"] for call in calls} | {frame.fence for frame in world.at_work})
    past = _Past(world, calls, late)
    attempts = sorted({call["attempt"] for call in calls} - past.over)
    for call in calls:
        if call["attempt"] in past.over:
            continue
        numbers = {"attempt": attempts.index(call["attempt"]), "by": fences.index(call["fence"])}
        yield repr((numbers, _row(call, age, {"attempt"}), _row(late.get(call["id"], {}), age)))
    for name, rows in tables.items():
        yield repr((name, [_row(row, age) for row in rows]))
    for name, marker in world.markers.all():
        attempt = attempts.index(marker.attempt) if marker.attempt in attempts else marker.attempt
        yield repr((name, marker.entry, attempt, marker.draft))
    paused = []
    for number, frame in enumerate(world.at_work):
        until = world.at_work[number + 1].since if number + 1 < len(world.at_work) else len(world.trace)
        wrong = [(each.at - frame.since, each.action) for each in world.wrong_before(until) if each.at >= frame.since]
        paused.append((frame.state, until - frame.since, wrong, fences.index(frame.fence)))
    kept = {call["id"] for call in calls if call["outcome"]} | set(late)
    yield repr((paused, claim is None, world.forgot, world.lied, world.late_changes, sorted(world.receipts - kept)))
    yield repr((world.seen() - len(calls), world.double.faults.unfired))
    yield from _memory(world.double, past.dropped, age)


class _Past:
    """What is over: attempts, and drafts at the authority, that nobody of us calls for any more."""

    def __init__(self, world: World, calls: list[dict[str, Any]], late: Mapping[str, dict[str, Any]]) -> None:
        plan, held = world.template.plan, list(world.template.subject.held(world.double))
        gone = {report.reference for report in held if report.gone}
        drafts = {report.reference for report in held if not report.filed}
        learnt: dict[int, set[str]] = {}
        for call in calls:
            told = [call["ids"], late.get(call["id"], {}).get("ids", "{}")]
            learnt.setdefault(call["attempt"], set()).update(v for ids in told for v in json.loads(ids).values())
        at_work = {frame.fence for frame in world.at_work}
        present = {max(learnt, default=0)}
        present |= {call["attempt"] for call in calls if call["step"] == plan.final.key or call["fence"] in at_work}
        present |= {attempt for attempt, ids in learnt.items() if ids & {r.reference for r in held} - gone}
        self.over = set(learnt) - present if plan.look_up is None else set()
        needed = {value for attempt, ids in learnt.items() if attempt not in self.over for value in ids}
        closed = {value for attempt in self.over for value in learnt[attempt]} & gone
        strange = drafts - {value for ids in learnt.values() for value in ids} if not world.at_work else set()
        self.dropped = (closed | strange) - needed - {""}


def _ages(world: World) -> Callable[[datetime], str]:
    now, expiry, exact = world.clock.now(), world.template.subject.expiry, world.template.plan.look_up is not None

    def age(moment: datetime) -> str:
        passed = now - moment
        if exact or not (abs(passed) < _YOUNG or passed >= expiry):
            return str(passed)
        return "old" if passed >= expiry else "young"

    return age


def _rows(connection: Connection, kind: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(kind.__table__)).mappings()]


def _row(row: Mapping[str, Any], age: Callable[[datetime], str], besides: Collection[str] = ()) -> list[object]:
    read = [(name, value) for name, value in row.items() if name not in _UNREAD and name not in besides]
    return [(name, age(value) if isinstance(value, datetime) else value) for name, value in read]


def _memory(value: Any, dropped: Collection[str], age: Callable[[datetime], str]) -> Iterator[str]:
    """Write down all that an object holds, to the letter but for times and what is dropped."""
    match value:
        case datetime():
            yield age(value)
        case None | bool() | int() | float() | str() | bytes() | Enum() | timedelta():
            yield repr(value)
        case Mapping():
            for key, held in value.items():
                if key not in dropped:
                    yield from ("{", *_memory(key, (), age), *_memory(held, dropped, age), "}")
        case list() | tuple():
            for held in value:
                yield from ("[", *_memory(held, dropped, age), "]")
        case set() | frozenset():
            yield from ("<", *sorted(repr(held) for held in value), ">")
        case _ if callable(value) or isinstance(value, ModuleType):
            return
        case _:
            yield type(value).__qualname__
            for name, held in _attributes(value):
                if name not in _OUTSIDE:
                    yield from (name, *_memory(held, dropped, age))


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    if dataclasses.is_dataclass(value):
        yield from ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
    else:
        yield from vars(value).items() if hasattr(value, "__dict__") else ()
