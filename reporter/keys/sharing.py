"""Credentials of one machine's folder, taken over into the database that all machines share."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from keycustody.credentials import CredentialStore
from keycustody.shelves import FolderShelf
from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.config import Configuration
from reporter.db.engine import transaction
from reporter.errors import UsageError
from reporter.evidence.custody import custody_errors
from reporter.keys.opening import Custody
from reporter.layout import Layout


@dataclass(frozen=True, slots=True)
class Shared:
    """What moved, and what was ``left`` in the folder because the database has another credential of that name."""

    moved: tuple[str, ...]
    left: tuple[str, ...]


def share(database: Engine, clock: Clock, configuration: Configuration, custody: Custody, actor: str) -> Shared:
    """
    Move the credentials of this machine's folder, as they are sealed.

    Raises:
        UsageError: Credentials are not shared by the configuration.
        CustodyError: One was altered, or is sealed under another root key.
        EnvironmentTroubleError: A store cannot be read or written.
    """
    if configuration.keys.credentials != "database":
        raise UsageError(
            "Credentials lie in this home's folder.", next_step='Set credentials = "database" in the section [keys].'
        )
    folder = CredentialStore(FolderShelf(Layout(configuration.home).credentials), custody.provider)
    moved, left = [], []
    with custody_errors():
        there = custody.credentials.names()
        for name in folder.files():
            sealed = folder.sealed(name)
            secret = folder.get(name, sealed.environment).reveal()  # what does not open here opens nowhere
            if name not in there:
                with transaction(database) as connection:
                    told = f"{name} {sealed.environment} shared"
                    audit.record(connection, at=clock.now(), actor=actor, kind="credential_set", detail=told)
                custody.credentials.restore(name, sealed)
                moved.append(name)
            elif (
                there[name] != sealed.environment
                or custody.credentials.get(name, sealed.environment).reveal() != secret
            ):
                left.append(name)
                continue
            folder.delete(name)
    return Shared(tuple(moved), tuple(left))
