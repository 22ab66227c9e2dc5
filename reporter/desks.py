"""From the configuration to the desks where packages are made, and to channels to the authorities."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import SecretStr

from keycustody.credentials import CredentialStore
from reporter.abilities import Adapters, machine
from reporter.authority import Connection, Endpoint
from reporter.config import Configuration
from reporter.errors import ConfigurationError
from reporter.evidence.custody import custody_errors
from reporter.handouts import settings as by_hand
from reporter.submissions.packaging import Desk
from reporter.submissions.schemas import SchemaShelf


def desk_of(name: str, configuration: Configuration, adapters: Adapters, shelf: SchemaShelf) -> Desk:
    """
    Give the desk of one configured authority.

    Raises:
        ConfigurationError: Its section is wrong; the text names it.
    """
    section = configuration.authority[name]
    if name not in adapters:
        known = ", ".join(sorted(adapters)) or "none"
        raise ConfigurationError(f"authority.{name}: there is no such adapter (installed: {known}).")
    adapter = adapters[name]
    if unknown := section.settings.keys() - adapter.setting_keys - by_hand.keys_of(adapter):
        raise ConfigurationError(f"authority.{name}.{min(unknown)}: unknown key.")
    with _named(name):
        by_hand.require_a_way(section, adapter)
    return Desk(adapter, section.environment, configuration.organisation, section.settings, shelf)


def connect(
    name: str, configuration: Configuration, desk: Desk, credentials: CredentialStore, transport: Any = None
) -> Connection:
    """
    Open a channel to one authority, with its credential; nothing is sent yet.

    Raises:
        ConfigurationError: Its section, the proxy or the certificate authority is wrong.
        CustodyError: The credential is missing, or does not open.
        PolicyError: The credential belongs to another environment.
        EnvironmentTroubleError: The credential store cannot be read.
    """
    section, adapter = configuration.authority[name], machine(desk.adapter)
    if not section.secret_name:
        raise ConfigurationError(f"authority.{name}: username and password are needed to connect.")
    with custody_errors(f"authority.{name}: ", next_step=f"Set it with: reporter secret set {section.secret_name}"):
        password = credentials.get(section.secret_name, section.environment).reveal()
    with _named(name):
        endpoint = Endpoint(
            environment=section.environment,
            base_url=adapter.endpoint_url(section.environment, section.base_url),
            username=section.username,
            password=SecretStr(password),
            timeout_seconds=configuration.delivery.timeout_seconds,
            proxy=configuration.http.proxy,
            ca_file=configuration.http.ca_file,
        )
        return adapter.connect(endpoint, transport)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Say whose section it is that an adapter finds wrong."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"authority.{name}: {error.message}", next_step=error.next_step) from error
