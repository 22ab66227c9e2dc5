"""Verification: the log against itself, its checkpoints, their time-stamps, and checkpoints kept elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, select

from reporter.audit.checkpoints import Checkpoints
from reporter.audit.faults import Fault, Verdict, Wrong
from reporter.audit.model import parsed
from reporter.audit.notes import Checkpoint, Verifier
from reporter.audit.sequencer import Sequencer
from reporter.audit.tables import Outbox
from reporter.audit.timestamps import TimestampAuthority
from reporter.audit.walk import Walk
from reporter.clock import Clock
from reporter.db.engine import snapshot
from reporter.errors import CustodyError

#: How long an event may wait to become a leaf before that is a fault.
PATIENCE = timedelta(minutes=10)

_OUTBOX = Outbox.__table__  # type: ignore[attr-defined]


class Verification:
    """Verifies the log of one database."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        sequencer: Sequencer,
        checkpoints: Checkpoints,
        authority: TimestampAuthority | None = None,
    ) -> None:
        self._engine, self._clock, self._sequencer = engine, clock, sequencer
        self._checkpoints, self._authority = checkpoints, authority

    def run(self, given: Sequence[str] = ()) -> Verdict:
        """
        Verify the log, and that it continues the checkpoints ``given``, which were kept elsewhere.

        Raises:
            CustodyError: The log's own key cannot be had.
            EnvironmentTroubleError: The database does not work.
        """
        begun, faults = self._clock.now(), []
        try:
            self._sequencer.run()
        except CustodyError as error:
            faults.append(Fault(Wrong.OUTBOX_STUCK, None, f"Events wait and cannot become leaves: {error.message}"))
        verifier = self._checkpoints.verifier
        with snapshot(self._engine) as connection:
            signed, stamps = self._own(connection, verifier, faults)
            for number, note in enumerate(given, 1):
                _open(verifier, note, f"Checkpoint {number} of those given", signed, faults)
            walk = Walk(connection, signed)
            first = walk.run()
            stuck = self._stuck(connection, begun) if not faults or faults[0].wrong is not Wrong.OUTBOX_STUCK else None
        faults = [fault for fault in (first, *faults, stuck) if fault is not None]
        return Verdict(walk.frontier.size, walk.frontier.root, walk.agreed, walk.destroyed, stamps, tuple(faults))

    def _own(self, connection: Connection, verifier: Verifier, faults: list[Fault]) -> tuple[list[Checkpoint], int]:
        """Give the log's own checkpoints, and how many time-stamps on them hold."""
        signed: list[Checkpoint] = []
        stamps = 0
        for row, answer in self._checkpoints.all(connection):
            opened = _open(verifier, row.note, f"The checkpoint of {row.size} events", signed, faults)
            if opened and opened.size != row.size:
                message = f"The checkpoint of {row.size} events is one of {opened.size}."
                faults.append(Fault(Wrong.SIGNATURE_WRONG, None, message))
            if answer and self._authority:
                try:
                    self._authority.verify(bytes(answer), row.note.encode())
                    stamps += 1
                except CustodyError:
                    message = f"The time-stamp on the checkpoint of {row.size} events does not hold."
                    faults.append(Fault(Wrong.TIMESTAMP_WRONG, None, message))
        return signed, stamps

    def _stuck(self, connection: Connection, begun: datetime) -> Fault | None:
        query = select(_OUTBOX.c.id, _OUTBOX.c.content).order_by(_OUTBOX.c.id).limit(1)
        row = connection.execute(query).first()
        if row is None:
            return None
        try:
            if begun - parsed(row.content).at < PATIENCE:
                return None
        except ValueError:
            pass
        return Fault(Wrong.OUTBOX_STUCK, None, f"Event {row.id} of the outbox waits and does not become a leaf.")


def _open(verifier: Verifier, note: str, what: str, signed: list[Checkpoint], faults: list[Fault]) -> Checkpoint | None:
    try:
        signed.append(verifier.open(note))
    except CustodyError as error:
        faults.append(Fault(Wrong.SIGNATURE_WRONG, None, f"{what}: {error.message}"))
        return None
    return signed[-1]
