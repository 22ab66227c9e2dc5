"""The contract suite for object stores."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from reporter.errors import CustodyError
from reporter.evidence.objects import ObjectStore

_KEY = "0123456789abcdef"
_MIB = 1 << 20
#: A store may keep a part or two of a stream in memory (S3 asks for parts of 5 MiB), never the whole.
_LARGE, _BOUND = 48 * _MIB, 24 * _MIB

#: Letters, digits, '.', '_' and '-' in every place where they may stand.
SOUND_KEYS = ("a", "0", "a.b", "a-b", "a_b", "a..b", "a.age", "0123456789abcdef" * 8)
UNSOUND_KEYS = (
    "", ".", "..", "../x", "a/b", "/a", "a\\b", "-rf", "_a", ".hidden", "A", "a\n", "a\0", "a b", "é", "a" * 129,
)  # fmt: skip


class ObjectStoreContract:
    """
    Everything that holds of an object store. A subclass gives the fixture ``open_store``.

        class TestExample(ObjectStoreContract):
            @pytest.fixture
            def open_store(self, tmp_path):
                return lambda: ExampleStore(tmp_path)
    """

    @pytest.fixture
    def open_store(self) -> Callable[[], ObjectStore]:
        """Give what opens the same store again and again, empty the first time."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, open_store: Callable[[], ObjectStore]) -> ObjectStore:
        """Give the store, opened once."""
        return open_store()

    @pytest.mark.parametrize(
        "pieces",
        [[], [b""], [b"one"], [b"one", b"", b"two"], [bytes(_MIB), b"end"]],
        ids=["no piece", "empty", "one", "several", "large"],
    )
    def test_an_object_comes_back_as_it_was_put(self, store: ObjectStore, pieces: list[bytes]) -> None:
        assert not store.exists(_KEY)
        store.put(_KEY, iter(pieces))
        assert store.exists(_KEY)
        assert _content(store, _KEY) == b"".join(pieces)

    def test_an_object_can_be_read_in_pieces_and_twice_at_once(self, store: ObjectStore) -> None:
        store.put(_KEY, [b"one", b"two"])
        with store.open(_KEY) as first, store.open(_KEY) as second:
            assert (first.read(3), second.read(6), first.read(9), first.read()) == (b"one", b"onetwo", b"two", b"")

    def test_an_object_is_never_overwritten(self, store: ObjectStore) -> None:
        store.put(_KEY, [b"first"])
        with pytest.raises(CustodyError):
            store.put(_KEY, [b"second"])
        assert _content(store, _KEY) == b"first"

    def test_keys_are_found_by_how_they_begin(self, store: ObjectStore) -> None:
        for key in ("one.1", "one.2", "two.1", "on"):
            store.put(key, [b""])
        assert sorted(store.keys("one.")) == ["one.1", "one.2"]
        assert list(store.keys("three.")) == []

    def test_of_writers_that_race_one_wins_whole(self, store: ObjectStore) -> None:
        start = threading.Barrier(8)

        def pieces(number: int) -> Iterator[bytes]:
            start.wait()
            yield from [bytes([number])] * 1000

        def put(number: int) -> bool:
            try:
                store.put(_KEY, pieces(number))
            except CustodyError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            won = [number for number, winner in enumerate(pool.map(put, range(8))) if winner]
        assert len(won) == 1
        assert _content(store, _KEY) == bytes([won[0]]) * 1000

    def test_an_object_is_not_there_before_it_is_whole(self, store: ObjectStore) -> None:
        def pieces() -> Iterator[bytes]:
            yield b"one"
            assert not store.exists(_KEY)
            with pytest.raises(CustodyError):
                store.open(_KEY)
            yield b"two"

        store.put(_KEY, pieces())
        assert _content(store, _KEY) == b"onetwo"

    def test_a_writer_that_fails_leaves_nothing(self, store: ObjectStore) -> None:
        class SourceFailedError(Exception):
            """The source of the bytes fails; the store gives its error on."""

        def pieces() -> Iterator[bytes]:
            yield bytes(_MIB)
            raise SourceFailedError

        with pytest.raises(SourceFailedError):
            store.put(_KEY, pieces())
        assert not store.exists(_KEY)
        store.put(_KEY, [b"again"])
        assert _content(store, _KEY) == b"again"

    def test_a_large_object_passes_in_constant_memory(self, store: ObjectStore) -> None:
        tracemalloc.start()
        try:
            store.put(_KEY, (bytes(_MIB) for _ in range(_LARGE // _MIB)))
            with store.open(_KEY) as file:
                read = sum(len(part) for part in iter(lambda: file.read(_MIB), b""))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert read == _LARGE
        assert peak < _BOUND

    def test_a_deleted_object_is_gone_and_may_be_deleted_again(self, store: ObjectStore) -> None:
        store.put(_KEY, [b"one"])
        store.put("another", [b"two"])
        store.delete(_KEY)
        store.delete(_KEY)
        assert not store.exists(_KEY)
        assert _content(store, "another") == b"two"
        with pytest.raises(CustodyError) as caught:
            store.open(_KEY)
        assert _KEY in caught.value.message

    @pytest.mark.parametrize("key", UNSOUND_KEYS)
    def test_a_weird_key_is_refused_everywhere(self, store: ObjectStore, key: str) -> None:
        uses: list[Callable[[], object]] = [
            lambda: store.put(key, [b""]),
            lambda: store.open(key),
            lambda: store.exists(key),
            lambda: store.delete(key),
        ]
        for use in uses:
            with pytest.raises(ValueError):
                use()

    def test_names_are_kept_apart_and_outlive_the_process(self, open_store: Callable[[], ObjectStore]) -> None:
        store = open_store()
        for key in SOUND_KEYS:
            store.put(key, [key.encode()])
        reopened = open_store()
        assert [_content(reopened, key) for key in SOUND_KEYS] == [key.encode() for key in SOUND_KEYS]


def _content(store: ObjectStore, key: str) -> bytes:
    with store.open(key) as file:
        return file.read()
