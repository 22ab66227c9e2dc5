"""The delivery room's use cases: load what a claim needs, keep connections, deliver."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import timedelta

from sqlalchemy import Engine as Database

from reporter.abilities import machine
from reporter.authority import Connection
from reporter.clock import Clock
from reporter.config import Delivery as Settings
from reporter.db.engine import reading
from reporter.delivery.circuit import Breaker
from reporter.delivery.engine import Engine, Load, NoConnectionError, Result
from reporter.delivery.ledger import Ledger
from reporter.delivery.markers import Markers
from reporter.delivery.model import Claim, Entry, lane_name
from reporter.delivery.pulse import Pulse
from reporter.delivery.quarantine import QuarantineService
from reporter.delivery.queue import Queue
from reporter.delivery.worker import Worker
from reporter.errors import CustodyError, PolicyError
from reporter.evidence import service as evidence
from reporter.evidence.vault import EvidenceVault
from reporter.submissions.packaging import Desk
from reporter.submissions.service import SubmissionService


class DeliveryService:
    """Delivers what is approved, through one connection for each authority."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: Settings,
        queue: Queue,
        ledger: Ledger,
        submissions: SubmissionService,
        vault: EvidenceVault,
        desks: Mapping[str, Desk],
        connect: Callable[[str], Connection],
        stamp: Callable[[str], str],
        markers: Markers,
        quarantine: QuarantineService,
    ) -> None:
        self._database, self._clock, self._settings = database, clock, settings
        self.queue, self._ledger, self.quarantine = queue, ledger, quarantine
        self._submissions, self._vault, self._desks, self._connect = submissions, vault, desks, connect
        self._stamp = stamp
        self._connections: dict[str, tuple[str, Connection]] = {}
        self._retired: list[Connection] = []
        self._lock = threading.Lock()
        self._pulse = Pulse(clock)
        self.engine = Engine(
            ledger,
            self.load,
            clock,
            markers=markers,
            base=timedelta(seconds=settings.retry_base_seconds),
            cap=timedelta(seconds=settings.retry_max_seconds),
            lease=timedelta(seconds=settings.lease_seconds),
            beat=self._pulse.beat,
        )

    @property
    def lanes(self) -> list[str]:
        """Give the lanes that this configuration works; what people tell has none."""
        return [lane_name(name, desk.environment) for name, desk in self._desks.items() if not desk.by_hand]

    def worker(self, report: Callable[[Result], None] = lambda _result: None) -> Worker:
        """Give a worker over all lanes."""
        return Worker(
            self.queue,
            self.engine,
            Breaker(self._database, self._clock, timedelta(seconds=self._settings.retry_base_seconds)),
            self._clock,
            self._pulse,
            probe=lambda lane: self.connection(lane.partition(":")[0]).probe().outcome,
            lanes=self.lanes,
            concurrency=self._settings.concurrency,
            watch=self.quarantine.watch,
            report=report,
        )

    def gets_on(self) -> bool:
        """Whether every thread of this process's workers got on while a lease lasts."""
        return self._pulse.regular(timedelta(seconds=self._settings.lease_seconds))

    def calls(self, reference: str) -> list[Entry]:
        """Give every remote call made for a case, oldest first."""
        return self._ledger.calls(reference)

    def close(self) -> None:
        """Close the connections to the authorities."""
        for connection in (*self._retired, *(connection for _, connection in self._connections.values())):
            connection.__exit__(None, None, None)
        self._connections.clear()
        self._retired.clear()

    def load(self, claim: Claim) -> Load:
        """
        Give what a worker needs to carry on a claimed delivery.

        Raises:
            CustodyError: Its package or a preservation record cannot be read.
            NoConnectionError: The authority's credential is missing, does not open, or is another environment's.
            ConfigurationError: Its section is wrong.
        """
        authority = claim.lane.partition(":")[0]
        try:
            channel = self.connection(authority)
        except (CustodyError, PolicyError) as error:
            raise NoConnectionError(error.diagnostics()) from error
        desk = self._desks[authority]
        frozen = self._submissions.frozen_package(claim.submission_id)
        reference, package = frozen.reference, frozen.package
        with reading(self._database) as connection:
            schema = desk.schema(connection)
            records = {
                file.item: evidence.sealed_item(connection, reference, file.item, file.sha256) for file in package.files
            }
        return Load(
            package, machine(desk.adapter), channel, schema, lambda item: self._vault.open(records[item]),
            frozen.missing, frozen.protected,
        )  # fmt: skip

    def connection(self, authority: str) -> Connection:
        """
        Give the open connection to an authority, connecting at first need and whenever its credential was changed.

        Raises:
            CustodyError: The credential is missing, or does not open.
            EnvironmentTroubleError: The credential store cannot be read.
        """
        stamp = self._stamp(authority)
        with self._lock:
            known, connection = self._connections.get(authority, (None, None))
            if connection is None or known != stamp:
                if connection is not None:
                    self._retired.append(connection)  # another thread may be in the middle of an upload
                self._connections[authority] = stamp, self._connect(authority)
            return self._connections[authority][1]
