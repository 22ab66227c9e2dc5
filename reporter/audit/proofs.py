"""Proof that one entry stands in the log, for whoever has neither the log nor this program."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select

from reporter.audit import tree
from reporter.audit.checkpoints import Checkpoints
from reporter.audit.diagnosis import node
from reporter.audit.kinds import DESTROYED
from reporter.audit.merkle import Place, includes, inclusion
from reporter.audit.model import Event, commitment, leaf_of, listed_positions, parsed
from reporter.audit.sequencer import Sequencer
from reporter.audit.tables import Record
from reporter.db.engine import reading
from reporter.errors import CustodyError, NotFoundError

_RECORD = Record.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry: its leaf, and its event with the salt, or the position of the entry that says it was destroyed."""

    position: int
    leaf: bytes
    salt: bytes | None
    content: str | None
    destroyed_by: int | None

    @property
    def event(self) -> Event | None:
        """The event, where it was not destroyed."""
        return parsed(self.content) if self.content is not None else None


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry, the inclusion proof of its leaf (RFC 6962, section 2.1.1), and the signed checkpoint it leads to."""

    entry: Shown
    path: tuple[bytes, ...]
    checkpoint: str

    def to_json(self) -> dict[str, Any]:
        """Give the proof as JSON; hashes are hexadecimal."""
        entry, record = self.entry, None
        if entry.salt is not None and entry.content is not None:
            told = commitment(entry.salt, entry.content)
            record = {"salt": entry.salt.hex(), "content": entry.content, "commitment": told.hex()}
        return {
            "position": entry.position,
            "leaf": entry.leaf.hex(),
            "path": [part.hex() for part in self.path],
            "checkpoint": self.checkpoint,
            "record": record,
        }

    def __str__(self) -> str:
        """
        Give the proof as text (C2SP tlog-proof, https://c2sp.org/tlog-proof).

        The extra data is JSON with the entry's salt and canonical event; the leaf's data is their commitment.
        """
        lines = ["c2sp.org/tlog-proof@v1"]
        if self.entry.salt is not None:
            extra = json.dumps({"salt": self.entry.salt.hex(), "content": self.entry.content}, ensure_ascii=False)
            lines.append(f"extra {b64encode(extra.encode()).decode()}")
        lines += [f"index {self.entry.position}", *(b64encode(part).decode() for part in self.path), "", ""]
        return "\n".join(lines) + self.checkpoint


class Prover:
    """Shows entries and proves them."""

    def __init__(self, engine: Engine, sequencer: Sequencer, checkpoints: Checkpoints) -> None:
        self._engine, self._sequencer, self._checkpoints = engine, sequencer, checkpoints

    def show(self, position: int) -> Shown:
        """
        Give one entry.

        Raises:
            NotFoundError: The log has no such position.
        """
        self._sequencer.run()
        with reading(self._engine) as connection:
            return _shown(connection, position)

    def prove(self, position: int) -> Proof:
        """
        Give the proof of one entry, under the last checkpoint, or a new one where that does not cover it yet.

        Raises:
            NotFoundError: The log has no such position.
            CustodyError: The entry is not the one that was logged, or the log cannot be signed.
        """
        entry = self.show(position)
        made = self._checkpoints.covering(position)
        with reading(self._engine) as connection:
            path = tuple(tree.roots(connection, inclusion(position, made.size)))
        by_record = leaf_of(entry.salt, entry.content) if entry.salt and entry.content is not None else entry.leaf
        checkpoint = self._checkpoints.verifier.open(made.note)
        if by_record != entry.leaf or not includes(entry.leaf, position, made.size, path, checkpoint.root):
            raise CustodyError(
                f"Position {position} of the custody log cannot be proved: it was altered.",
                next_step="Run: reporter audit verify",
            )
        return Proof(entry, path, made.note)


def _shown(connection: Connection, position: int) -> Shown:
    leaf = node(connection, Place(0, position))
    if leaf is None:
        raise NotFoundError(f"The custody log has the positions 0 to {tree.size_of(connection) - 1}.")
    row = connection.execute(select(_RECORD).where(_RECORD.c.position == position)).first()
    if row is not None:
        return Shown(position, leaf, bytes(row.salt), row.content, None)
    later = select(_RECORD.c.position, _RECORD.c.content).where(_RECORD.c.kind == DESTROYED)
    for told in connection.execute(later.where(_RECORD.c.position > position).order_by(_RECORD.c.position)):
        if any(position in listed for listed in listed_positions(parsed(told.content).detail, below=told.position)):
            return Shown(position, leaf, None, None, told.position)
    return Shown(position, leaf, None, None, None)
