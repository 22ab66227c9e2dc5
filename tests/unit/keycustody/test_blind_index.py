from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keycustody import files
from keycustody.blind_index import BlindIndex, Kind, normalise
from keycustody.credentials import CredentialStore
from keycustody.errors import SealError
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.rewrapping import RootWraps
from keycustody.shelves import FolderShelf
from keycustody.store import FolderKeyStore


@pytest.fixture
def store(tmp_path: Path) -> FolderKeyStore:
    files.make_folder(tmp_path / "wraps")
    return FolderKeyStore(tmp_path / "wraps")


@pytest.fixture
def provider(tmp_path: Path) -> LocalKeyring:
    return LocalKeyring.create(tmp_path / "keyring", Places())


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (Kind.EMAIL, " Someone@Forum.Example ", "someone@forum.example"),
        (Kind.EMAIL, "stra\N{LATIN SMALL LETTER SHARP S}e@forum.example", "STRASSE@FORUM.EXAMPLE"),
        (Kind.PHONE, "+1 (555) 010-0199", "0015550100199"),
        (Kind.PHONE, "\uff11\uff15\uff15\uff15", "1555"),
        (Kind.USER_NAME, "@Some_One", "some_one"),
        (Kind.NAME, "Ada  E\N{COMBINING ACUTE ACCENT}xample", "ADA \N{LATIN SMALL LETTER E WITH ACUTE}XAMPLE"),
    ],
)
def test_the_same_value_written_otherwise_has_the_same_index(
    provider: LocalKeyring, store: FolderKeyStore, kind: Kind, one: str, other: str
) -> None:
    index = BlindIndex(provider, store, "people")
    assert index.of(kind, one) == index.of(kind, other)


def test_kinds_registers_and_values_are_kept_apart(provider: LocalKeyring, store: FolderKeyStore) -> None:
    people, contacts = (BlindIndex(provider, store, name) for name in ("people", "contacts"))
    found = {index.of(kind, text) for index in (people, contacts) for kind in Kind for text in ("1555", "1556")}
    assert len(found) == 2 * len(Kind) * 2


def test_another_process_finds_the_same(provider: LocalKeyring, store: FolderKeyStore) -> None:
    def index(_: int) -> str:
        return BlindIndex(provider, store, "people").of(Kind.EMAIL, "a@forum.example")

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(index, range(8)))) == 1


def test_the_key_of_one_register_is_none_of_another(provider: LocalKeyring, store: FolderKeyStore) -> None:
    BlindIndex(provider, store, "people").of(Kind.EMAIL, "a@forum.example")
    (store.folder / "index-people").rename(store.folder / "index-contacts")
    with pytest.raises(SealError):
        BlindIndex(provider, store, "contacts").of(Kind.EMAIL, "a@forum.example")


def test_a_rotation_takes_the_keys_of_registers_along(
    provider: LocalKeyring, store: FolderKeyStore, tmp_path: Path
) -> None:
    files.make_folder(tmp_path / "credentials")
    before = BlindIndex(provider, store, "people").of(Kind.EMAIL, "a@forum.example")
    version = provider.rotate()
    wraps = RootWraps(provider, store, CredentialStore(FolderShelf(tmp_path / "credentials"), provider))
    assert [step.name for step in wraps.rewrap()] == ["index-people"]
    assert wraps.versions() == {(provider.kek_id, version): 1}
    assert BlindIndex(provider, store, "people").of(Kind.EMAIL, "a@forum.example") == before


@pytest.mark.parametrize(("kind", "value"), [(Kind.EMAIL, "  "), (Kind.PHONE, "none"), (Kind.USER_NAME, "@")])
def test_what_is_nothing_has_no_index(kind: Kind, value: str) -> None:
    with pytest.raises(ValueError, match="nothing is left"):
        normalise(kind, value)


@given(st.sampled_from([kind for kind in Kind if kind not in (Kind.PHONE, Kind.USER_NAME)]), st.text())
def test_a_normal_form_is_its_own(kind: Kind, value: str) -> None:
    try:
        normal = normalise(kind, value)
    except ValueError:
        return
    assert normalise(kind, normal) == normal
