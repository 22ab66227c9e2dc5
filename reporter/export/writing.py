"""Writing a sealed export, encrypted to its recipient: evidence is opened on record, and passes through memory only."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert

from keycustody.redacted import Redacted
from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import EnvironmentTroubleError, PolicyError, UsageError
from reporter.evidence.bodies import BodyVault
from reporter.evidence.digests import Digests
from reporter.evidence.looks import Asked, LookService, Purpose
from reporter.evidence.model import SealedItem
from reporter.export.attempts import attempt
from reporter.export.envelopes import Key, examined, require_short
from reporter.export.landing import land, require_free
from reporter.export.model import Envelope, Export, Progress
from reporter.export.preparing import Preparation, Ready
from reporter.export.store import COPY, export_of, row_of
from reporter.export.tar import archive
from reporter.tasks.model import Kind
from reporter.tasks.service import open_task

#: By what way an item was opened, as the view log has it.
VIA = "export"


@dataclass(frozen=True, slots=True)
class Written:
    """A copy that was written: where, and the digest and size of its ciphertext."""

    export: Export
    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class ExportWriter:
    """Writes exports; two people have approved what leaves, so that ``looks`` asks for no third."""

    engine: Engine
    clock: Clock
    bodies: BodyVault
    preparation: Preparation
    looks: LookService

    def write(
        self,
        export: str,
        out: Path | None,
        actor: str,
        progress: Progress,
        hand_over: Callable[[Redacted], None],
    ) -> Written:
        """
        Write an export to ``out``, by default under a name of its own here, and give what was written.

        Where it goes to somebody without a key, ``hand_over`` gets the passphrase before anything is written; it is
        kept nowhere else. Every item is opened on record, and read back to its last byte as it passes.

        Raises:
            PolicyError: It is not approved, its demand does not unlock it any more, or the key must not be used.
            UsageError: There is a file of that name.
            CustodyError: Evidence, log, seal or time-stamp is not what it must be; nothing is left behind.
            EnvironmentTroubleError: Disk, clock, program or time-stamp authority; nothing is left behind.
        """
        with reading(self.engine) as connection:
            row = row_of(connection, export)
        with attempt(self.engine, self.clock, actor, "write", row.reference, export):
            key = self._key(row)
            ready = self.preparation.ready(export, actor, progress)
            path = (out or Path.cwd() / f"{ready.export.name}{key.suffix}").absolute()
            require_free(path)
            _require_room(path, ready, key)
            self._tell(actor, "export_begun", ready.export, key.envelope.value)
            if key.passphrase is not None:
                hand_over(key.passphrase)
            digests = Digests("sha256")
            land(path, self._written(ready, key, digests, actor, progress))
            with reading(self.engine) as connection:
                about = export_of(connection, row_of(connection, export))
        return Written(about, path, digests["sha256"], digests.size)

    def _key(self, row: Any) -> Key:
        with reading(self.engine) as connection:
            key = self.bodies.open(connection, row.key_body) if row.key_body else b""
        found = examined(Envelope(row.envelope), key, self.clock.now())
        if found.fingerprint != row.fingerprint:
            raise PolicyError("The recipient's key is not the one that was approved.")
        return found

    def _written(self, ready: Ready, key: Key, digests: Digests, actor: str, progress: Progress) -> Generator[bytes]:
        """Give the ciphertext; that it is written is on record before its last byte is, and so before it appears."""
        items = {path: self._opened(ready.export, item, actor) for path, item in ready.items.items()}
        plain = _heard(archive(ready.members(items), ready.at), ready.export.size or 0, progress)
        yield from digests.of(key.encrypt(plain))
        now = self.clock.now()
        with transaction(self.engine) as connection:
            copy = {"sha256": digests["sha256"], "size": digests.size, "at": now, "by": actor}
            connection.execute(insert(COPY).values(export=ready.export.id, **copy))
            open_task(
                connection, now, kind=Kind.EXPORT_RECEIPT, about=ready.export.id,
                reference=ready.export.reference, actor=actor,
            )  # fmt: skip
            self._record(connection, actor, "export_written", ready.export, f"sha256:{digests['sha256']}")

    def _opened(self, export: Export, item: SealedItem, actor: str) -> Iterator[bytes]:
        asked = Asked(export.reference, item.id, actor, Purpose.LEGAL_PROCESS)
        with self.looks.opened(asked, VIA) as pieces:
            yield from pieces

    def _tell(self, actor: str, kind: str, export: Export, detail: str) -> None:
        with transaction(self.engine) as connection:
            self._record(connection, actor, kind, export, detail)

    def _record(self, connection: Connection, actor: str, kind: str, export: Export, detail: str) -> None:
        audit.record(
            connection, at=self.clock.now(), actor=actor, kind=kind, reference=export.reference, item=export.id,
            detail=detail,
        )  # fmt: skip


def _heard(pieces: Iterator[bytes], total: int, progress: Progress) -> Iterator[bytes]:
    done = 0
    for piece in pieces:
        yield piece
        done += len(piece)
        progress("writing", done, total)


def _require_room(path: Path, ready: Ready, key: Key) -> None:
    size = ready.export.size or 0
    require_short(size, key)
    try:
        free = shutil.disk_usage(path.parent).free
    except OSError as error:
        raise UsageError(f"{path.parent} cannot be written: {error.strerror}.") from None
    if free < size:
        raise EnvironmentTroubleError(
            f"{path.parent} has {free:,} bytes free, and the bundle has {size:,}. Nothing was written.",
            next_step="Make room, or choose another --out.",
        )
