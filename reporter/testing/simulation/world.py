"""One run: a world with one approved submission, worked under one schedule."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import event, text

from reporter.authority import Call, Environment, Outcome, Package, Plan
from reporter.clock import Clock
from reporter.delivery.generations import Generations
from reporter.delivery.ledger import Concluded, Ledger
from reporter.delivery.markers import Markers
from reporter.delivery.model import Claim, Entry, Pause, Perform, Settle, lane_name
from reporter.delivery.quarantine import QuarantineService
from reporter.evidence.bodies import BodyVault
from reporter.testing.bench import LEASE, Bench, fresh_bodies, fresh_database
from reporter.testing.clock import FakeClock
from reporter.testing.contract.subject import AdapterSubject
from reporter.testing.simulation.schedule import (
    CRASH,
    EXPIRE,
    PAUSE,
    PAUSE_BRIEFLY,
    RESTORE,
    Moment,
    Schedule,
    earlier,
)

#: How long a worker stands still when it is paused; the lease has passed on by then.
PAUSED_FOR = LEASE * 2
#: More rounds than any run with a bounded number of faults needs; a run that is not idle by then never will be.
_ROUNDS = 80
_LANE = lane_name("bench", Environment.SANDBOX)


class Crash(BaseException):
    """The worker dies at this moment."""


class NeverIdleError(AssertionError):
    """The delivery neither ended nor asked for a person."""


@dataclass(frozen=True, slots=True)
class Template:
    """A database with one approved submission, made once; every run starts from a copy of it."""

    subject: AdapterSubject
    files: Mapping[str, bytes]
    package: Package
    submission_id: str
    database: Database
    bodies: BodyVault
    _pristine: sqlite3.Connection

    @classmethod
    def make(cls, folder: Path, subject: AdapterSubject, files: Mapping[str, bytes]) -> Template:
        """Approve a package with these files, in a database of its own."""
        database, bodies, package = fresh_database(folder), fresh_bodies(folder), subject.package(files)
        event.listen(database, "connect", _without_power_cuts)
        bench = Bench(
            database, bodies, clock := FakeClock(), subject.adapter, subject.connect(subject.double(clock)), lane=_LANE
        )
        submission_id = bench.submit(package, files)
        return cls(subject, files, package, submission_id, database, bodies, _copy_of(database))

    @property
    def plan(self) -> Plan:
        """The plan of the package."""
        return self.subject.adapter.plan(self.package)

    def restore(self, dump: sqlite3.Connection | None = None) -> None:
        """Put the world's database back to a dump, or to where every run starts."""
        connection = self.database.raw_connection()
        try:
            (dump or self._pristine).backup(connection.driver_connection)  # type: ignore[arg-type]
        finally:
            connection.close()

    def dump(self) -> sqlite3.Connection:
        """Give a copy of the world's database as it is."""
        return _copy_of(self.database)


@dataclass(slots=True)
class AtWork:
    """
    A worker at work, with the fence it holds.

    ``state`` is what the world came to when its knowledge was last that of the ledger, at the moment ``since``. While
    it is ``paused``, and when it is ``resuming``, ``position`` is where it stands and what went wrong on the way there.
    It is ``adrift`` once the ledger has gone back, or on for a second time, without it.
    """

    fence: int
    claim: int
    since: int
    state: str = ""
    paused: str = ""
    position: str = ""
    resuming: bool = False
    adrift: bool = False


