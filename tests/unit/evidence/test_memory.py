"""Sealing and opening take the same memory whatever the size of the file."""

import subprocess
import sys
from pathlib import Path

import pytest

#: Issue "the main job": adding a 1 GiB file takes at most 120 MiB of memory; what 200 MiB take, 1 GiB takes too.
LIMIT_MIB = 120
FILE_MIB = 200

SCRIPT = """
import hashlib, sys
from pathlib import Path
from keycustody import files
from keycustody.cases import CaseKeys
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.store import FolderKeyStore
from reporter.clock import SystemClock
from reporter.evidence.objects import LocalObjectStore
from reporter.evidence.vault import EvidenceVault, Plain

home, size = Path(sys.argv[1]), int(sys.argv[2])
for name in ("keystore", "objects"):
    files.make_folder(home / name)
keys = CaseKeys(LocalKeyring.create(home / "keys", Places()), FolderKeyStore(home / "keystore"))
vault = EvidenceVault(keys, LocalObjectStore(home / "objects"), SystemClock())
digest = hashlib.sha256()
for _ in range(size >> 20):
    digest.update(bytes(1 << 20))
plain = Plain("file-1", "sparse", digest.hexdigest(), "evidence[0]")
(sealed,) = vault.seal_all("TS-2026-000101", [plain], folder=home, digests=frozenset({"md5"}))
vault.verify(sealed)
assert sealed.size == size
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc/self/status is needed to see peak memory")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(FILE_MIB << 20)
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, tmp_path, str(FILE_MIB << 20)], capture_output=True, text=True, check=True
    )
    assert int(run.stdout) <= LIMIT_MIB
