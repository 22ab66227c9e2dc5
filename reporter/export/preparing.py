"""
Sealing an export: the evidence is read through once, everything else is frozen, and seal and time-stamp are kept.

Only then is anything written. What was frozen is written the same however often, and whatever happens to the records
that it was made of. An interrupted run goes on behind the last item that it read through.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, update

from reporter.audit import service as audit
from reporter.audit.checkpoints import Made
from reporter.audit.log import CustodyLog
from reporter.audit.timestamps import TimestampAuthority
from reporter.cases.store import CaseStore
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import ConflictError, CustodyError, EnvironmentTroubleError
from reporter.evidence import service as evidence
from reporter.evidence.bodies import BodyVault
from reporter.evidence.digests import Digests
from reporter.evidence.looks import gone
from reporter.evidence.model import SealedItem
from reporter.evidence.tombstones import Tombstones
from reporter.evidence.vault import EvidenceVault
from reporter.export import bag, contents
from reporter.export.documents import SentDocuments
from reporter.export.model import Export, Progress
from reporter.export.requests import ExportRequests
from reporter.export.sealing import Sealer, SealKey
from reporter.export.store import ITEM, REQUEST, export_of, items_of, row_of
from reporter.export.tar import Member, size_of
from reporter.retention.demands import find_demand
from reporter.retention.subjects import Subjects

FROZEN_BODY: Final = "export-frozen"
#: How far a time-stamp authority's clock may be from ours.
SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Ready:
    """A sealed export: its files in the order of the archive, None where an item's bytes belong, and its time."""

    export: Export
    at: int
    files: dict[str, bytes]
    items: dict[str, SealedItem]

    def members(self, items: dict[str, Iterator[bytes]]) -> list[Member]:
        """Give the members of the archive; ``items`` are the streams of the evidence by path."""
        files = [Member(path, len(content), [content]) for path, content in self.files.items()]
        evidence = [Member(path, item.size, items.get(path, iter(()))) for path, item in self.items.items()]
        return sorted([*files, *evidence], key=lambda member: member.path)


