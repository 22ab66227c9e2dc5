"""The export room of a home, ready to be used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine

from keycustody.credentials import CredentialStore
from reporter.actors.service import ActorService
from reporter.alarms.wire import Way
from reporter.audit.log import CustodyLog
from reporter.audit.timestamps import TimestampAuthority
from reporter.clock import Clock
from reporter.config import Configuration
from reporter.delivery.ledger import Ledger
from reporter.evidence.bodies import BodyVault
from reporter.evidence.looks import LookService
from reporter.evidence.tombstones import Tombstones
from reporter.evidence.vault import EvidenceVault
from reporter.export.documents import SentDocuments
from reporter.export.preparing import Preparation
from reporter.export.requests import ExportRequests
from reporter.export.sealing import SealKey
from reporter.export.writing import ExportWriter
from reporter.retention.subjects import Subjects


@dataclass(frozen=True, slots=True)
class ExportRoom:
    """The use cases of the export room."""

    requests: ExportRequests
    writer: ExportWriter
    seal_key: SealKey


def export_room(
    engine: Engine,
    clock: Clock,
    configuration: Configuration,
    credentials: CredentialStore,
    vault: EvidenceVault,
    bodies: BodyVault,
    log: CustodyLog,
    actors: ActorService,
    subjects: Subjects,
) -> ExportRoom:
    """Build it; nothing is read, signed or sent yet."""
    tombstones = Tombstones(vault.objects)
    documents = SentDocuments(Ledger(engine, bodies, clock, timedelta()), bodies)  # it only reads
    requests = ExportRequests(engine, clock, bodies, actors, subjects, documents)
    seal_key = SealKey(engine, clock, credentials, configuration.organisation.name)
    preparation = Preparation(
        engine, clock, vault, tombstones, bodies, requests, subjects, documents, log, seal_key, _stamps(configuration),
        configuration.organisation.name, actors.environment,
    )  # fmt: skip
    looks = LookService(engine, clock, vault, tombstones, people=1)
    return ExportRoom(requests, ExportWriter(engine, clock, bodies, preparation, looks), seal_key)


def _stamps(configuration: Configuration) -> TimestampAuthority | None:
    audit, http = configuration.audit, configuration.http
    if not (audit.timestamp_url and audit.timestamp_roots):
        return None
    roots = configuration.home / audit.timestamp_roots
    return TimestampAuthority(audit.timestamp_url, roots, Way(http.proxy, http.ca_file).exchange)
