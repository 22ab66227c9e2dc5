"""From a configuration to who holds the root key, where wraps are kept, and the credentials under the same key."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from keycustody import files
from keycustody.credentials import CredentialStore
from keycustody.database_store import DatabaseKeyStore
from keycustody.errors import MissingKeyError
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.providers import KeyProvider
from keycustody.shelves import FolderShelf, Shelf
from keycustody.store import FolderKeyStore, KeyStore
from reporter.config import Configuration, Keys
from reporter.errors import ConfigurationError
from reporter.evidence.custody import custody_errors
from reporter.layout import Layout

if TYPE_CHECKING:
    from keycustody.hsm import TokenKeyring
    from keycustody.transit import TransitKeyring


_LOST = "Restore the folder from its backup: without its keys nothing that was sealed opens."


@runtime_checkable
class _Closing(Protocol):
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Custody:
    """What keeps the keys of a home."""

    provider: KeyProvider
    store: KeyStore
    credentials: CredentialStore

    def close(self) -> None:
        """Close the connections to services and databases."""
        for part in (self.provider, self.store):
            if isinstance(part, _Closing):
                part.close()


def open_custody(configuration: Configuration) -> Custody:
    """
    Open what ``create_custody`` made.

    Raises:
        CustodyError: The keys are missing, or do not open.
        EnvironmentTroubleError: They cannot be read, or others may read them.
    """
    layout, settings = Layout(configuration.home), configuration.keys
    with custody_errors(next_step=_LOST if settings.provider == "local" else ""):
        provider = _provider(layout, settings)
    with custody_errors():
        url = settings.store_url
        store: KeyStore = DatabaseKeyStore.open(url) if url else FolderKeyStore(layout.wraps)
    shelf: Shelf = FolderShelf(layout.credentials)
    if settings.credentials == "database" and isinstance(store, DatabaseKeyStore):
        shelf = store.shelf()
    return Custody(provider, store, CredentialStore(shelf, provider))


def create_custody(configuration: Configuration) -> Custody:
    """
    Make the keys of a new home; what an earlier attempt left, or another machine made, is used.

    Raises:
        ConfigurationError: The passphrase is too short.
        CustodyError: The keys that are there already cannot be used.
        EnvironmentTroubleError: They cannot be written.
    """
    layout, settings = Layout(configuration.home), configuration.keys
    with custody_errors(), files.trouble("The home cannot be written"):
        for folder in (layout.wraps, layout.credentials):
            files.make_folder(folder)
        _create_provider(layout, settings)
        if settings.store_url:
            DatabaseKeyStore.create(settings.store_url).close()
    return open_custody(configuration)


def _provider(layout: Layout, settings: Keys) -> KeyProvider:
    return LocalKeyring.open(layout.keyring, places(settings)) if settings.provider == "local" else _remote(settings)


def _create_provider(layout: Layout, settings: Keys) -> None:
    if settings.provider != "local":
        with closing(_remote(settings)) as provider:
            provider.create()
        return
    try:
        LocalKeyring.open(layout.keyring, places(settings))
    except MissingKeyError:
        try:
            LocalKeyring.create(layout.keyring, places(settings))
        except ValueError as error:
            raise ConfigurationError(f"keys.passphrase_file: {error}.") from error


def _remote(settings: Keys) -> TokenKeyring | TransitKeyring:
    """Give a provider that holds the key itself; nothing is asked yet."""
    if settings.provider == "pkcs11" and settings.module:
        from keycustody.hsm import TokenKeyring

        return TokenKeyring(settings.module, settings.token, settings.name, settings.pin_file)
    if settings.provider == "transit" and settings.url and settings.token_file:
        from keycustody.transit import TransitKeyring

        return TransitKeyring(settings.url, settings.mount, settings.name, settings.token_file, settings.ca_file)
    raise ConfigurationError("keys.provider: the keys that it needs are not set.")


def places(settings: Keys) -> Places:
    """Say where a local keyring finds what unlocks it."""
    return Places(settings.machine_secret_file, settings.passphrase_file)
