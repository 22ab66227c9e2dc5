"""
What a world comes to: two worlds of the same state have the same futures.

A worker that has just claimed, or committed, knows what the ledger says and nothing besides. So everything on which
the rest of a run depends is then in the database, the object store, the authority and the clock, and in workers that
are paused further up. ``state_of`` writes that down, and leaves out only what cannot make a difference:

- Random ids are numbered in the order in which they come up. The program compares them and never looks into them.
- Times are written as ages, and all ages below ``_YOUNG`` as one, all from the subject's ``expiry`` on as one. What
  compares times asks whether a draft is stale or has expired, hours later; ``require_timely`` holds that no run comes
  near. A plan that looks up whether a report arrived compares minutes: there ages stay as they are.
- An attempt that is over: a later one has begun, it never came to its filing call, each draft whose id it learnt is
  gone at the authority, and no paused worker was at it. Nobody calls for it any more. Its drafts are left out at the
  authority too, and so are drafts whose id no answer has told, or told only workers that are dead.
- A call that taught nothing, was not refused, and was made again since: what counts is the later one. Of calls that
  file, only one that did nothing, or whose answer was lost as that of the later one was. Where no plan looks up, a lost
  answer and one that nobody has written are the same.
- How many attempts there were and how long the waits are: a worker waits for what is due, whenever that is.
- Words for people, request ids, sealed copies and the custody log, by which nothing is decided.

A paused worker is written as the state at its last look at the ledger and what went wrong from there to its pause:
that is all it knows. One that has been overtaken, or whose database went back, makes its world differ from all others.
Whatever else the double or a table holds is compared to the letter, so that what is new there makes worlds differ
rather than look the same.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import ModuleType
from typing import Any

from reporter.authority import Outcome
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
from reporter.testing.simulation.world import PAUSED_FOR, AtWork, World

#: Below this an age is as good as none: shorter than whatever a draft's life is measured in.
_YOUNG = timedelta(hours=1)
#: Runs that may be compared take less than this without the time in which drafts expire, so that two make no hour.
_LONGEST = _YOUNG / 2
#: Columns by which nothing is decided.
_UNREAD = frozenset({"position", "code", "http_status", "request_id", "reason", "owner", "fence"})
#: Columns of which it counts only whether there is a value.
_ANY = frozenset({"available_at"})
#: Attributes of a double that are no memory of the authority's: the journal, and what is written elsewhere.
_OUTSIDE = frozenset({"clock", "requests", "faults"})
_TABLES = (Submission, Delivery, LedgerEntry, LateAnswer, LanePause, Circuit, Quarantine, Generation, ForgottenFiling)
_QUERIES = {kind: f"SELECT * FROM {kind.__tablename__}" for kind in _TABLES}  # noqa: S608
#: A moment as SQLite holds it.
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{6}")
#: After these nothing has happened at the authority.
_FOR_NOTHING = (Outcome.NOT_SENT, Outcome.RETRYABLE, Outcome.UNAUTHORISED)
#: Bytes beyond this are compared by digest, so that an id in them makes worlds differ.
_LONG = 4 << 10
#: What is random: our ids and tokens, and the ids of doubles, in hexadecimal or of nine digits.
_RANDOM = re.compile(r"(?<![0-9a-zA-Z])(?:[0-9a-f]{32}|[1-9][0-9]{8})(?![0-9a-zA-Z])")

_Row = dict[str, Any]
_Age = Callable[[datetime], str]


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


def state_of(world: World) -> str:
    """Give a digest of all on which the rest of the run depends."""
    written = "\n".join(_lines(world))
    names: dict[str, str] = {}
    numbered = _RANDOM.sub(lambda found: names.setdefault(found[0], f"#{len(names)}"), written)
    return hashlib.sha256(numbered.encode()).hexdigest()


def _lines(world: World) -> Iterator[str]:
    age = _ages(world)
    rows = _rows(world)
    calls = sorted(rows.pop(LedgerEntry), key=lambda row: (row["submission_id"], row["position"]))
    late = {row["entry_id"]: row for row in rows.pop(LateAnswer)}
    past = _Past(world, calls, late, age)
    present = [call for at, call in enumerate(calls) if past.counts(call, calls[at + 1 :])]
    attempts = sorted({call["attempt"] for call in present})
    fences = [worker.fence for worker in world.at_work]
    for call in present:
        numbers = {
            "attempt": attempts.index(call["attempt"]),
            "by": fences.index(call["fence"]) if call["fence"] in fences else None,
        }
        written = past.read(call)
        yield repr((numbers, _row(written, age, {"attempt"}), _row(late.get(call["id"], {}), age)))
    for kind, held in rows.items():
        yield repr((kind.__name__, [_row(each, age) for each in held]))
    for name, marker in world.markers.all():
        attempt = attempts.index(marker.attempt) if marker.attempt in attempts else marker.attempt
        known = any(call["id"] == marker.entry for call in calls)  # which one it is, nobody asks
        yield repr((name, known or marker.entry, attempt, marker.draft, marker.decision))
    for worker in _interrupted(world):
        how = "resuming" if worker.resuming else worker.paused
        yield repr((worker.state, worker.position, how, id(worker) if worker.adrift else ""))
    kept = {call["id"] for call in calls if call["outcome"]} | set(late)
    yield repr((world.forgot, world.lied, world.late_changes, sorted(world.receipts - kept)))
    yield repr((world.unannounced, world.double.faults.unfired))
    yield from _memory(world.double, past.dropped, age)


def _interrupted(world: World) -> list[AtWork]:
    """Give the workers that know less than the ledger says: the others have just looked at it."""
    return [worker for worker in world.at_work if worker is not world.at_work[-1] or worker.resuming]


class _Past:
    """What is over: attempts, calls, and drafts at the authority, that nobody of us comes back to."""

    def __init__(self, world: World, calls: Sequence[_Row], late: Mapping[str, _Row], age: _Age) -> None:
        self._plan, self._late, self._age = world.template.plan, late, age
        self._at_work = {worker.fence for worker in world.at_work}
        self._paused = {worker.fence for worker in _interrupted(world)}
        held = list(world.template.subject.held(world.double))
        gone = {report.reference for report in held if report.gone}
        learnt: dict[int, set[str]] = {}
        for call in calls:
            told = [call["ids"], late.get(call["id"], {}).get("ids", "{}")]
            learnt.setdefault(call["attempt"], set()).update(v for ids in told for v in json.loads(ids).values())
        kept = {max(learnt, default=0)}
        kept |= {
            call["attempt"] for call in calls if call["step"] == self._plan.final.key or call["fence"] in self._paused
        }
        kept |= {attempt for attempt, ids in learnt.items() if ids & {report.reference for report in held} - gone}
        self.over = set(learnt) - kept if self._plan.look_up is None else set()
        needed = {value for attempt in learnt.keys() - self.over for value in learnt[attempt]}
        closed = {value for attempt in self.over for value in learnt[attempt]} & gone
        told_anybody = {value for answer in world.bench.tap.answers for value in answer.ids.values()}
        ours = set.union(*learnt.values()) if learnt else set()
        known = ours | told_anybody if self._paused else ours
        strange = {report.reference for report in held if not report.filed} - known
        self.dropped = (closed | strange) - needed - {""}

    def counts(self, call: _Row, later: Sequence[_Row]) -> bool:
        """Whether anything can still depend on a call, given those made since."""
        if call["attempt"] in self.over:
            return False
        superseded = any(self._same(call) == self._same(other) for other in later)
        if call["step"] == self._plan.final.key:
            outcome = self.read(call)["outcome"]
            again = any(
                self._same(call) == self._same(other) and self.read(other)["outcome"] == outcome for other in later
            )
            superseded = (superseded and outcome in _FOR_NOTHING) or (again and outcome == Outcome.UNKNOWN)
        return not (
            superseded
            and self._plan.look_up is None
            and call["fence"] not in self._paused
            and call["id"] not in self._late
            and (call["ids"], call["discrepancy"]) == ("{}", "")
            and call["outcome"] != Outcome.REJECTED
        )

    def _same(self, call: _Row) -> tuple[int, str, str]:
        return call["attempt"], call["step"], self._age(call["intent_at"])

    def read(self, call: _Row) -> _Row:
        """Give a call as the engine reads it."""
        if call["outcome"] is None and self._plan.look_up is None and call["fence"] not in self._at_work:
            return {**call, "outcome": Outcome.UNKNOWN.value, "outcome_at": call["intent_at"]}
        return call


def _ages(world: World) -> _Age:
    now, expiry, exact = world.clock.now(), world.template.subject.expiry, world.template.plan.look_up is not None

    def age(moment: datetime) -> str:
        passed = now - moment
        if exact or not (abs(passed) < _YOUNG or passed >= expiry):
            return str(passed)
        return "old" if passed >= expiry else "young"

    return age


def _rows(world: World) -> dict[type, list[_Row]]:
    """Read whole tables past SQLAlchemy: this is done at every step of every run."""
    connection = world.database.raw_connection()
    try:
        rows: dict[type, list[_Row]] = {}
        for kind, query in _QUERIES.items():
            cursor = connection.cursor().execute(query)
            names = [column[0] for column in cursor.description]
            rows[kind] = [dict(zip(names, map(_value, row), strict=True)) for row in cursor]
        return rows
    finally:
        connection.close()


def _value(stored: Any) -> Any:
    if isinstance(stored, str) and _MOMENT.fullmatch(stored):
        return datetime.fromisoformat(stored).replace(tzinfo=UTC)
    return stored


def _row(row: Mapping[str, Any], age: _Age, besides: Collection[str] = ()) -> list[object]:
    read = [
        (name, value is not None if name in _ANY else value)
        for name, value in row.items()
        if name not in _UNREAD and name not in besides
    ]
    return [(name, age(value) if isinstance(value, datetime) else value) for name, value in read]


def _memory(value: Any, dropped: Collection[str], age: _Age) -> Iterator[str]:
    """Write down all that an object holds, to the letter but for times and what is dropped."""
    match value:
        case datetime():
            yield age(value)
        case bytes() if len(value) > _LONG:
            yield hashlib.sha256(value).hexdigest()
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
