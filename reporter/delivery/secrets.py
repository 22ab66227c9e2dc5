"""Credentials as people keep them: set, deleted, expiring; each change is a custody event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine

from keycustody.credentials import CredentialStore
from reporter.actors.founding import FOUNDING
from reporter.audit import service as audit
from reporter.audit.signing import SIGNING_KEY
from reporter.clock import Clock
from reporter.config import Authority, Configuration
from reporter.db.engine import transaction
from reporter.delivery.alerting import FOR_ALARMS
from reporter.delivery.model import lane_name
from reporter.delivery.queue import Queue
from reporter.errors import ConfigurationError, NotFoundError, PolicyError, UsageError
from reporter.evidence.custody import custody_errors
from reporter.evidence.stores import FOR_OBJECTS

#: Credentials of the house itself, and what each does.
_OURS = {SIGNING_KEY: "signs the custody log", FOUNDING: "says where the register of people begins"}


class SecretService:
    """Keeps each credential for what the configuration uses it for."""

    def __init__(
        self, database: Engine, clock: Clock, configuration: Configuration, credentials: CredentialStore, queue: Queue
    ) -> None:
        self._database, self._clock, self._configuration = database, clock, configuration
        self._credentials, self._queue = credentials, queue

    def set(self, name: str, value: str, actor: str, expires_at: datetime | None = None) -> tuple[str, list[str]]:
        """
        Seal a credential for the environment of the authority that uses it, and let lanes that wait for it go on.

        Returns:
            The environment (or that it is for alarms or objects), and the lanes that go on.

        Raises:
            ConfigurationError: Nothing uses it, or too much does.
            PolicyError: It is none of people's.
            UsageError: It has expired already.
            EnvironmentTroubleError: It cannot be kept.
        """
        if expires_at is not None and expires_at <= self._clock.now():
            raise UsageError("That day is over; nothing was changed.")
        self._not_ours(name)
        users = self._users(name)
        purposes = {FOR_ALARMS: self._configuration.alarm.secrets, FOR_OBJECTS: self._configuration.objects.secrets}
        others = [purpose for purpose, secrets in purposes.items() if name in secrets.values()]
        if others and (users or len(others) > 1):
            owners = " and ".join([*(["an authority"] if users else []), *others])
            raise ConfigurationError(f"secret:{name} is used for {owners}; give each its own.")
        owner = others[0] if others else _one_environment(name, users)
        with transaction(self._database) as connection, custody_errors():
            detail = f"{name} {owner}" + (f" until {expires_at:%Y-%m-%d}" if expires_at else "")
            audit.record(connection, at=self._clock.now(), actor=actor, kind="credential_set", detail=detail)
            self._credentials.set(name, value, owner, expires_at)
        lanes = [lane_name(key, section.environment) for key, section in users.items()]
        return owner, [lane for lane in lanes if self._queue.resume(lane, actor)]

    def delete(self, name: str, actor: str) -> None:
        """
        Remove a credential.

        Raises:
            NotFoundError: There is none of that name.
            PolicyError: It is none of people's.
            EnvironmentTroubleError: It cannot be removed.
        """
        self._not_ours(name)
        with transaction(self._database) as connection, custody_errors():
            owner = self._credentials.names().get(name)
            if owner is None:
                raise NotFoundError(f"There is no secret {name}.", next_step="See: reporter secret list")
            detail = f"{name} {owner}"
            audit.record(connection, at=self._clock.now(), actor=actor, kind="credential_deleted", detail=detail)
            self._credentials.delete(name)

    def stamp(self, authority: str) -> str:
        """
        Give what changes with an authority's credential, whoever changed it.

        Raises:
            EnvironmentTroubleError: The credential store cannot be read.
        """
        name = self._configuration.authority[authority].secret_name
        with custody_errors():
            return self._credentials.stamp(name) if name else ""

    def _users(self, name: str) -> Mapping[str, Authority]:
        return {key: section for key, section in self._configuration.authority.items() if section.secret_name == name}

    @staticmethod
    def _not_ours(name: str) -> None:
        if name in _OURS:
            raise PolicyError(f"secret:{name} {_OURS[name]} and is set by nobody.")


def _one_environment(name: str, users: Mapping[str, Authority]) -> str:
    if not users:
        raise ConfigurationError(
            f"No authority uses secret:{name}.", next_step=f'Write password = "secret:{name}" in its section first.'
        )
    environments = {section.environment for section in users.values()}
    if len(environments) > 1:
        raise ConfigurationError(f"secret:{name} is used in several environments; give each its own (law 9).")
    return environments.pop()
