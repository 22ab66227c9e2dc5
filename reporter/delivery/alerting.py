"""Everything about alarms that is configured: the channels, the watch, the dead-man signal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine

from keycustody.credentials import CredentialStore
from keycustody.errors import KeyCustodyError
from reporter.actors.service import ActorService
from reporter.alarms import service as alarms
from reporter.alarms.channels import CommandChannel, MailChannel, WebhookChannel
from reporter.alarms.heartbeat import Heartbeat
from reporter.alarms.model import Channel, Kind, Matter
from reporter.alarms.notices import Notifier
from reporter.alarms.service import AlarmService
from reporter.alarms.settings import Alarm, is_secret, secret_name
from reporter.alarms.wire import Way
from reporter.clock import Clock
from reporter.config import HTTP
from reporter.delivery.ticker import Ticker
from reporter.delivery.watch import Patience, Watch
from reporter.errors import EnvironmentTroubleError, ReporterError

#: What the secrets of channels are bound to, where an authority's are bound to its environment.
FOR_ALARMS = "alarms"


@dataclass(frozen=True, slots=True)
class Alerting:
    """The register of alarms, what fills it, and what reads it out."""

    engine: Engine
    clock: Clock
    register: AlarmService
    notifier: Notifier
    watch: Watch
    heartbeat: Heartbeat

    def look(self) -> None:
        """Look at once; what cannot be told now is told by the next look."""
        with suppress(ReporterError):
            self.watch.check()

    def ticker(self, worker: str, gets_on: Callable[[], bool], keep_log: Callable[[], None]) -> Ticker:
        """Give what ticks beside a worker."""
        return Ticker(self.engine, self.clock, self.watch, self.heartbeat, worker, gets_on, keep_log)


def alerting(
    engine: Engine,
    clock: Clock,
    settings: Alarm,
    http: HTTP,
    home: Path,
    credentials: CredentialStore,
    actors: ActorService,
    clocks: Callable[[Connection, datetime], None],
) -> Alerting:
    """Build it from its configuration; nothing is opened or sent yet. ``clocks`` keep step before the watch looks."""
    way = Way(http.proxy, http.ca_file)
    channels = list(_channels(settings, way, credentials))
    notifier = Notifier(engine, clock, channels, timedelta(minutes=settings.repeat_minutes))
    patience = Patience(
        timedelta(minutes=settings.urgent_minutes),
        timedelta(minutes=settings.silent_minutes),
        timedelta(minutes=settings.due_minutes),
    )
    heartbeat = Heartbeat(
        home / settings.heartbeat_file if settings.heartbeat_file else None,
        _value(settings.heartbeat_url, credentials) if settings.heartbeat_url else None,
        way,
    )

    def elsewhere(connection: Connection, now: datetime) -> Iterator[Matter]:
        yield from _expiring(credentials, settings.expires_early, now)
        yield from _forged(connection, actors, now)

    watch = Watch(engine, clock, patience, notifier, elsewhere, clocks)
    return Alerting(engine, clock, AlarmService(engine, clock), notifier, watch, heartbeat)


def _channels(settings: Alarm, way: Way, credentials: CredentialStore) -> Iterator[Channel]:
    """Give the configured ways to reach a person."""
    if settings.command:
        yield CommandChannel(tuple(settings.command))
    if settings.webhook:
        yield WebhookChannel(_value(settings.webhook, credentials), way)
    if mail := settings.mail:
        password = _value(mail.password, credentials)
        yield MailChannel(
            tuple(mail.to), mail.sender, mail.host, mail.port, way, mail.username, password, mail.starttls
        )


def dated(credentials: CredentialStore) -> Mapping[str, datetime]:
    """Give the credentials that have an end; none where the store cannot be read, which the check-up says."""
    try:
        return credentials.expiries()
    except KeyCustodyError:
        return {}


def _expiring(credentials: CredentialStore, patience: timedelta, now: datetime) -> Iterator[Matter]:
    """Give the credentials that expire soon, or have."""
    for name, expires_at in dated(credentials).items():
        if expires_at - patience <= now:
            yield Matter(Kind.CREDENTIAL_EXPIRES, name, expires_at - patience)


def _forged(connection: Connection, actors: ActorService, now: datetime) -> Iterator[Matter]:
    """Give those of whom the database says what nobody decided; no row tells since when."""
    for handle in actors.forged(connection):
        yield Matter(Kind.PEOPLE_FORGED, handle, alarms.since(connection, Kind.PEOPLE_FORGED, handle) or now)


def _value(value: str, credentials: CredentialStore) -> Callable[[], str]:
    """Give what a configured value stands for; a secret that is missing stops one channel and no delivery."""

    def reveal() -> str:
        if not is_secret(value):
            return value
        name = secret_name(value)
        try:
            return credentials.get(name, FOR_ALARMS).reveal()
        except KeyCustodyError as error:
            raise EnvironmentTroubleError(
                f"secret:{name} cannot be had ({type(error).__name__}); set it with: reporter secret set {name}"
            ) from None

    return reveal
