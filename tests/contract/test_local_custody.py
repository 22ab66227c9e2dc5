"""The local key provider and object store under the contracts of all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from keycustody.files import make_folder
from keycustody.providers import LocalKeyring
from reporter.evidence.objects import LocalObjectStore
from reporter.testing.contract.keys import KeyProviderContract
from reporter.testing.contract.objects import ObjectStoreContract


class TestLocalKeyring(KeyProviderContract):
    @pytest.fixture
    def open_provider(self, tmp_path: Path) -> Callable[[], LocalKeyring]:
        LocalKeyring.create(tmp_path / "keys")
        return lambda: LocalKeyring.open(tmp_path / "keys")


class TestLocalObjectStore(ObjectStoreContract):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Callable[[], LocalObjectStore]:
        make_folder(tmp_path / "objects")
        return lambda: LocalObjectStore(tmp_path / "objects")

    def test_a_writer_that_fails_leaves_nothing(self, store: LocalObjectStore) -> None:  # type: ignore[override]
        super().test_a_writer_that_fails_leaves_nothing(store)
        assert [path.name for path in store.folder.iterdir()] == ["0123456789abcdef"]
