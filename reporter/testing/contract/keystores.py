"""The contract suite for key stores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from keycustody.errors import KeyExistsError, MissingKeyError
from keycustody.store import KeyStore
from keycustody.wraps import Wrap


def sample(number: int) -> Wrap:
    """Give a wrap that differs from every other."""
    return Wrap("some-kek", 1, "AES-256-GCM", bytes(12), f"{number:>040}".encode())


class KeyStoreContract:
    """
    Everything that holds of a key store. A subclass gives the fixture ``open_store``.

        class TestExample(KeyStoreContract):
            @pytest.fixture
            def open_store(self, tmp_path):
                return lambda: ExampleStore(tmp_path)
    """

    @pytest.fixture
    def open_store(self) -> Callable[[], KeyStore]:
        """Give what opens the same empty store again and again, as every new process does."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, open_store: Callable[[], KeyStore]) -> KeyStore:
        """Give the store, opened once."""
        return open_store()

    def test_a_wrap_outlives_the_process(self, open_store: Callable[[], KeyStore]) -> None:
        open_store().put("case-A.1_b", sample(1))
        assert open_store().get("case-A.1_b") == sample(1)

    def test_an_id_is_taken_once(self, store: KeyStore) -> None:
        store.put("a", sample(1))
        with pytest.raises(KeyExistsError):
            store.put("a", sample(2))
        assert store.get("a") == sample(1)

    def test_what_was_never_there_or_is_gone_is_missing(self, store: KeyStore) -> None:
        with pytest.raises(MissingKeyError):
            store.get("a")
        store.put("a", sample(1))
        store.delete("a")
        store.delete("a")
        with pytest.raises(MissingKeyError):
            store.get("a")
        store.put("a", sample(2))
        assert store.get("a") == sample(2)

    def test_a_wrap_is_replaced_only_while_it_is_the_one_that_was_read(self, store: KeyStore) -> None:
        store.put("a", sample(1))
        assert store.replace("a", sample(1), sample(2))
        assert not store.replace("a", sample(1), sample(3))
        assert store.get("a") == sample(2)

    def test_replacing_never_brings_back_what_was_destroyed(self, store: KeyStore) -> None:
        store.put("a", sample(1))
        store.delete("a")
        assert not store.replace("a", sample(1), sample(2))
        assert list(store.ids()) == []

    def test_ids_are_given_in_order_by_their_beginning(self, store: KeyStore) -> None:
        for key_id in ("item-2", "case-b", "case-a", "Case-c", "case_d", "caseXe"):
            store.put(key_id, sample(1))
        assert list(store.ids("case-")) == ["case-a", "case-b"]
        assert list(store.ids("case_")) == ["case_d"]
        assert list(store.ids()) == sorted(["item-2", "case-b", "case-a", "Case-c", "case_d", "caseXe"])
        for key_id in store.ids("case-"):
            store.delete(key_id)  # while it is being walked through
        assert len(list(store.ids())) == 4

    @pytest.mark.parametrize(
        "key_id", ["", ".", "..", "../x", "a/b", ".partial-1", "-rf", "a\n", "ä", "a" * 129, "a\0", "a b"]
    )
    def test_unsafe_ids_are_refused(self, store: KeyStore, key_id: str) -> None:
        for use in (
            lambda: store.put(key_id, sample(1)),
            lambda: store.get(key_id),
            lambda: store.replace(key_id, sample(1), sample(2)),
            lambda: store.delete(key_id),
        ):
            with pytest.raises(ValueError, match="key id"):
                use()
        assert list(store.ids()) == []

    def test_of_many_at_once_one_creates_and_one_replaces(self, open_store: Callable[[], KeyStore]) -> None:
        stores = [open_store() for _ in range(4)]

        def create(number: int) -> bool:
            try:
                stores[number % 4].put(f"key-{number // 4}", sample(number))
            except KeyExistsError:
                return False
            return True

        def replace(number: int) -> bool:
            key_id = f"key-{number // 4}"
            return stores[number % 4].replace(key_id, before[key_id], sample(1000 + number))

        with ThreadPoolExecutor(4) as pool:
            created = list(pool.map(create, range(40)))
            before = {key_id: stores[0].get(key_id) for key_id in stores[0].ids()}
            replaced = list(pool.map(replace, range(40)))
        for key in range(10):
            mine = slice(key * 4, key * 4 + 4)
            assert (sum(created[mine]), sum(replaced[mine])) == (1, 1)
            winner = key * 4 + replaced[mine].index(True)
            assert stores[0].get(f"key-{key}") == sample(1000 + winner)
