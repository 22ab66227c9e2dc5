"""
Sealing and opening, in one run with what they are held against.

`md5sum` alone is the physical limit: an authority that answers with MD5 forces that stage on everybody, and nothing
makes it faster. The others are what a person would do instead: seal with a program, then take the digests.
"""

import hashlib
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keycustody import age, files
from keycustody.cases import CaseKeys
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.store import FolderKeyStore
from reporter.clock import SystemClock
from reporter.evidence.model import SealedItem
from reporter.evidence.objects import LocalObjectStore
from reporter.evidence.vault import EvidenceVault, Plain

SIZE = 256 << 20
ROUNDS = 5
SMALL_FILES, SMALL = 1000, 10_000
#: A bound that only a mistake (a second pass, a copy for every chunk) falls under, even on a busy machine.
LEAST_SHARE_OF_MD5 = 0.1
LIMIT = "md5sum alone"
SEAL = "seal: MD5, SHA-256, age, SHA-256 of the object, fsync"
OPEN = "open: age, SHA-256"
REFERENCE = "TS-2026-000101"


@pytest.fixture
def vault(tmp_path: Path) -> EvidenceVault:
    for name in ("keystore", "objects"):
        files.make_folder(tmp_path / name)
    keys = CaseKeys(LocalKeyring.create(tmp_path / "keys", Places()), FolderKeyStore(tmp_path / "keystore"))
    return EvidenceVault(keys, LocalObjectStore(tmp_path / "objects"), SystemClock())


@pytest.fixture
def gpg(tmp_path: Path, program: Callable[[str], str]) -> Iterator[list[str]]:
    """Give the beginning of a gpg command that seals to a key of its own."""
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    base = [program("gpg"), "--homedir", str(home), "--batch", "--quiet"]
    options = ["--pinentry-mode", "loopback", "--passphrase", ""]
    subprocess.run([*base, *options, "--quick-generate-key", "bench", "default", "default", "never"], check=True)
    yield [*base, "--trust-model", "always", "--recipient", "bench"]
    subprocess.run([program("gpgconf"), "--homedir", home, "--kill", "all"], check=True)


def test_one_large_file(
    vault: EvidenceVault,
    gpg: list[str],
    tmp_path: Path,
    program: Callable[[str], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, made = tmp_path / "file", tmp_path / "made"
    with file.open("wb") as target:
        for _ in range(SIZE >> 20):
            target.write(os.urandom(1 << 20))
    with file.open("rb") as source:
        plain = Plain("file-1", "file", hashlib.file_digest(source, "sha256").hexdigest(), "evidence[0]")
    to = age.Identity.generate().recipient

    def run(*command: str | Path) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def digests() -> None:
        run(program("md5sum"), file)
        run(program("sha256sum"), file)

    def with_age() -> None:
        run(program("age"), "-r", to, "-o", made, file)
        digests()

    def with_gpg() -> None:
        run(*gpg, "--yes", "--output", made, "--encrypt", file)
        digests()

    def seal() -> SealedItem:
        return vault.seal_all(REFERENCE, [plain], folder=tmp_path, digests=frozenset({"md5"}))[0]

    sealed = seal()
    works: dict[str, Callable[[], object]] = {
        LIMIT: lambda: run(program("md5sum"), file),
        SEAL: seal,
        "age, then md5sum and sha256sum, no fsync": with_age,
        "gpg, then md5sum and sha256sum, no fsync": with_gpg,
        OPEN: lambda: [None for _ in vault.open(sealed)],
    }
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):  # by turns, so that what else the machine does falls on all of them
        for name, work in works.items():
            begun = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - begun)
    limit = statistics.median(seconds[LIMIT])
    with capsys.disabled():
        for name, taken in seconds.items():
            middle = statistics.median(taken)
            ratios = sorted(md5 / each for md5, each in zip(seconds[LIMIT], taken, strict=True))
            spread = f"{ratios[0]:4.2f} to {ratios[-1]:4.2f}"
            print(f"\n  {SIZE / middle / 1e6:6.0f} MB/s  {limit / middle:4.2f} ({spread})  {name}", end="")
        print()
    for name in (SEAL, OPEN):
        assert statistics.median(seconds[name]) <= limit / LEAST_SHARE_OF_MD5


def test_many_small_files(vault: EvidenceVault, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = []
    for number in range(SMALL_FILES):
        content = os.urandom(SMALL)
        (tmp_path / f"{number}").write_bytes(content)
        plain.append(Plain(f"{number}", f"{number}", hashlib.sha256(content).hexdigest(), f"evidence[{number}]"))
    begun = time.perf_counter()
    vault.seal_all(REFERENCE, plain, folder=tmp_path, digests=frozenset({"md5"}))
    rate = SMALL_FILES / (time.perf_counter() - begun)
    with capsys.disabled():
        print(f"\n  {rate:6.0f} files/s  files of {SMALL:,} bytes sealed, four flushes each")
