"""One run: a world with one approved submission, worked under one schedule."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine as Database
from sqlalchemy import text

from reporter.authority import Answer, Call, Endpoint, Environment, Outcome
from reporter.config import Delivery
from reporter.db.engine import open_engine, sqlite_url
from reporter.delivery.engine import Engine, Load
from reporter.delivery.generations import Generations
from reporter.delivery.ledger import Concluded, Ledger
from reporter.delivery.markers import Markers
from reporter.delivery.model import Claim, Entry, Pause, Perform, Settle
from reporter.delivery.quarantine import QuarantineService
from reporter.delivery.queue import Queue
from reporter.evidence.bodies import BodyVault
from reporter.testing.clock import FakeClock
from reporter.testing.house import House
from reporter.testing.objects import MemoryStore
from reporter.testing.simulation.schedule import CRASH, EXPIRE, PAUSE, PAUSE_BRIEFLY, RESTORE, Moment, Schedule, earlier
from reporter.testing.simulation.subject import Subject

REFERENCE = "SIMULATED-1"
#: More rounds than any run with a bounded number of faults needs; a run that is not idle by then never will be.
_ROUNDS = 80
_LEASE = timedelta(seconds=180)
_NAME = "simulation"


class Crash(BaseException):
    """The worker dies at this moment."""


class NeverIdleError(AssertionError):
    """The delivery neither ended nor asked for a person."""


@dataclass(frozen=True, slots=True)
class Template:
    """A home with one approved submission, made once; every run starts from a copy of its database."""

    house: House
    subject: Subject
    files: Mapping[str, bytes]
    load: Load
    engine: Database
    _pristine: sqlite3.Connection

    @classmethod
    def make(cls, folder: Path, subject: Subject, files: Mapping[str, bytes]) -> Template:
        """Set up the home and approve the case."""
        house = House(folder, authority=subject.authority)
        house.approved(REFERENCE, files)
        pristine = sqlite3.connect(":memory:")
        with closing(sqlite3.connect(folder / "home" / "reporter.sqlite3")) as live:
            live.backup(pristine)
        claim = house.app.deliveries.queue.claim("template", house.app.deliveries.lanes)
        if claim is None:
            raise AssertionError("the approved submission is not in the queue")
        load = house.app.deliveries.load(claim)
        house.app.close()
        return cls(house, subject, files, load, open_engine(sqlite_url(folder / "world.sqlite3")), pristine)

    def restore(self, dump: sqlite3.Connection | None = None) -> None:
        """Put the world's database back to a dump, or to where every run starts."""
        connection = self.engine.raw_connection()
        try:
            (dump or self._pristine).backup(connection.driver_connection)  # type: ignore[arg-type]
        finally:
            connection.close()

    def dump(self) -> sqlite3.Connection:
        """Give a copy of the world's database as it is."""
        copy = sqlite3.connect(":memory:")
        connection = self.engine.raw_connection()
        try:
            connection.driver_connection.backup(copy)  # type: ignore[union-attr]
        finally:
            connection.close()
        return copy


