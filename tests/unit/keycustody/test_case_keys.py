import stat
from pathlib import Path
from threading import Barrier, Thread

import pytest

from keycustody import cases, files
from keycustody.cases import CaseKeys
from keycustody.errors import KeyExistsError, MissingKeyError, SealError, StorageError
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.store import FolderKeyStore
from keycustody.wraps import Wrap

CASE, OTHER = "TS-2026-000101", "TS-2026-000102"
DIGEST = "ab" * 32


@pytest.fixture
def store(tmp_path: Path) -> FolderKeyStore:
    files.make_folder(tmp_path / "wraps")
    return FolderKeyStore(tmp_path / "wraps")


@pytest.fixture
def provider(tmp_path: Path) -> LocalKeyring:
    return LocalKeyring.create(tmp_path / "keyring", Places())


@pytest.fixture
def keys(provider: LocalKeyring, store: FolderKeyStore) -> CaseKeys:
    return CaseKeys(provider, store)


def test_body_opens_again_in_another_process(provider: LocalKeyring, store: FolderKeyStore, keys: CaseKeys) -> None:
    sealed = keys.seal_body(CASE, "b1", "document", b"harmless")
    assert b"harmless" not in sealed
    assert CaseKeys(provider, store).open_body(CASE, "b1", "document", sealed) == b"harmless"


def test_the_same_body_never_seals_the_same(keys: CaseKeys) -> None:
    assert len({keys.seal_body(CASE, "b1", "document", b"harmless") for _ in range(20)}) == 20


@pytest.mark.parametrize(
    ("case", "body", "kind"), [(OTHER, "b1", "document"), (CASE, "b2", "document"), (CASE, "b1", "exchange")]
)
def test_swapped_body_is_refused(keys: CaseKeys, case: str, body: str, kind: str) -> None:
    sealed = keys.seal_body(CASE, "b1", "document", b"harmless")
    keys.seal_body(OTHER, "b1", "document", b"harmless")
    with pytest.raises(SealError):
        keys.open_body(case, body, kind, sealed)


def test_altered_body_is_refused(keys: CaseKeys) -> None:
    sealed = keys.seal_body(CASE, "b1", "document", b"harmless")
    altered = [sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :] for place in range(len(sealed))]
    for wrong in (*altered, sealed[:-1], sealed[:5], b"", sealed + b"\0"):
        with pytest.raises(SealError):
            keys.open_body(CASE, "b1", "document", wrong)


def test_reading_makes_no_key(keys: CaseKeys, store: FolderKeyStore) -> None:
    with pytest.raises(MissingKeyError):
        keys.open_body(CASE, "b1", "document", b"\x01" + bytes(40))
    with pytest.raises(MissingKeyError):
        keys.identity(CASE, "i1", DIGEST)
    assert list(store.folder.iterdir()) == []


def test_case_key_is_read_once_for_many_bodies(provider: LocalKeyring, store: FolderKeyStore) -> None:
    class Counting(FolderKeyStore):
        reads = 0

        def get(self, key_id: str) -> Wrap:
            Counting.reads += 1
            return super().get(key_id)

    CaseKeys(provider, store).seal_body(CASE, "b0", "document", b"")
    keys = CaseKeys(provider, Counting(store.folder))
    for _ in range(50):
        keys.seal_body(CASE, "b1", "document", b"harmless")
    assert Counting.reads == 1


def test_memory_of_keys_is_bounded_and_forgets_nothing_for_good(keys: CaseKeys) -> None:
    sealed = keys.seal_body(CASE, "b1", "document", b"harmless")
    for number in range(cases._CACHED_CASES + 3):
        keys.seal_body(f"CASE-{number:06}", "b1", "document", b"")
    assert len(keys._cache) == cases._CACHED_CASES
    assert keys.open_body(CASE, "b1", "document", sealed) == b"harmless"


