"""An office that exports: a house with one delivered case, a register of demands, and a stranger with a key."""

from __future__ import annotations

import io
import json
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from keycustody import age
from keycustody.redacted import Redacted
from reporter.actors.service import unsigned
from reporter.export.model import Envelope, Export, Scope, unheard
from reporter.export.requests import Asked
from reporter.export.room import ExportRoom
from reporter.export.writing import Written
from reporter.retention.demand import Check
from reporter.testing.house import House

REF, OTHER = "TEST-000001", "TEST-000002"
FILES = {"e1": b"SYNTHETIC harmless bytes " * 9000, "e2": b"SYNTHETIC other bytes"}
SCOPE: dict[str, Any] = {"content": ["e1"], "fields": ["incident", "people[0]"], "submissions": ["ncmec"]}


class Office:
    """Exports of a house; ``identity`` is the recipient's."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder, self.house = folder, House(folder, **options)
        self.identity = age.Identity.generate()
        self.house.approved(REF, FILES)
        self.house.until_idle()
        self.warrant = self.demand("search_warrant", "federal", {"cases": [REF]})

    @property
    def room(self) -> ExportRoom:
        return self.house.app.exports

    def stamped_by(self, url: str, roots: Path) -> None:
        """Have exports time-stamped; a time-stamp is of the real time, and so must the house's be."""
        toml = self.folder / "home" / "reporter.toml"
        toml.write_text(f'{toml.read_text()}\n[audit]\ntimestamp_url = "{url}"\ntimestamp_roots = "{roots}"\n')
        self.house.clock.advance_to(datetime.now(UTC))
        self.house.restart()

    def demand(self, kind: str, requester: str, scope: dict[str, Any], *, verified: bool = True) -> int:
        """Record a demand, and have another person verify it."""
        served = (self.house.clock.now() - timedelta(days=1)).isoformat()
        document = {
            "demand_version": 1, "kind": kind, "requester": requester, "authority": {"name": "SYNTHETIC Agency"},
            "served_at": served, "scope": scope,
        }  # fmt: skip
        demands = self.house.app.retention.demands
        recorded = demands.record(json.dumps(document).encode(), "lea")
        if verified and recorded.new:
            demands.verify(recorded.number, Check.CALL_BACK, "sam", "SYNTHETIC call.")
        return recorded.number

    def asked(self, demand: int | None = None, reference: str = REF, key: bytes | None = None, **scope: Any) -> Asked:
        wanted = Scope.model_validate(scope or SCOPE)
        recipient = self.identity.recipient.encode() if key is None else key
        return Asked(reference, demand or self.warrant, wanted, Envelope.AGE, recipient)

    def create(self, asked: Asked | None = None, who: str = "lena") -> Export:
        return self.room.requests.create(asked or self.asked(), who, unsigned)

    def approved(self, asked: Asked | None = None) -> Export:
        export = self.create(asked)
        if export.approved_at:
            return export
        return self.room.requests.approve(export.id, "omar", unsigned)

    def write(self, export: Export, name: str = "bundle", hand_over: Any = None) -> Written:
        passphrases: list[Redacted] = []
        return self.room.writer.write(export.id, self.folder / name, "lena", unheard, hand_over or passphrases.append)

    def opened(self, written: Written) -> bytes:
        """Give the tar that the recipient gets out of the envelope."""
        with written.path.open("rb") as file:
            return b"".join(age.decrypt(file, self.identity))

    def unpacked(self, written: Written, into: str = "stranger") -> Path:
        """Unpack a bundle as a stranger does, and give the folder of its bag."""
        folder = self.folder / into
        with tarfile.open(fileobj=io.BytesIO(self.opened(written))) as archive:
            archive.extractall(folder, filter="data")
        return folder / written.export.name

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events()]

    def events(self) -> list[Any]:
        from reporter.audit.service import events
        from reporter.db.engine import reading

        with reading(self.house.app.database) as connection:
            return events(connection)
