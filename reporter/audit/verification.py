"""
Verification: the log against itself, its checkpoints, their time-stamps, and checkpoints kept elsewhere.

At one go, or in parts that a job takes in turn. Whatever does not hold stays on record, and alarms, until a
verification of the whole log finds that it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, select

from reporter.audit import tree
from reporter.audit.checkpoints import Checkpoints
from reporter.audit.faults import Fault, Verdict, Wrong
from reporter.audit.findings import Findings
from reporter.audit.model import parsed
from reporter.audit.notes import Checkpoint, Verifier
from reporter.audit.sequencer import Sequencer
from reporter.audit.tables import Outbox
from reporter.audit.timestamps import TimestampAuthority
from reporter.audit.walk import Walk
from reporter.clock import Clock
from reporter.db.engine import snapshot
from reporter.errors import CustodyError, LogDamagedError

#: How long an event may wait to become a leaf before that is a fault.
PATIENCE = timedelta(minutes=10)
#: Leaves in one part: about a second's work.
PART = 20_000

_OUTBOX = Outbox.__table__  # type: ignore[attr-defined]


class Verification:
    """Verifies the log of one database."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        sequencer: Sequencer,
        checkpoints: Checkpoints,
        findings: Findings,
        authority: TimestampAuthority | None = None,
    ) -> None:
        self._engine, self._clock, self._sequencer = engine, clock, sequencer
        self._checkpoints, self._findings, self._authority = checkpoints, findings, authority

    def run(self, given: Sequence[str] = ()) -> Verdict:
        """
        Verify the log, and that it continues the checkpoints ``given``, which were kept elsewhere.

        Raises:
            CustodyError: The log's own key cannot be had.
            EnvironmentTroubleError: The database does not work.
        """
        begun, faults, doubtful = self._clock.now(), list[Fault](), list[Fault]()
        try:
            self._sequencer.run()
        except CustodyError as error:
            faults.append(Fault(Wrong.OUTBOX_STUCK, None, f"Events wait and cannot become leaves: {error.message}"))
        verifier = self._checkpoints.verifier
        with snapshot(self._engine) as connection:
            signed, stamps = self._own(connection, verifier, faults)
            for number, note in enumerate(given, 1):
                _open(verifier, note, f"Checkpoint {number} of those given", signed, doubtful)
            walk = Walk(connection, signed)
            first = walk.run()
            stuck = self._stuck(connection, begun) if not faults or faults[0].wrong is not Wrong.OUTBOX_STUCK else None
        faults = [fault for fault in (first, *faults, stuck) if fault is not None]
        if faults:
            self._findings.note(faults[0])
        elif not doubtful:  # a file that is no checkpoint of ours says nothing about the log
            self._findings.clear()
        faults += doubtful
        return Verdict(walk.frontier.size, walk.frontier.root, walk.agreed, walk.destroyed, stamps, tuple(faults))

    def go_on(self, leaves: int = PART) -> None:
        """
        Verify the next part of the log, round and round, and that the log continues what was signed last.

        A part is worth as much as the whole: it begins at nodes that lead to what is signed. Once a fault is known
        nothing is looked at until ``run`` finds none.

        Raises:
            CustodyError: The log's own key cannot be had.
            EnvironmentTroubleError: The database does not work, or the copy outside cannot be read.
        """
        position, outside, verifier = self._findings.reached(), self._checkpoints.outside(), self._checkpoints.verifier
        if position is None:
            return
        with snapshot(self._engine) as connection:
            try:
                fault, reached = self._part(connection, verifier, outside, position, leaves)
            except LogDamagedError as error:
                fault, reached = Fault(Wrong.NODE_ALTERED, None, error.message), 0
        if fault:
            self._findings.note(fault)
        else:
            self._findings.reach(reached)

    def _part(
        self, connection: Connection, verifier: Verifier, outside: str, position: int, leaves: int
    ) -> tuple[Fault | None, int]:
        """Give the first fault of a part, and up to where the log was verified: 0 once its end is reached."""
        now, faults = tree.frontier(connection), list[Fault]()
        position = position if position < now.size else 0
        for what, note in (("Its last checkpoint", self._last(connection)), ("The copy outside", outside)):
            then = _open(verifier, note, what, [], faults) if note else None
            if then and not tree.continues(connection, then.size, then.root, now):
                message = f"The log, {now.size} entries now, does not continue what was signed of {then.size}."
                faults.append(Fault(Wrong.NOT_CONTINUED, None, message))
        begin = tree.frontier(connection, position)
        if not tree.continues(connection, position, begin.root, now):
            faults.append(Fault(Wrong.NODE_ALTERED, position, f"The tree before {position} is not the one that grew."))
        signed, _ = self._own(connection, verifier, faults, range(position, position + leaves + 1))
        if faults:
            return faults[0], position
        walk = Walk(connection, signed, begin, leaves)
        return walk.run(), walk.frontier.size % now.size if now.size else 0

    def _last(self, connection: Connection) -> str:
        last = self._checkpoints.last(connection)
        return last.note if last else ""

    def _own(
        self, connection: Connection, verifier: Verifier, faults: list[Fault], sizes: range | None = None
    ) -> tuple[list[Checkpoint], int]:
        """Give the log's own checkpoints, or those of ``sizes``, and how many time-stamps on them hold."""
        signed: list[Checkpoint] = []
        stamps = 0
        for row, answer in self._checkpoints.all(connection, sizes):
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