class World:
    """
    A copy of the template in which one schedule is played.

    ``look`` is given the world whenever a worker knows just what the ledger says, after its claim and after each of
    its commits, and gives what the world came to.
    """

    def __init__(
        self, template: Template, schedule: Schedule, look: Callable[[World], str] = lambda _world: ""
    ) -> None:
        template.restore()
        random.seed(0)  # by which the engine spaces what was never sent
        self.template, self.schedule = template, {injection.at: injection.action for injection in schedule}
        subject, self._look = template.subject, look
        self.clock = FakeClock()
        self.began = self.clock.now()
        self.double: Any = subject.double(self.clock)
        self.database = template.database
        self.bench = Bench(
            self.database, template.bodies, self.clock, subject.adapter, subject.connect(self.double), lane=_LANE,
            ledger=self._watched_ledger,
        )  # fmt: skip
        self.bench.carries(template.submission_id, template.package, template.files)
        self.bench.tap.before, self.bench.tap.after = self._before_call, self._after_call
        self.queue, self.ledger, self.markers = self.bench.queue, self.bench.ledger, Markers(self.bench.store)
        self._quarantine = QuarantineService(
            self.database, self.clock, self.markers, Generations(self.database, self.bench.store), people=1
        )
        self.trace: list[Moment] = []
        self.fired: set[int] = set()
        self.late_changes = False
        self.unannounced = False
        self._requests = 0
        self.receipts: set[str] = set()
        self.at_work: list[AtWork] = []
        self._claims = 0
        self.longest_wait = timedelta(0)
        self._after_pause: list[str] = []
        self._wanted = {earlier(action) for action in self.schedule.values()} - {None, 0}
        self._dumps: dict[int, sqlite3.Connection] = {}

    def play(self) -> None:
        """
        Work until nothing is due; what stands still for want of a person is mended or released, and goes on.

        Raises:
            NeverIdleError: It does not come to an end.
        """
        self._until_idle("worker")
        while self._mended():
            self._until_idle("worker")

    @property
    def forgot(self) -> bool:
        """Whether the database went back to an earlier moment."""
        return any(earlier(self.schedule[at]) is not None for at in self.fired)

    @property
    def lied(self) -> bool:
        """Whether the authority said what is not so."""
        return any(self.schedule[at] in self.template.subject.lies for at in self.fired)

    @property
    def elapsed(self) -> timedelta:
        """How much time has passed, but for what made drafts expire."""
        expired = sum(self.schedule[at] == EXPIRE for at in self.fired)
        return self.clock.now() - self.began - expired * self.template.subject.expiry

    def calls(self) -> list[Entry]:
        """Give every call of the ledger, oldest first."""
        return self.bench.calls(self.template.submission_id)

    def _mended(self) -> bool:
        if self._quarantine.standing() is not None:
            return self._quarantine.release("person", "looked at it")
        return self.queue.resume(_LANE, "person")

    # --- the workers ----------------------------------------------------------------------------------------

    def _until_idle(self, owner: str) -> int:
        worked = 0
        for _ in range(_ROUNDS):
            if self.once(owner):
                worked += 1
                continue
            due = self.queue.next_due([_LANE])
            if due is None:
                return worked
            self.clock.advance_to(due)
        raise NeverIdleError(f"still not idle after {_ROUNDS} rounds")

    def once(self, owner: str) -> bool:
        """Claim and work one delivery, and see that a worker which was overtaken meanwhile changed nothing."""
        claim = self.queue.claim(owner, [_LANE])
        if claim is None:
            return False
        pauses = len(self._after_pause)
        self._claims += 1
        self.at_work.append(AtWork(claim.fence, self._claims, len(self.trace)))
        try:
            self._looked_at(self.at_work[-1])
            with suppress(Crash):
                self.bench.engine.work(claim)
        finally:
            self.at_work.pop()
        if len(self._after_pause) > pauses and self._after_pause[-1] != self._snapshot():
            self.late_changes = True
        del self._after_pause[pauses:]
        return True

    def _looked_at(self, worker: AtWork) -> None:
        worker.adrift = worker.adrift or worker.claim != self._claims
        if not worker.adrift:
            worker.state, worker.since = self._look(self), len(self.trace)

    def _snapshot(self) -> str:
        """Give everything that a late worker must not change."""
        with self.database.connect() as connection:
            tables = ("submission", "delivery", "ledger_entry", "custody_outbox")
            return repr([connection.execute(text(f"SELECT * FROM {table}")).all() for table in tables])  # noqa: S608

    # --- the moments ----------------------------------------------------------------------------------------

    def reach(self, moment: Moment) -> None:
        """Stand at the next moment of the run, and let happen what the schedule has for it."""
        at = len(self.trace)
        action = self.schedule.get(at)
        if moment is Moment.AFTER_COMMIT and action is None:
            self._looked_at(self.at_work[-1])
        self.trace.append(moment)
        if at in self._wanted:
            self._dumps[at] = self.template.dump()
        if action is None:
            return
        self.fired.add(at)
        if action == CRASH:
            raise Crash
        past = earlier(action)
        if past is not None:
            self.template.restore(self._dumps[past] if past else None)
            for worker in self.at_work:
                worker.adrift = True
            if action.startswith(RESTORE):
                raise Crash
        elif action == EXPIRE:
            self.clock.advance(self.template.subject.expiry)
        elif action in (PAUSE, PAUSE_BRIEFLY):
            self.clock.advance(PAUSED_FOR)
            self._paused(self.at_work[-1], at)
            overtaken = self.once("other") if action == PAUSE_BRIEFLY else self._until_idle("other")
            if overtaken:
                self._after_pause.append(self._snapshot())
                self.at_work[-1].resuming = True
                self._look(self)
        else:
            self.double.faults.add(f"*:1 {action}")

    def _paused(self, worker: AtWork, at: int) -> None:
        """Note where a worker is paused, and what went wrong on the way there."""
        wrong = [(past - worker.since, self.schedule[past]) for past in sorted(self.fired) if worker.since <= past < at]
        worker.paused, worker.position = self.schedule[at], repr((at - worker.since, wrong))
        worker.adrift = worker.adrift or worker.claim != self._claims

    def _before_call(self, call: Call) -> None:
        self.reach(Moment.BEFORE_CALL)
        query = text("SELECT count(*) FROM ledger_entry WHERE step = :step AND fence = :fence AND outcome IS NULL")
        of = {"step": call.step.key, "fence": self.at_work[-1].fence}
        with self.database.connect() as connection:
            announced = connection.execute(query, of).scalar_one()
        self.unannounced = self.unannounced or not (announced or self.forgot)
        self._requests = len(self.double.requests)

    def _after_call(self, _call: Call) -> None:
        self.unannounced = self.unannounced or len(self.double.requests) > self._requests + 1
        self.reach(Moment.AFTER_CALL)

    def _watched_ledger(self, database: Database, bodies: BodyVault, clock: Clock, lease: timedelta) -> Ledger:
        return _WatchedLedger(self, database, bodies, clock, lease)