@dataclass(frozen=True, slots=True)
class Preparation:
    """Makes exports ready to be written."""

    engine: Engine
    clock: Clock
    vault: EvidenceVault
    tombstones: Tombstones
    bodies: BodyVault
    requests: ExportRequests
    subjects: Subjects
    documents: SentDocuments
    log: CustodyLog
    seal_key: SealKey
    stamps: TimestampAuthority | None
    organisation: str
    environment: str

    def ready(self, export: str, actor: str, progress: Progress) -> Ready:
        """
        Give an export sealed; the first time, seal it.

        Raises:
            PolicyError: It is not approved, or its demand does not unlock it any more.
            ConflictError: The case was revised since it was asked for.
            CustodyError: Evidence, log, seal or time-stamp is not what it must be.
            EnvironmentTroubleError: The clock was set back, or the time-stamp authority cannot be reached.
        """
        now = self.clock.now()
        self.subjects.complete()
        with reading(self.engine) as connection:
            row = row_of(connection, export)
            self.requests.require_unlocked(connection, row)
        _require_forward(now, row.asked_at, row.approved_at, row.sealed_at)
        if row.sealed_at is None:
            self._read_through(row, progress)
            self._seal(export, actor)
        return self._frozen(export)

    # --- the first pass -------------------------------------------------------------------------------------

    def _read_through(self, row: Row[Any], progress: Progress) -> None:
        """Read each item through to its last byte, and keep its SHA-512; what was read before is not read again."""
        with reading(self.engine) as connection:
            left = [(each.sha512, self._item(connection, each.evidence_id)) for each in items_of(connection, row.id)]
            certificates = evidence.destroyed(connection, row.reference)
        for _, item in left:
            tombstone = self.tombstones.over(item)  # a restored database may not know
            if certificate := tombstone.certificate if tombstone else certificates.get(item.id):
                raise gone(item, certificate)
        total, done = sum(item.size for _, item in left), 0
        for sha512, item in left:
            if sha512 is None:
                digests = Digests("sha512")
                for piece in digests.of(self.vault.open(item)):
                    done += len(piece)
                    progress("checking", done, total)
                with transaction(self.engine) as connection:
                    which = ITEM.c.export == row.id, ITEM.c.evidence_id == item.id
                    connection.execute(update(ITEM).where(*which).values(sha512=digests["sha512"]))
            else:
                done += item.size

    # --- freezing and sealing -------------------------------------------------------------------------------

    def _seal(self, export: str, actor: str) -> None:
        made, now = self.log.checkpoints.make(), self.clock.now()
        _require_forward(now, made.at)
        sealer = self.seal_key.sealer(now)
        sealer.require_valid(now)
        frozen = self._files(export, made, sealer, now)
        tags = frozen[bag.SEALED]
        seal = sealer.seal(tags)
        stamp, stamped_at = self._stamped(seal, now)
        with transaction(self.engine) as connection:
            row = row_of(connection, export, held=True)
            if row.sealed_at is not None:
                return  # another process was first, and its seal is the one
            content = json.dumps({path: base64.b64encode(each).decode() for path, each in frozen.items()})
            values = {
                "sealed_at": now,
                "checkpoint": made.size,
                "frozen_body": self.bodies.seal(connection, row.reference, FROZEN_BODY, content.encode(), now),
                "seal": seal,
                "certificates": sealer.certificates,
                "stamp": stamp,
                "stamped_at": stamped_at,
            }
            connection.execute(update(REQUEST).where(REQUEST.c.id == export).values(values))
            size = self._size(connection, export)
            connection.execute(update(REQUEST).where(REQUEST.c.id == export).values(size=size))
            sealed = bag.payload_of(bag.SEALED, tags).sha512
            audit.record(
                connection, at=self.clock.now(), actor=actor, kind="export_sealed", reference=row.reference,
                item=export, detail=f"checkpoint {made.size} tagmanifest sha512:{sealed}",
            )  # fmt: skip

    def _files(self, export: str, made: Made, sealer: Sealer, now: datetime) -> dict[str, bytes]:
        verifier = self.log.checkpoints.verifier
        with reading(self.engine) as connection:
            row = row_of(connection, export)
            request = self.requests.request(connection, row)
            case = CaseStore(self.bodies).load(connection, row.reference)
            if case.revision != request["revision"]:
                raise ConflictError(
                    f"Case {row.reference} was revised since this export was asked for.",
                    next_step="Ask for it again, of the case as it is now: reporter export create",
                )
            rows = items_of(connection, export)
            items = [(self._item(connection, each.evidence_id), str(each.sha512)) for each in rows]
            about = dataclasses.replace(export_of(connection, row), sealed_at=now)
            subject = contents.Subject(about, find_demand(connection, row.demand), request, case, items)
            signed = contents.Signed(
                made.note, made.size, verifier, sealer.fingerprint, self.stamps is not None, self.environment
            )
            return contents.files(connection, subject, self.documents, signed, self.organisation)

    def _stamped(self, seal: bytes, now: datetime) -> tuple[bytes | None, datetime | None]:
        if self.stamps is None:
            return None, None
        try:
            answer = self.stamps.stamp(seal)
        except EnvironmentTroubleError as error:
            raise EnvironmentTroubleError(f"audit.timestamp_url: {error.message}. Nothing was sealed.") from None
        at = self.stamps.verify(answer, seal)
        if abs(at - now) > SKEW:
            raise CustodyError(
                "The time-stamp authority gives another time than this machine. Nothing was sealed.",
                next_step="Look at this machine's clock, then ask another authority (audit.timestamp_url).",
            )
        return answer, at

    # --- what is frozen -------------------------------------------------------------------------------------

    def _size(self, connection: Connection, export: str) -> int:
        ready = self._read(connection, export)
        return size_of(ready.members({}), ready.at)

    def _frozen(self, export: str) -> Ready:
        with reading(self.engine) as connection:
            return self._read(connection, export)

    def _read(self, connection: Connection, export: str) -> Ready:
        row = row_of(connection, export)
        about = export_of(connection, row)
        frozen = json.loads(self.bodies.open(connection, row.frozen_body))
        files = {f"{about.name}/{path}": base64.b64decode(content) for path, content in frozen.items()}
        if json.loads(base64.b64decode(frozen[contents.REQUEST_FILE]))["export"] != export:
            raise CustodyError("What was frozen for this export is that of another one.")
        files[f"{about.name}.p7s"], files[f"{about.name}.anchors.pem"] = bytes(row.seal), bytes(row.certificates)
        if row.stamp is not None:
            files[f"{about.name}.tsr"] = bytes(row.stamp)
        items = [self._item(connection, each.evidence_id) for each in items_of(connection, export)]
        paths = {f"{about.name}/{contents.object_path(item)}": item for item in items}
        return Ready(about, int(row.sealed_at.timestamp()), files, paths)

    @staticmethod
    def _item(connection: Connection, evidence_id: str) -> SealedItem:
        item = evidence.item_of(connection, evidence_id)
        if item is None:
            raise CustodyError(f"The preservation record {evidence_id} is missing from the database.")
        return item


def _require_forward(now: datetime, *before: datetime | None) -> None:
    """Refuse a clock that stands before what is on record."""
    if any(at is not None and now < at for at in before):
        raise EnvironmentTroubleError(
            "This machine's clock stands before what is on record already: it was set back.",
            next_step="Mend the clock, then ask again.",
        )
