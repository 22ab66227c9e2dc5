"""The local key provider, key stores and object store under the contracts of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keycustody.database_store import DatabaseKeyStore
from keycustody.files import make_folder
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.store import FolderKeyStore
from reporter.evidence.objects import LocalObjectStore
from reporter.testing.contract.keys import KeyProviderContract
from reporter.testing.contract.keystores import KeyStoreContract
from reporter.testing.contract.objects import ObjectStoreContract


class TestLocalKeyring(KeyProviderContract):
    @pytest.fixture
    def open_provider(self, tmp_path: Path) -> Callable[[], LocalKeyring]:
        LocalKeyring.create(tmp_path / "keys", Places())
        return lambda: LocalKeyring.open(tmp_path / "keys", Places())


class TestFolderKeyStore(KeyStoreContract):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Callable[[], FolderKeyStore]:
        make_folder(tmp_path / "wraps")
        return lambda: FolderKeyStore(tmp_path / "wraps")


class TestDatabaseKeyStore(KeyStoreContract):
    @pytest.fixture
    def open_store(self, empty_database_url: str) -> Iterator[Callable[[], DatabaseKeyStore]]:
        stores = [DatabaseKeyStore.create(empty_database_url)]

        def another() -> DatabaseKeyStore:
            stores.append(DatabaseKeyStore.open(empty_database_url))
            return stores[-1]

        yield another
        for store in stores:
            store.close()


class TestLocalObjectStore(ObjectStoreContract):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Callable[[], LocalObjectStore]:
        make_folder(tmp_path / "objects")
        return lambda: LocalObjectStore(tmp_path / "objects")

    def test_a_writer_that_fails_leaves_nothing(self, store: LocalObjectStore) -> None:  # type: ignore[override]
        super().test_a_writer_that_fails_leaves_nothing(store)
        assert [path.name for path in store.folder.iterdir()] == ["0123456789abcdef"]
