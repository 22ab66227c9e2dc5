"""The one place that sees everything: builds the house from its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from sqlalchemy import Engine as Database

from keycustody.cases import CaseKeys
from keycustody.credentials import CredentialStore
from reporter import config
from reporter.abilities import Adapters
from reporter.actors.changes import ChangeService
from reporter.actors.founding import Founding
from reporter.actors.service import ActorService
from reporter.alarms.wire import Way
from reporter.audit.log import CustodyLog, custody_log
from reporter.authority import Connection
from reporter.board.service import Board
from reporter.cases.service import CaseService
from reporter.clock import Clock, SystemClock
from reporter.config import Configuration
from reporter.contacts.room import ContactRoom, contact_room
from reporter.db import migrate
from reporter.db.engine import open_engine
from reporter.delivery.alerting import Alerting, alerting, dated
from reporter.delivery.authorities import AuthorityService
from reporter.delivery.clocks import Clocks
from reporter.delivery.generations import Generations
from reporter.delivery.ledger import Ledger
from reporter.delivery.markers import Markers
from reporter.delivery.objections import case_needed_for_delivery, needed_for_delivery
from reporter.delivery.quarantine import QuarantineService
from reporter.delivery.queue import Queue
from reporter.delivery.resolution import ResolutionService
from reporter.delivery.secrets import SecretService
from reporter.delivery.service import DeliveryService
from reporter.delivery.standing import StandingService
from reporter.delivery.ticker import Ticker
from reporter.delivery.worker import Worker
from reporter.desks import connect, desk_of
from reporter.errors import EnvironmentTroubleError
from reporter.evidence.bodies import BodyVault
from reporter.evidence.room import EvidenceRoom, evidence_room
from reporter.evidence.stores import object_store
from reporter.evidence.tombstones import Buried, Tombstones
from reporter.evidence.vault import EvidenceVault
from reporter.export.room import ExportRoom, export_room
from reporter.handouts.service import HandOuts
from reporter.home import note_configuration
from reporter.jobs.model import Job
from reporter.jobs.service import JobService
from reporter.keys.kit import RecoveryKits
from reporter.keys.opening import Custody, open_custody
from reporter.keys.protecting import Protection
from reporter.keys.rotating import Rotation
from reporter.referrals.room import ReferralRoom, referral_room
from reporter.retention.forgetting import forget
from reporter.retention.room import RetentionRoom, retention_room
from reporter.submissions.approvals import Approvals
from reporter.submissions.duties import Duties
from reporter.submissions.emergencies import Emergencies
from reporter.submissions.packaging import Desk, gravest
from reporter.submissions.routing import router
from reporter.submissions.schemas import SchemaShelf
from reporter.submissions.service import SubmissionService
from reporter.submissions.supplementing import SupplementService
from reporter.tasks.room import TaskRoom, task_room
from reporter.tasks.service import forget as forget_tasks

ENTRY_POINTS, HANDOFFS = "reporter.adapters", "reporter.handoffs"


@dataclass(frozen=True, slots=True)
class App:
    """The house, ready to be used; close it when done."""

    configuration: Configuration
    clock: Clock
    database: Database
    custody: Custody
    protection: Protection
    rotation: Rotation
    recovery_kits: RecoveryKits
    secrets: SecretService
    adapters: Adapters
    desks: Mapping[str, Desk]
    vault: EvidenceVault
    bodies: BodyVault
    cases: CaseService
    submissions: SubmissionService
    deliveries: DeliveryService
    authorities: AuthorityService
    resolutions: ResolutionService
    standings: StandingService
    alarms: Alerting
    log: CustodyLog
    evidence: EvidenceRoom
    actors: ActorService
    changes: ChangeService
    jobs: JobService
    tasks: TaskRoom
    contacts: ContactRoom
    retention: RetentionRoom
    duties: Duties
    exports: ExportRoom
    emergencies: Emergencies
    referrals: ReferralRoom
    supplements: SupplementService
    board: Board
    hand_outs: HandOuts

    def ticker(self, worker: Worker) -> Ticker:
        """Give what ticks beside a worker."""
        return self.alarms.ticker(worker.name, self.deliveries.gets_on, self.log.keep)

    def close(self) -> None:
        """Close connections to authorities, to what keeps the keys, and to the database."""
        self.deliveries.close()
        self.custody.close()
        self.database.dispose()


def find_adapters() -> Adapters:
    """Give every installed adapter by name: those that call an authority, and those of authorities that people tell."""
    by_people = {each.name: each for entry in entry_points(group=HANDOFFS) for each in entry.load()()}
    return by_people | {entry.name: entry.load()() for entry in entry_points(group=ENTRY_POINTS)}


def open_home(
    home: Path | None = None,
    *,
    clock: Clock | None = None,
    transports: Mapping[str, Any] | None = None,
    database: Database | None = None,
) -> App:
    """
    Open a home and check that everything it needs is there.

    Args:
        home: The folder; by default the one that the environment names.
        clock: Another source of time (tests).
        transports: By authority, something in place of the network (the doubles, in tests).
        database: An open database, in place of the configured one (tests).

    Raises:
        ConfigurationError: The configuration is wrong.
        CustodyError: The keys cannot be used.
        EnvironmentTroubleError: The database is missing, behind or ahead.
    """
    configuration = config.load(home)
    clock = clock or SystemClock()
    adapters = find_adapters()
    custody = open_custody(configuration)
    shelf = SchemaShelf()
    desks = {name: desk_of(name, configuration, adapters, shelf) for name in configuration.authority}
    database = database or open_engine(configuration.database, pool_size=configuration.delivery.concurrency + 3)
    try:
        migrate.require_current(database)
        note_configuration(database, clock, configuration)
    except EnvironmentTroubleError:
        database.dispose()
        raise
    protection = Protection(database, clock, configuration.keys, custody.provider)
    keys = CaseKeys(custody.provider, custody.store)
    objects = object_store(configuration, lambda: custody.credentials, clock)
    vault = EvidenceVault(keys, objects, clock)
    bodies = BodyVault(keys, Buried(Tombstones(objects)))
    lease = timedelta(seconds=configuration.delivery.lease_seconds)
    queue = Queue(database, clock, lease)

    def connected(name: str) -> Connection:
        return connect(name, configuration, desks[name], custody.credentials, (transports or {}).get(name))

    routes = router(configuration)
    duties = Duties(routes, {name: desk.environment for name, desk in desks.items()}, clock)
    submissions: SubmissionService
    alarms: Alerting
    room: EvidenceRoom
    actors = ActorService(database, clock, gravest(desks), Founding(custody.credentials))
    retention = retention_room(
        database, clock, custody.provider, custody.store, vault, keys, routes, [*desks], configuration.retention,
        ends=lambda: room.cases,
        destroys=lambda objections: room.destruction.asking([needed_for_delivery, *objections]),
        require=actors.require,
    )  # fmt: skip
    cases = CaseService(
        database,
        vault,
        bodies,
        clock,
        digests=frozenset[str]().union(*(adapter.digests for adapter in adapters.values())),
        revised=lambda connection, reference: submissions.void(connection, reference),
        recorded=duties.keep,
    )
    approvals = Approvals(actors, clock, configuration.approval.people)
    contacts = contact_room(
        database, clock, custody.provider, custody.store, bodies, actors,
        named=lambda connection, reference: submissions.void(connection, reference),
    )  # fmt: skip
    emergencies = Emergencies(database, clock, bodies, actors)
    submissions = SubmissionService(
        database, clock, cases, desks, bodies, queue, approvals, duties, contacts.naming, emergencies,
        urgent=lambda: alarms.look(),
    )  # fmt: skip
    secrets = SecretService(database, clock, configuration, custody.credentials, queue)
    ledger = Ledger(database, bodies, clock, lease)
    markers = Markers(objects)
    generations = Generations(database, objects)
    quarantine = QuarantineService(database, clock, markers, generations, 2 if actors.required else 1, actors.require)
    deliveries = DeliveryService(
        database, clock, configuration.delivery, queue, ledger, submissions, vault, desks, connected, secrets.stamp,
        markers, quarantine,
    )  # fmt: skip
    authorities = AuthorityService(database, clock, queue, desks, shelf, deliveries.connection)
    alarms = alerting(
        database, clock, configuration.alarm, configuration.http, configuration.home, custody.credentials, actors,
        Clocks(duties.router).keep,
    )  # fmt: skip
    log = _log(configuration, database, clock, custody.credentials)
    room = evidence_room(
        database, clock, vault, bodies, configuration, log,
        objections=[needed_for_delivery, retention.clocks.objection],
        case_objections=[case_needed_for_delivery, retention.clocks.case_objection],
        forgets=[forget, forget_tasks, contacts.naming.forget],
        damaged=alarms.watch.check, restored_at=quarantine.last, require=actors.require,
    )  # fmt: skip
    jobs = (
        Job("audit-verify", timedelta(minutes=configuration.audit.verify_minutes), log.verification.go_on),
        *room.jobs,
        *retention.jobs,
    )
    return App(
        configuration, clock, database, custody, protection, Rotation(database, clock, custody),
        RecoveryKits(database, clock, configuration, custody, lambda: str(log.checkpoints.verifier)),
        secrets, adapters, desks, vault, bodies, cases, submissions, deliveries, authorities,
        ResolutionService(database, clock, cases, submissions, queue, ledger, bodies, desks, markers, actors.require),
        StandingService(database, clock, ledger, bodies), alarms, log, room, actors, ChangeService(actors),
        JobService(database, clock, jobs),
        task_room(database, clock, bodies, configuration, actors.require), contacts, retention, duties,
        export_room(
            database, clock, configuration, custody.credentials, vault, bodies, log, actors, retention.subjects
        ),
        emergencies,
        referral_room(
            database, clock, bodies, vault, contacts.register, actors, custody.provider, custody.store, configuration
        ),
        SupplementService(database, clock, cases, submissions, desks),
        Board(database, clock, routes, partial(dated, custody.credentials), configuration.alarm.expires_early),
        HandOuts(database, clock, configuration.home, cases, submissions, queue, bodies, desks, markers),
    )  # fmt: skip


def _log(configuration: Configuration, database: Database, clock: Clock, credentials: CredentialStore) -> CustodyLog:
    settings, home = configuration.audit, configuration.home
    return custody_log(
        database,
        clock,
        credentials,
        every=timedelta(minutes=settings.checkpoint_minutes),
        file=home / settings.checkpoint_file if settings.checkpoint_file else None,
        timestamp_url=settings.timestamp_url,
        timestamp_roots=home / settings.timestamp_roots if settings.timestamp_roots else None,
        exchange=Way(configuration.http.proxy, configuration.http.ca_file).exchange,
    )
