"""The queue and the ledger on a lane that no other test uses, so that tests can share a database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, select, text

from reporter.authority import Lost, Step
from reporter.db.engine import open_engine, transaction
from reporter.delivery.ledger import Concluded, Ledger
from reporter.delivery.model import Claim, Entry, Perform
from reporter.delivery.queue import Queue
from reporter.delivery.tables import Delivery, LedgerEntry
from reporter.evidence.bodies import BodyVault
from reporter.submissions.tables import Submission
from reporter.testing.bench import approved_submission
from reporter.testing.clock import FakeClock

LEASE = timedelta(seconds=180)
STEP = Step("report", Lost.REPEAT)


class Room:
    """The delivery room with a lane that no other test uses."""

    def __init__(self, database: Engine, bodies: BodyVault) -> None:
        self.database, self.bodies, self.clock = database, bodies, FakeClock()
        self.lane = f"room-{uuid4().hex}"
        self.queue = Queue(database, self.clock, LEASE)
        self.ledger = Ledger(database, bodies, self.clock, LEASE)

    def submit(self, count: int = 1, *, urgent: bool = False, lane: str = "") -> list[str]:
        with transaction(self.database) as connection:
            return [
                approved_submission(connection, self.queue, self.clock.now(), lane or self.lane, urgent=urgent)
                for _ in range(count)
            ]

    def claim(self, owner: str = "worker") -> Claim | None:
        return self.queue.claim(owner, [self.lane])

    def claimed(self, owner: str = "worker") -> Claim:
        claim = self.claim(owner)
        assert claim is not None
        return claim

    def intend(self, claim: Claim, concluded: Concluded | None = None, position: int = 0) -> Entry:
        entry = self.ledger.advance(claim, concluded, Perform(STEP, 1, self.clock.now()), position)
        assert entry is not None
        return entry

    def rows(self, submission_id: str) -> dict[str, list[dict[str, Any]]]:
        """Give everything that a worker may change of a delivery."""
        tables = {Delivery: "submission_id", LedgerEntry: "submission_id", Submission: "id"}
        with transaction(self.database) as connection:
            return {
                table.__tablename__: [
                    dict(row)
                    for row in connection.execute(
                        select(table.__table__).where(table.__table__.c[key] == submission_id)
                    ).mappings()
                ]
                for table, key in tables.items()
            }

    def cut_connections(self) -> None:
        """Do to open connections what a restart of the server does."""
        if self.database.dialect.name == "sqlite":
            self.database.dispose()
            return
        outside = open_engine(self.database.url.render_as_string(hide_password=False))
        with outside.begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        outside.dispose()