class World:
    """A copy of the template in which one schedule is played."""

    def __init__(self, template: Template, schedule: Schedule) -> None:
        self.template, self.schedule = template, {injection.at: injection.action for injection in schedule}
        app, subject = template.house.app, template.subject
        self.clock = FakeClock(template.house.clock.now())
        self.double: Any = app.adapters[subject.authority].double(self.clock, username=_NAME, password=_NAME)
        self.database = template.engine
        template.restore()
        self.trace: list[Moment] = []
        self.fired: set[int] = set()
        self.late_changes = False
        self.receipts: set[str] = set()
        self._after_pause: list[str] = []
        self._wanted = {earlier(injection.action) for injection in schedule} - {None, 0}
        self._dumps: dict[int, sqlite3.Connection] = {}
        store = MemoryStore()
        markers = Markers(store)
        self._quarantine = QuarantineService(
            self.database, self.clock, markers, Generations(self.database, store), people=1
        )
        self.queue = Queue(self.database, self.clock, _LEASE)
        self.ledger = _WatchedLedger(self, app.bodies)
        self._connection = _WatchedConnection(self)
        pace = Delivery()
        self._engine = Engine(
            self.ledger,
            self._load,
            self.clock,
            markers=markers,
            base=timedelta(seconds=pace.retry_base_seconds),
            cap=timedelta(seconds=pace.retry_max_seconds),
            lease=_LEASE,
        )

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
        return any(earlier(action) is not None for action in self.schedule.values())

    def _mended(self) -> bool:
        if self._quarantine.standing() is not None:
            return self._quarantine.release("person", "looked at it")
        return sum(self.queue.resume(lane, "person") for lane in self._lanes) > 0

    # --- the workers ----------------------------------------------------------------------------------------

    def _until_idle(self, owner: str) -> int:
        worked = 0
        for _ in range(_ROUNDS):
            if self.once(owner):
                worked += 1
                continue
            due = self.queue.next_due(self._lanes)
            if due is None:
                return worked
            self.clock.advance_to(due)
        raise NeverIdleError(f"still not idle after {_ROUNDS} rounds")

    def once(self, owner: str) -> bool:
        """Claim and work one delivery, and see that a worker which was overtaken meanwhile changed nothing."""
        claim = self.queue.claim(owner, self._lanes)
        if claim is None:
            return False
        pauses = len(self._after_pause)
        with suppress(Crash):
            self._engine.work(claim)
        if len(self._after_pause) > pauses and self._after_pause[-1] != self._snapshot():
            self.late_changes = True
        del self._after_pause[pauses:]
        return True

    @property
    def _lanes(self) -> list[str]:
        return self.template.house.app.deliveries.lanes

    def _load(self, _claim: Claim) -> Load:
        return replace(self.template.load, connection=self._connection)

    def _snapshot(self) -> str:
        """Give everything that a late worker must not change."""
        with self.database.connect() as connection:
            tables = ("submission", "delivery", "ledger_entry", "custody_outbox")
            return repr([connection.execute(text(f"SELECT * FROM {table}")).all() for table in tables])  # noqa: S608

    # --- the moments ----------------------------------------------------------------------------------------

    def reach(self, moment: Moment) -> None:
        """Stand at the next moment of the run, and let happen what the schedule has for it."""
        at = len(self.trace)
        self.trace.append(moment)
        if at in self._wanted:
            self._dumps[at] = self.template.dump()
        action = self.schedule.get(at)
        if action is None:
            return
        self.fired.add(at)
        if action == CRASH:
            raise Crash
        past = earlier(action)
        if past is not None:
            self.template.restore(self._dumps[past] if past else None)
            if action.startswith(RESTORE):
                raise Crash
        elif action == EXPIRE:
            self.clock.advance(self.template.subject.expiry)
        elif action in (PAUSE, PAUSE_BRIEFLY):
            self.clock.advance(_LEASE * 2)
            overtaken = self.once("other") if action == PAUSE_BRIEFLY else self._until_idle("other")
            if overtaken:
                self._after_pause.append(self._snapshot())
        else:
            self.double.faults.add(f"*:1 {action}")


class _WatchedLedger(Ledger):
    """The ledger itself, with a moment before and after each commit."""

    def __init__(self, world: World, bodies: BodyVault) -> None:
        super().__init__(world.database, bodies, world.clock, _LEASE)
        self._world = world

    def advance(
        self, claim: Claim, concluded: Concluded | None, move: Perform | Settle | Pause, position: int
    ) -> Entry | None:
        """Commit between two moments."""
        self._world.reach(Moment.BEFORE_COMMIT)
        if concluded is not None and concluded.answer.reference and concluded.answer.outcome is Outcome.ACCEPTED:
            self._world.receipts.add(concluded.entry.id)
        entry = super().advance(claim, concluded, move, position)
        self._world.reach(Moment.AFTER_COMMIT)
        return entry


class _WatchedConnection:
    """The adapter's own connection to the double, with a moment before and after each call."""

    def __init__(self, world: World) -> None:
        self._world = world
        adapter = world.template.load.adapter
        url = adapter.endpoint_url(Environment.SANDBOX, None)
        endpoint = Endpoint(Environment.SANDBOX, url, _NAME, SecretStr(_NAME))
        self._connection = adapter.connect(endpoint, world.double.transport())

    def perform(self, call: Call) -> Answer:
        """Call between two moments."""
        self._world.reach(Moment.BEFORE_CALL)
        answer = self._connection.perform(call)
        self._world.reach(Moment.AFTER_CALL)
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
