"""
The delivery room alone: the real queue, ledger and engine over any adapter, without a home and without sealed evidence.

Exchanges are sealed as ever. Several benches may share one database: each has a lane of its own.
"""

from __future__ import annotations

import functools
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType

from sqlalchemy import Connection as DatabaseConnection
from sqlalchemy import Engine as Database
from sqlalchemy import insert, select

from keycustody.cases import CaseKeys
from keycustody.files import make_folder
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.store import FolderKeyStore
from reporter.authority import Adapter, Answer, Call, Connection, Environment, Package
from reporter.db import migrate
from reporter.db.engine import open_engine, sqlite_url, transaction
from reporter.delivery.engine import Engine, Load, Result
from reporter.delivery.ledger import Ledger
from reporter.delivery.markers import Markers
from reporter.delivery.model import Claim, Entry
from reporter.delivery.queue import Queue, paused_lanes
from reporter.evidence.bodies import BodyVault
from reporter.submissions.frozen import freeze, thaw
from reporter.submissions.model import State
from reporter.submissions.tables import Submission
from reporter.testing.clock import FakeClock
from reporter.testing.objects import MemoryStore

_SUBMISSION = Submission.__table__  # type: ignore[attr-defined]
#: The bytes handed on at a time when a file is read.
CHUNK = 64 << 10
#: How long a claim lasts on a bench that is told nothing else.
LEASE = timedelta(seconds=180)


@functools.cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.sqlite3"
        engine = open_engine(sqlite_url(file))
        migrate.upgrade(engine)
        engine.dispose()
        return file.read_bytes()


def fresh_database(folder: Path) -> Database:
    """Open a new SQLite database at the current revision."""
    file = folder / f"{uuid.uuid4().hex}.sqlite3"
    file.write_bytes(_migrated())
    return open_engine(sqlite_url(file))


def fresh_bodies(folder: Path) -> BodyVault:
    """Make a keyring and a key store, and give what seals with them."""
    make_folder(folder / "wraps")
    return BodyVault(CaseKeys(LocalKeyring.create(folder / "keys", Places()), FolderKeyStore(folder / "wraps")))


def chunks(content: bytes) -> Iterator[bytes]:
    """Give bytes as an opened item does."""
    return (content[at : at + CHUNK] for at in range(0, len(content), CHUNK))


@dataclass(slots=True)
class Tap:
    """A connection that is watched: ``before`` and ``after`` are called around each call, and may raise."""

    connection: Connection
    answers: list[Answer]
    before: Callable[[Call], None] = lambda _call: None
    after: Callable[[Call], None] = lambda _call: None

    def __enter__(self) -> Tap:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.connection.__exit__(exc_type, exc_value, traceback)

    def perform(self, call: Call) -> Answer:
        """Make the call, and keep its answer."""
        self.before(call)
        answer = self.connection.perform(call)
        self.answers.append(answer)
        self.after(call)
        return answer

    def probe(self) -> Answer:
        """Ask whether the authority is there."""
        return self.connection.probe()

    def fetch_schema(self) -> bytes:
        """Fetch the authority's schema."""
        return self.connection.fetch_schema()


class Bench:
    """Delivers packages through one connection; ``tap`` watches it."""

    def __init__(
        self,
        database: Database,
        bodies: BodyVault,
        clock: FakeClock,
        adapter: Adapter,
        connection: Connection,
        *,
        lease: timedelta = LEASE,
        lane: str = "",
        ledger: Callable[[Database, BodyVault, FakeClock, timedelta], Ledger] = Ledger,
    ) -> None:
        self.database, self.bodies, self.clock = database, bodies, clock
        self.lane = lane or f"bench-{uuid.uuid4().hex}"
        self.tap = Tap(connection, [])
        self.store = MemoryStore()
        self._adapter = adapter
        self._parcels: dict[str, tuple[Package, Mapping[str, bytes]]] = {}
        self.queue = Queue(database, clock, lease)
        self.ledger = ledger(database, bodies, clock, lease)
        self.engine = Engine(
            self.ledger,
            self._load,
            clock,
            markers=Markers(self.store),
            base=timedelta(seconds=2),
            cap=timedelta(hours=1),
            lease=lease,
        )

    def submit(self, package: Package, contents: Mapping[str, bytes], *, urgent: bool = False) -> str:
        """Approve a package, as it comes back from its frozen form, and make it due; give the submission's id."""
        frozen = freeze(package, reference="BENCH-01", revision=1, environment=Environment.SANDBOX)
        with transaction(self.database) as connection:
            at = self.clock.now()
            submission_id = approved_submission(connection, self.queue, at, self.lane, urgent=urgent)
        self.carries(submission_id, thaw(frozen.content), contents)
        return submission_id

    def carries(self, submission_id: str, package: Package, contents: Mapping[str, bytes]) -> None:
        """Say what a submission in the database holds."""
        self._parcels[submission_id] = package, contents

    def work(self, owner: str = "worker") -> Result | None:
        """Claim and work one delivery that is due now; None when there is none, or its lease was lost."""
        claim = self.queue.claim(owner, [self.lane])
        return self.engine.work(claim) if claim else None

    def until_idle(self, rounds: int = 200) -> None:
        """Work until nothing is due any more, moving the clock to whatever is due next."""
        for _ in range(rounds):
            if self.work() is None:
                due = self.queue.next_due([self.lane])
                if due is None:
                    return
                self.clock.advance_to(due)
        raise AssertionError(f"not idle after {rounds} rounds")

    @property
    def paused(self) -> bool:
        """Whether the lane stands still until a person has mended what the authority refuses."""
        return self.lane in paused_lanes(self.database)

    def submission(self, submission_id: str) -> Submission:
        """Give a submission as it stands."""
        with transaction(self.database) as connection:
            row = connection.execute(select(_SUBMISSION).where(_SUBMISSION.c.id == submission_id)).mappings().one()
        return Submission(**row)

    def calls(self, submission_id: str) -> list[Entry]:
        """Give every call that the ledger has of a submission, oldest first."""
        return self.ledger.history(Claim(submission_id, "", self.lane, "", 0))

    def _load(self, claim: Claim) -> Load:
        package, contents = self._parcels[claim.submission_id]
        return Load(package, self._adapter, self.tap, None, lambda item: chunks(contents[item]))


def approved_submission(
    connection: DatabaseConnection, queue: Queue, at: datetime, lane: str, *, urgent: bool = False
) -> str:
    """Write an approved submission without a package, due at ``at``; give its id, which is its reference too."""
    submission_id = uuid.uuid4().hex
    connection.execute(
        insert(_SUBMISSION).values(
            id=submission_id,
            reference=submission_id,
            authority="bench",
            environment=Environment.SANDBOX,
            version=1,
            revision=1,
            state=State.APPROVED,
            digest="",
            urgent=urgent,
            created_at=at,
            reason="",
        )
    )
    queue.enqueue(connection, submission_id, lane=lane, urgent=urgent, at=at)
    return submission_id
