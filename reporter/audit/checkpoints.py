"""
Signed checkpoints: made at an interval and on demand, kept here and where a copy belongs.

A log must never sign two stories (tlog-checkpoint, "Signatures"). So a checkpoint is only made of a log that continues
the last one it signed, and the copy outside as well, which a database restored from the past does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, select

from keycustody import files
from reporter.audit import tree
from reporter.audit.merkle import Frontier
from reporter.audit.notes import Signer, Verifier
from reporter.audit.sequencer import Sequencer
from reporter.audit.signing import SigningKey
from reporter.audit.tables import SignedCheckpoint, Timestamp
from reporter.audit.timestamps import TimestampAuthority
from reporter.clock import Clock
from reporter.db.engine import reading, transaction
from reporter.errors import EnvironmentTroubleError, LogDamagedError, ReporterError

_CHECKPOINT = SignedCheckpoint.__table__  # type: ignore[attr-defined]
_TIMESTAMP = Timestamp.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Made:
    """A checkpoint as it stands in the database; ``trouble`` says why its copy or its time-stamp is missing."""

    size: int
    at: datetime
    note: str
    stamped_at: datetime | None = None
    trouble: tuple[str, ...] = ()


class Checkpoints:
    """Makes checkpoints and gives them out."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        sequencer: Sequencer,
        key: SigningKey,
        *,
        every: timedelta,
        file: Path | None = None,
        authority: TimestampAuthority | None = None,
    ) -> None:
        self._engine, self._clock, self._sequencer, self._key = engine, clock, sequencer, key
        self._every, self._file, self._authority = every, file, authority

    @property
    def verifier(self) -> Verifier:
        """The public half of the log's key, made if there is none yet."""
        with transaction(self._engine) as connection:
            tree.hold(connection)
            return self._key.signer(connection).verifier

    def due(self) -> bool:
        """Whether the last checkpoint is older than the interval and the log has grown since."""
        with reading(self._engine) as connection:
            last = _last(connection)
            return tree.size_of(connection) > (last.size if last else 0) and (
                last is None or self._clock.now() - last.at >= self._every
            )

    def make(self) -> Made:
        """
        Sign the log as it is now; one that has not grown keeps the checkpoint it has.

        Raises:
            LogDamagedError: The log does not continue what was signed before: it was cut, restored or rewritten.
            EnvironmentTroubleError: The database does not work.
        """
        self._sequencer.run()
        with transaction(self._engine) as connection:
            tree.hold(connection)
            signer, now, last = self._key.signer(connection), tree.frontier(connection), _last(connection)
            if last is not None:
                _require_continued(connection, signer, now, last.note, "its own last checkpoint")
            if outside := self.outside():
                _require_continued(connection, signer, now, outside, "the checkpoint in audit.checkpoint_file")
            if last is None or last.size < now.size:
                last = SignedCheckpoint(size=now.size, at=self._clock.now(), note=signer.sign(now.size, now.root))
                connection.execute(insert(_CHECKPOINT).values(size=last.size, at=last.at, note=last.note))
        return self._kept(last)

    def covering(self, position: int) -> Made:
        """Give the last checkpoint, a new one where that does not cover ``position`` yet."""
        with reading(self._engine) as connection:
            last = _last(connection)
        return Made(last.size, last.at, last.note) if last and last.size > position else self.make()

    def all(self, connection: Connection, sizes: range | None = None) -> list[tuple[SignedCheckpoint, bytes | None]]:
        """Give every checkpoint, or those of ``sizes``, with its time-stamp, by size."""
        query = (
            select(_CHECKPOINT, _TIMESTAMP.c.answer)
            .outerjoin(_TIMESTAMP, _TIMESTAMP.c.size == _CHECKPOINT.c.size)
            .order_by(_CHECKPOINT.c.size)
        )
        if sizes is not None:
            query = query.where(_CHECKPOINT.c.size >= sizes.start, _CHECKPOINT.c.size < sizes.stop)
        rows = connection.execute(query)
        return [(SignedCheckpoint(size=row.size, at=row.at, note=row.note), row.answer) for row in rows]

    def last(self, connection: Connection) -> SignedCheckpoint | None:
        """Give the newest."""
        return _last(connection)

    def outside(self) -> str:
        """Give the copy in ``audit.checkpoint_file``, empty where there is none."""
        if self._file is None:
            return ""
        try:
            return self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError):
            raise EnvironmentTroubleError(f"audit.checkpoint_file {self._file} cannot be read.") from None

    # --- the copy outside, and the time-stamp ---------------------------------------------------------------

    def _kept(self, last: SignedCheckpoint) -> Made:
        """Write the copy and get the time-stamp; trouble with either takes nothing back."""
        trouble, stamped_at = [], None
        answer: bytes | None = None
        try:
            answer, stamped_at = self._stamped(last)
        except ReporterError as error:
            trouble.append(f"audit.timestamp_url: {error.diagnostics()}")
        if self._file is not None:
            try:
                files.replace(self._file, last.note.encode())
                stamp = self._file.with_name(f"{self._file.name}.tsr")
                files.replace(stamp, answer) if answer else files.remove(stamp)
            except OSError as error:
                trouble.append(f"audit.checkpoint_file cannot be written: {error.strerror}.")
        return Made(last.size, last.at, last.note, stamped_at, tuple(trouble))

    def _stamped(self, last: SignedCheckpoint) -> tuple[bytes | None, datetime | None]:
        if self._authority is None:
            return None, None
        message = last.note.encode()
        with reading(self._engine) as connection:
            kept = connection.execute(select(_TIMESTAMP.c.answer).where(_TIMESTAMP.c.size == last.size)).scalar()
        answer = bytes(kept) if kept else self._authority.stamp(message)
        if not kept:
            with transaction(self._engine) as connection:
                tree.hold(connection)
                if not connection.execute(select(_TIMESTAMP.c.size).where(_TIMESTAMP.c.size == last.size)).first():
                    connection.execute(insert(_TIMESTAMP).values(size=last.size, at=self._clock.now(), answer=answer))
        return answer, self._authority.verify(answer, message)


def _last(connection: Connection) -> SignedCheckpoint | None:
    row = connection.execute(select(_CHECKPOINT).order_by(_CHECKPOINT.c.size.desc()).limit(1)).first()
    return SignedCheckpoint(size=row.size, at=row.at, note=row.note) if row else None


def _require_continued(connection: Connection, signer: Signer, now: Frontier, note: str, what: str) -> None:
    then = signer.verifier.open(note)
    if not tree.continues(connection, then.size, then.root, now):
        raise LogDamagedError(
            f"The custody log, {now.size} events now, does not continue {what} of {then.size}: nothing was signed.",
            next_step="Run: reporter audit verify",
        )
