"""Many files of one case, short and long: in order, all or none; and nothing shared between cases."""

import os
import subprocess
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import pytest

from reporter.errors import CustodyError, DocumentError, EnvironmentTroubleError
from reporter.evidence.digests import LONG
from reporter.evidence.objects import LocalObjectStore
from reporter.evidence.vault import Plain

CASE = "TS-2026-000101"
MARKER = b"SYNTHETIC HARMLESS MARKER "


def plain(house, count: int, long: frozenset[int] = frozenset()) -> list[Plain]:
    files = []
    for number in range(count):
        content = MARKER + str(number).encode() + bytes(LONG if number in long else 0)
        house.write(f"f/{number}", content)
        files.append(Plain(f"file-{number}", f"f/{number}", sha256(content).hexdigest(), f"evidence[{number}]"))
    return files


def seal(house, files: list[Plain], reference: str = CASE):
    return house.vault.seal_all(reference, files, folder=house.folder, digests=frozenset({"md5"}))


def test_items_come_in_the_order_of_their_files(house) -> None:
    files = plain(house, 60, long=frozenset({0, 31}))
    sealed = seal(house, files)
    assert [item.item for item in sealed] == [file.item for file in files]
    assert len({item.id for item in sealed}) == 60
    for item in sealed:
        house.vault.verify(item)


def test_one_refused_among_many_refuses_all(house) -> None:
    files = plain(house, 60, long=frozenset({40}))
    for number in (7, 40, 59):
        (house.folder / f"f/{number}").write_bytes(b"changed")
    with pytest.raises(DocumentError) as refusal:
        seal(house, files)
    assert [finding.path for finding in refusal.value.findings] == [f"evidence[{each}].sha256" for each in (7, 40, 59)]
    assert house.contents() == {}


@pytest.mark.parametrize("stop", [EnvironmentTroubleError("full"), KeyboardInterrupt()], ids=["full", "interrupted"])
def test_what_stops_among_many_leaves_nothing(house, stop: BaseException) -> None:
    class Stopping(LocalObjectStore):
        def put(self, key: str, pieces: Iterable[bytes]) -> None:
            if len(list(self.folder.glob("[!.]*"))) >= 20:
                raise stop
            super().put(key, pieces)

    with pytest.raises(type(stop)):
        seal(house.with_objects(Stopping(house.home / "objects")), plain(house, 60))
    assert house.contents() == {}


def test_the_same_file_in_two_cases_is_kept_twice_and_opens_apart(house) -> None:
    (file,) = plain(house, 1)
    (first,), (second,) = seal(house, [file]), seal(house, [file], "TS-2026-000102")
    assert first.sha256 == second.sha256
    assert first.id != second.id
    objects = [(house.home / "objects" / item.id).read_bytes() for item in (first, second)]
    assert objects[0] != objects[1]
    assert house.keys.identity(CASE, first.id, first.ciphertext_sha256) != house.keys.identity(
        "TS-2026-000102", second.id, second.ciphertext_sha256
    )
    house.vault.discard(first)
    with pytest.raises(CustodyError):
        house.vault.verify(first)
    house.vault.verify(second)


#: Seals in a process that may write no file longer than 6 MiB: what a full disk does in the middle of an object.
FULL = """
import resource, sys
from pathlib import Path
from keycustody import files
from keycustody.cases import CaseKeys
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.store import FolderKeyStore
from reporter.clock import SystemClock
from reporter.errors import EnvironmentTroubleError
from reporter.evidence.objects import LocalObjectStore
from reporter.evidence.vault import EvidenceVault, Plain

home, folder, digest = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
keys = CaseKeys(LocalKeyring.open(home / "keys", Places()), FolderKeyStore(home / "keystore"))
vault = EvidenceVault(keys, LocalObjectStore(home / "objects"), SystemClock())
resource.setrlimit(resource.RLIMIT_FSIZE, (6 << 20, 6 << 20))
try:
    vault.seal_all("C", [Plain("f", "f", digest, "evidence[0]")], folder=folder, digests=frozenset({"md5"}))
except EnvironmentTroubleError as error:
    print(error.diagnostics())
"""


def test_a_disk_that_fills_in_the_middle_of_a_long_file(house) -> None:
    content = os.urandom(LONG) * 4
    house.write("f", content)
    run = subprocess.run(
        [sys.executable, "-c", FULL, house.home, house.folder, sha256(content).hexdigest()],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "object store cannot be written" in run.stdout
    assert run.stderr == ""
    assert house.contents() == {}
    assert not list(Path(house.home / "objects").iterdir())
