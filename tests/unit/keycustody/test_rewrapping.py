from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from keycustody import files
from keycustody.cases import CaseKeys
from keycustody.credentials import CredentialStore
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.rewrapping import Outcome, RootWraps
from keycustody.shelves import FolderShelf
from keycustody.store import FolderKeyStore
from keycustody.wraps import Wrap

CASES = [f"TEST-{number:06}" for number in range(1, 7)]
BODY = b"harmless"


class Killed(BaseException):
    """The process ends here."""


class Mortal:
    """Stands before a store or provider, and ends the process before or after its n-th change."""

    def __init__(self, inner: Any, lives: list[int], *methods: str) -> None:
        self._inner, self._lives, self._methods = inner, lives, methods

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in self._methods:
            return found

        def call(*arguments: Any) -> Any:
            self._spend()
            result = found(*arguments)
            self._spend()
            return result

        return call

    def _spend(self) -> None:
        self._lives[0] -= 1
        if self._lives[0] == 0:
            raise Killed


class Safe:
    """A keyring, a key store and credentials with something in each."""

    def __init__(self, folder: Path) -> None:
        for name in ("wraps", "credentials"):
            files.make_folder(folder / name)
        self.keyring = LocalKeyring.create(folder / "keys", Places())
        self.store = FolderKeyStore(folder / "wraps")
        self.credentials = CredentialStore(FolderShelf(folder / "credentials"), self.keyring)
        keys = CaseKeys(self.keyring, self.store)
        self.bodies = {case: keys.seal_body(case, "b", "document", BODY) for case in CASES}
        keys.keep_identity(CASES[0], "i1", "digest", "an identity")
        self.credentials.set("ncmec-password", "harmless-word", "sandbox")
        self.wraps = RootWraps(self.keyring, self.store, self.credentials)

    def open_all(self) -> None:
        keys = CaseKeys(self.keyring, self.store)  # with nothing remembered
        assert {keys.open_body(case, "b", "document", sealed) for case, sealed in self.bodies.items()} == {BODY}
        assert keys.identity(CASES[0], "i1", "digest") == "an identity"
        assert self.credentials.get("ncmec-password", "sandbox").reveal() == "harmless-word"

    def on_version(self, version: int) -> int:
        return self.wraps.versions()[self.keyring.kek_id, version]


@pytest.fixture
def safe(tmp_path: Path) -> Safe:
    return Safe(tmp_path)


def outcomes(safe: Safe) -> Counter[Outcome]:
    return Counter(step.outcome for step in safe.wraps.rewrap())


def test_everything_goes_under_the_new_version_once(safe: Safe) -> None:
    assert safe.keyring.rotate() == 2
    assert (safe.on_version(1), safe.on_version(2), safe.wraps.count()) == (7, 0, 7)
    assert outcomes(safe) == {Outcome.REWRAPPED: 7}
    assert (safe.on_version(1), safe.on_version(2)) == (0, 7)
    assert outcomes(safe) == {Outcome.CURRENT: 7}
    safe.open_all()


def test_without_the_old_version_all_opens_then(safe: Safe, tmp_path: Path) -> None:
    safe.keyring.rotate()
    list(safe.wraps.rewrap())
    newest = {2: safe.keyring.reveal()[2]}
    safe.keyring = LocalKeyring.restore(tmp_path / "newest", Places(), safe.keyring.kek_id, newest)
    safe.credentials = CredentialStore(safe.credentials.shelf, safe.keyring)
    safe.open_all()


def test_killed_at_any_step_everything_opens_and_another_run_goes_on(tmp_path: Path) -> None:
    for lives in range(1, 40):
        safe, left = Safe(tmp_path / str(lives)), [lives]
        provider = Mortal(safe.keyring, left, "rotate", "wrap", "unwrap")
        store, credentials = Mortal(safe.store, left, "replace"), Mortal(safe.credentials, left, "replace")
        with pytest.raises(Killed):
            provider.rotate()
            list(RootWraps(provider, store, credentials).rewrap())
        safe.open_all()
        left[0] = 0
        list(safe.wraps.rewrap())
        assert safe.on_version(safe.keyring.current_version) == 7
        safe.open_all()


def test_items_open_at_every_moment_of_a_rotation(safe: Safe) -> None:
    ended = Event()

    def opening() -> int:
        rounds = 0
        while not ended.is_set():
            safe.open_all()
            rounds += 1
        return rounds

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(opening) for _ in range(2)]
        for _ in range(8):
            safe.keyring.rotate()
            list(safe.wraps.rewrap())
        ended.set()
        assert all(reader.result() > 0 for reader in readers)
    assert safe.on_version(9) == 7


def test_what_was_destroyed_or_set_anew_meanwhile_is_left_so(safe: Safe, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = safe.keyring.wrap

    def meddling(key: bytes, context: Any) -> Wrap:
        """Another process is faster, between reading the old wrap and keeping the new one."""
        monkeypatch.setattr(safe.keyring, "wrap", inner)
        new = inner(key, context)
        if "credential" in context:
            safe.credentials.set("ncmec-password", "a newer word", "sandbox")
        else:
            safe.store.delete(f"case-{context['case']}")
        monkeypatch.setattr(safe.keyring, "wrap", meddling)
        return new

    safe.keyring.rotate()
    monkeypatch.setattr(safe.keyring, "wrap", meddling)
    assert outcomes(safe) == {Outcome.GONE: 6, Outcome.CURRENT: 1}
    assert list(safe.store.ids("case-")) == []
    assert safe.credentials.get("ncmec-password", "sandbox").reveal() == "a newer word"


def test_a_wrap_kept_late_is_found_by_the_same_run(safe: Safe) -> None:
    late = safe.keyring.wrap(b"k" * 32, {"case": "TEST-000009", "use": "case-key"})
    safe.keyring.rotate()
    run = safe.wraps.rewrap()
    next(run)
    safe.store.put("case-TEST-000009", late)
    list(run)
    assert (safe.on_version(1), safe.on_version(2)) == (0, 8)


def test_what_does_not_open_is_named_and_stays_and_keeps_nothing_else_back(safe: Safe) -> None:
    file, stray = safe.store.folder / f"case-{CASES[0]}", safe.store.folder / f"case-{CASES[1]}"
    file.write_bytes(b"damaged")
    stray.write_bytes((safe.store.folder / f"case-{CASES[2]}").read_bytes())
    safe.keyring.rotate()
    steps = list(safe.wraps.rewrap())
    assert {step.name for step in steps if step.outcome is Outcome.FAILED} == {file.name, stray.name}
    assert {step.name for step in safe.wraps.unopened()} == {file.name, stray.name}
    assert file.read_bytes() == b"damaged"
    assert (safe.on_version(1), safe.on_version(2), safe.wraps.versions()[None]) == (1, 5, 1)
