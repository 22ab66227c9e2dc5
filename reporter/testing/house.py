"""
A whole house in a folder, with an authority's double in place of the network and a clock that stands still.

Everything is real but the network and the time: keys, seals, database, ledger, engine. One thread, no sleeping.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine as Database

from reporter.abilities import machine
from reporter.actors.model import Role
from reporter.actors.service import Witness, unsigned
from reporter.bootstrap import App, find_adapters, open_home
from reporter.db import migrate
from reporter.db.engine import open_engine, sqlite_url, transaction
from reporter.delivery.engine import Result
from reporter.home import create
from reporter.submissions.approvals import VERB
from reporter.tasks.model import Outcome
from reporter.testing.clock import FakeClock
from reporter.testing.documents import write_case
from reporter.testing.people import People

#: Of whom a house enrols for what its tests need; one of these roles may do each thing that takes two.
_ROLES = frozenset({Role.ESCALATION_LEAD, Role.COMPLIANCE})

_DATABASE = "reporter.sqlite3"


@cache
def _migrated() -> bytes:
    """Give an empty database that the migrations have built, once for all houses of a process."""
    with TemporaryDirectory() as folder:
        engine = open_engine(sqlite_url(file := Path(folder) / _DATABASE))
        migrate.upgrade(engine)
        engine.dispose()
        return file.read_bytes()


class House:
    """An ``App`` with its double; ``restart`` gives what a new process would see. ``keys``: its section [keys]."""

    def __init__(
        self,
        folder: Path,
        *,
        authority: str = "ncmec",
        faults: str = "",
        database: Database | None = None,
        keys: Mapping[str, str] | None = None,
        clock: FakeClock | None = None,
    ) -> None:
        self.folder, self.authority = folder, authority
        self.clock = clock or FakeClock()
        self.double: Any = machine(find_adapters()[authority]).double(self.clock, faults)
        self._database = database
        self.people: People | None = None
        (folder / "home").mkdir(parents=True, mode=0o700)
        (folder / "home" / _DATABASE).write_bytes(_migrated())
        create(folder / "home", keys, clock=self.clock)
        self.app = self.open()

    def open(self) -> App:
        """Give the house as another process would see it."""
        transports = {self.authority: self.double.transport()}
        return open_home(self.folder / "home", clock=self.clock, transports=transports, database=self._database)

    def beyond_the_sandbox(self) -> None:
        """Point the house at the authority's test system, which the double plays."""
        toml = self.folder / "home" / "reporter.toml"
        lines = [line for line in toml.read_text().splitlines() if not line.startswith("base_url")]
        toml.write_text("\n".join(lines).replace('environment = "sandbox"', 'environment = "test"'))
        self.restart()
        self.app.secrets.set("ncmec-password", "pswd456", "op")

    def restart(self) -> None:
        """Forget everything that is not on disk."""
        self.app = self.open()

    def approved(self, reference: str = "TEST-000001", files: Mapping[str, bytes] | None = None, **changes: Any) -> str:
        """Add a case and have a second person approve it; give its reference."""
        path = write_case(self.folder / "cases", reference, files=files, **changes)
        self.app.cases.add(path, "preparer", witness=self.witness("preparer", "case add"))
        self.app.submissions.approve(reference, "approver", self.authority, self.witness("approver", VERB))
        return reference

    def spare(self, reference: str) -> None:
        """Have two people say that no authority needs to be told of a case."""
        for task in self.app.tasks.desk.tasks(reference=reference):
            for who in ("preparer", "approver"):
                said = {"number": str(task.id), "not_needed": "True"}
                self.app.tasks.desk.done(task.id, self.sign(who, "task done", **said), Outcome.NOT_NEEDED, "Synthetic.")

    def witness(self, handle: str, verb: str) -> Witness:
        """Give what signs for somebody outside the sandbox; they are enrolled when they are first needed."""
        if not self.app.actors.required:
            return unsigned
        if self.people is None:
            self.people = People(self.app, {"preparer": _ROLES, "approver": _ROLES})
        if handle not in self.people.keys:
            self.people.enrol(handle, _ROLES)
        return self.people.acts(handle, verb).state

    def sign(self, handle: str, verb: str, **subject: str) -> str:
        """Have somebody sign what they are about to do, as the command line does; give who."""
        witness = self.witness(handle, verb)
        with transaction(self.app.database) as connection:
            witness(connection, subject)
        return handle

    def work(self, owner: str = "worker") -> Result | None:
        """Claim and work one delivery that is due now; None when there is none, or the lease was lost."""
        claim = self.app.deliveries.queue.claim(owner, self.app.deliveries.lanes)
        return self.app.deliveries.engine.work(claim) if claim else None

    def until_idle(self, rounds: int = 500) -> None:
        """Work until nothing is due any more, moving the clock to whatever is due next."""
        for _ in range(rounds):
            if self.work() is not None:
                continue
            due = self.app.deliveries.queue.next_due(self.app.deliveries.lanes)
            if due is None:
                return
            self.clock.advance_to(due)
        raise AssertionError(f"not idle after {rounds} rounds")

    def submission(self, reference: str = "TEST-000001") -> dict[str, Any]:
        """Give the case's submission to this authority, as ``case show`` prints it."""
        return next(s for s in self.app.submissions.overview(reference) if s["authority"] == self.authority)