class _WatchedLedger(Ledger):
    """The ledger itself, with a moment before and after each commit."""

    def __init__(self, world: World, database: Database, bodies: BodyVault, clock: Clock, lease: timedelta) -> None:
        super().__init__(database, bodies, clock, lease)
        self._world = world

    def advance(
        self, claim: Claim, concluded: Concluded | None, move: Perform | Settle | Pause, position: int
    ) -> Entry | None:
        """Commit between two moments."""
        world = self._world
        world.reach(Moment.BEFORE_COMMIT)
        if concluded is not None and concluded.answer.reference and concluded.answer.outcome is Outcome.ACCEPTED:
            world.receipts.add(concluded.entry.id)
        entry = super().advance(claim, concluded, move, position)
        if isinstance(move, Perform):
            world.longest_wait = max(world.longest_wait, move.not_before - world.clock.now())
        world.reach(Moment.AFTER_COMMIT)
        return entry


def _copy_of(database: Database) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:")
    connection = database.raw_connection()
    try:
        connection.driver_connection.backup(copy)  # type: ignore[union-attr]
    finally:
        connection.close()
    return copy


def _without_power_cuts(connection: Any, _record: Any) -> None:
    """Spare the disk: a simulated worker dies, the machine under it does not."""
    connection.execute("PRAGMA synchronous=OFF")
