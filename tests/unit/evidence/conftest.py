from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import SQLModel

from keycustody import files
from keycustody.cases import CaseKeys
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.store import FolderKeyStore
from reporter.cases.tables import CaseRecord
from reporter.db.engine import open_engine, sqlite_url
from reporter.evidence import tables
from reporter.evidence.model import SealedItem
from reporter.evidence.objects import LocalObjectStore
from reporter.evidence.vault import EvidenceVault, Plain

CASE = "TS-2026-000101"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MARKER = b"SYNTHETIC HARMLESS MARKER "


class Still:
    def now(self) -> datetime:
        return NOW

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


@dataclass(frozen=True)
class House:
    """A home with keys and stores, and a case folder beside it."""

    home: Path
    folder: Path
    keys: CaseKeys
    objects: LocalObjectStore
    vault: EvidenceVault

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def seal(self, name: str, *, digest: str | None = None, digests: frozenset[str] = frozenset({"md5"})) -> SealedItem:
        if digest is None:
            digest = sha256((self.folder / name).read_bytes()).hexdigest()
        plain = Plain("file-1", name, digest, "evidence[0]")
        return self.vault.seal_all(CASE, [plain], folder=self.folder, digests=digests)[0]

    def contents(self) -> dict[str, bytes]:
        """Every file in the home, but for the keyring's and the case keys'."""
        return {
            str(path.relative_to(self.home)): path.read_bytes()
            for path in self.home.rglob("*")
            if path.is_file() and path.parent.name != "keys" and not path.name.startswith("case-")
        }

    def with_objects(self, objects: LocalObjectStore) -> "House":
        return replace(self, objects=objects, vault=replace(self.vault, objects=objects))


@pytest.fixture
def house(tmp_path: Path) -> House:
    home, folder = tmp_path / "home", tmp_path / "case"
    folder.mkdir()
    for name in ("keystore", "objects"):
        files.make_folder(home / name)
    keys = CaseKeys(LocalKeyring.create(home / "keys", Places()), FolderKeyStore(home / "keystore"))
    objects = LocalObjectStore(home / "objects")
    return House(home, folder, keys, objects, EvidenceVault(keys, objects, Still()))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_engine(sqlite_url(tmp_path / "db.sqlite"))
    names = (
        CaseRecord, tables.EvidenceItem, tables.ViewRecord, tables.ViewClaim, tables.SealedBody, tables.Destruction,
        tables.CaseDestruction,
    )  # fmt: skip
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[table.__tablename__] for table in names])
    return engine
