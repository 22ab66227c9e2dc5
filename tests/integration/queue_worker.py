"""
One worker process of ``test_queue_ledger``: waits for a line on standard input, then works what is due.

Its authority is a file that everybody appends to, one line for each report. ``--die-at N`` ends the process without
a word after the N-th of its calls took effect and before the ledger knows.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Engine as Database

from keycustody.cases import CaseKeys
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.store import FolderKeyStore
from reporter.authority import Answer, Call, Lost, Outcome, Package, Plan, Step
from reporter.clock import Clock, SystemClock
from reporter.db.engine import open_engine
from reporter.delivery.circuit import Breaker
from reporter.delivery.engine import Engine, Load
from reporter.delivery.ledger import Ledger
from reporter.delivery.markers import Markers
from reporter.delivery.pulse import Pulse
from reporter.delivery.queue import Queue
from reporter.delivery.worker import Worker
from reporter.evidence.bodies import BodyVault
from reporter.testing.objects import MemoryStore

LEASE = timedelta(minutes=10)
THREADS = 2
PLAN = Plan(steps=(Step("report", Lost.REPEAT),))


class Appending:
    """A connection to the file."""

    def __init__(self, file: Path, die_at: int) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._die_at, self._lock = die_at, threading.Lock()

    def perform(self, call: Call) -> Answer:
        os.write(self._file, f"{call.package.authority} {os.getpid()}\n".encode())
        with self._lock:
            self._die_at -= 1
            if self._die_at == 0:
                os._exit(9)
        return Answer(Outcome.ACCEPTED, reference=call.package.authority)


def filed(folder: Path, lane: str) -> Path:
    """Give the file that is the authority."""
    return folder / f"{lane}.filed"


def worker(database: Database, folder: Path, lane: str, clock: Clock, die_at: int = 0) -> Worker:
    """Give a worker of some threads; a package's authority names its submission here."""
    bodies = BodyVault(CaseKeys(LocalKeyring.open(folder / "keys", Places()), FolderKeyStore(folder / "wraps")))
    adapter: Any = SimpleNamespace(plan=lambda _package: PLAN)
    connection: Any = Appending(filed(folder, lane), die_at)
    engine = Engine(
        Ledger(database, bodies, clock, LEASE),
        lambda claim: Load(Package(claim.submission_id, ()), adapter, connection, None, lambda _item: iter(())),
        clock,
        markers=Markers(MemoryStore()),
        base=timedelta(seconds=1),
        cap=timedelta(seconds=1),
        lease=LEASE,
    )
    queue, breaker = Queue(database, clock, LEASE), Breaker(database, clock, timedelta(seconds=1))
    return Worker(
        queue, engine, breaker, clock, Pulse(clock), probe=lambda _lane: Outcome.ACCEPTED, lanes=[lane],
        concurrency=THREADS,
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("lane")
    parser.add_argument("--die-at", type=int, default=0)
    given = parser.parse_args()
    ready = worker(open_engine(given.url), given.folder, given.lane, SystemClock(), given.die_at)
    print("ready", flush=True)
    sys.stdin.readline()
    ready.once()