def test_a_destroyed_case_key_is_forgotten_here_at_once_and_elsewhere_in_minutes(
    provider: LocalKeyring, store: FolderKeyStore
) -> None:
    now = [1000.0]
    here, elsewhere = (CaseKeys(provider, store, lambda: now[0]) for _ in range(2))
    sealed = here.seal_body(CASE, "b1", "document", b"harmless")
    elsewhere.open_body(CASE, "b1", "document", sealed)
    here.forget_case(CASE)
    here.forget_case(CASE)
    with pytest.raises(MissingKeyError):
        here.open_body(CASE, "b1", "document", sealed)
    now[0] += cases.REMEMBERED_SECONDS - 1
    assert elsewhere.open_body(CASE, "b1", "document", sealed) == b"harmless"
    now[0] += 1
    with pytest.raises(MissingKeyError):
        elsewhere.open_body(CASE, "b1", "document", sealed)


def test_keys_that_are_not_asked_for_any_more_leave_memory(provider: LocalKeyring, store: FolderKeyStore) -> None:
    now = [1000.0]
    keys = CaseKeys(provider, store, lambda: now[0])
    keys.seal_body(CASE, "b1", "document", b"harmless")
    now[0] += cases.REMEMBERED_SECONDS
    keys.seal_body(OTHER, "b1", "document", b"harmless")
    assert list(keys._cache) == [OTHER]


def test_two_workers_at_once_agree_on_one_key(provider: LocalKeyring, store: FolderKeyStore) -> None:
    workers, barrier = [CaseKeys(provider, store) for _ in range(8)], Barrier(8)
    sealed: list[bytes] = []

    def work(keys: CaseKeys) -> None:
        barrier.wait()
        sealed.append(keys.seal_body(CASE, "b1", "document", b"harmless"))

    threads = [Thread(target=work, args=(keys,)) for keys in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [workers[0].open_body(CASE, "b1", "document", one) for one in sealed] == [b"harmless"] * 8
    assert [path.name for path in store.folder.iterdir()] == [f"case-{CASE}"]


def test_identity_is_kept_sealed_and_given_back(keys: CaseKeys, store: FolderKeyStore) -> None:
    keys.keep_identity(CASE, "i1", DIGEST, "AGE-SECRET-KEY-1EXAMPLE")
    assert keys.identity(CASE, "i1", DIGEST) == "AGE-SECRET-KEY-1EXAMPLE"
    for path in store.folder.iterdir():
        assert b"EXAMPLE" not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(KeyExistsError):
        keys.keep_identity(CASE, "i1", DIGEST, "AGE-SECRET-KEY-1OTHER")


def test_swapped_wrap_is_refused(keys: CaseKeys, store: FolderKeyStore) -> None:
    keys.keep_identity(CASE, "i1", DIGEST, "AGE-SECRET-KEY-1A")
    keys.keep_identity(CASE, "i2", DIGEST, "AGE-SECRET-KEY-1B")
    keys.keep_identity(OTHER, "i3", DIGEST, "AGE-SECRET-KEY-1C")
    with pytest.raises(SealError):
        keys.identity(CASE, "i1", "cd" * 32)
    with pytest.raises(SealError):
        keys.identity(OTHER, "i1", DIGEST)
    (store.folder / "item-i1").write_bytes((store.folder / "item-i2").read_bytes())
    with pytest.raises(SealError):
        keys.identity(CASE, "i1", DIGEST)
    (store.folder / f"case-{CASE}").write_bytes((store.folder / f"case-{OTHER}").read_bytes())
    fresh = CaseKeys(keys._provider, store)
    with pytest.raises(SealError):
        fresh.identity(CASE, "i2", DIGEST)
    with pytest.raises(SealError):
        fresh.seal_body(CASE, "b1", "document", b"harmless")


def test_forgotten_identity_is_gone(keys: CaseKeys) -> None:
    keys.keep_identity(CASE, "i1", DIGEST, "AGE-SECRET-KEY-1A")
    keys.forget_identity("i1")
    keys.forget_identity("i1")
    with pytest.raises(MissingKeyError):
        keys.identity(CASE, "i1", DIGEST)


def test_a_store_that_is_not_there_or_open_to_others_is_trouble_not_a_missing_key(tmp_path: Path) -> None:
    store = FolderKeyStore(tmp_path / "nowhere")
    for use in (lambda: store.put("a", Wrap("k", 1, "a", b"", b"")), lambda: store.get("a"), lambda: store.delete("a")):
        with pytest.raises(StorageError):
            use()
    files.make_folder(tmp_path / "nowhere")
    (tmp_path / "nowhere").chmod(0o755)
    with pytest.raises(StorageError):
        store.get("a")
