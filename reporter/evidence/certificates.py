"""The certificates that were written, and the proof that each stands in the custody log."""

from __future__ import annotations

from sqlalchemy import Engine, select

from reporter.audit import service as audit
from reporter.audit.proofs import Proof, Prover
from reporter.audit.sequencer import Sequencer
from reporter.db.engine import reading
from reporter.errors import NotFoundError
from reporter.evidence.tables import CaseDestruction, Destruction

_TABLES = (Destruction.__table__, CaseDestruction.__table__)  # type: ignore[attr-defined]


class Certificates:
    """Reads certificates out, and proves them."""

    def __init__(self, engine: Engine, sequencer: Sequencer, prover: Prover) -> None:
        self._engine, self._sequencer, self._prover = engine, sequencer, prover

    def text(self, number: str) -> str:
        """
        Give a certificate, as canonical JSON.

        Raises:
            NotFoundError: There is none of that id, or the destruction is not finished.

        """
        return self._find(number)[1]

    def proof(self, number: str) -> list[Proof]:
        """
        Prove the events of a destruction, oldest first, the last of which names the digest of the certificate.

        A certificate is written before its place in the log is known. So it says nothing of it; the log says it of
        the certificate, under whatever checkpoint covers it when it is asked for.

        Raises:
            NotFoundError: There is no certificate of that id.
            CustodyError: The log was altered, or cannot be signed.

        """
        reference, _ = self._find(number)
        self._sequencer.run()
        with reading(self._engine) as connection:
            found = [
                entry.position
                for entry in audit.entries(connection, reference)
                if entry.position is not None and number in entry.event.detail.split()
            ]
        return [self._prover.prove(position) for position in reversed(found)][::-1]  # one checkpoint covers them all

    def _find(self, number: str) -> tuple[str, str]:
        with reading(self._engine) as connection:
            for table in _TABLES:
                query = select(table.c.reference, table.c.certificate).where(table.c.id == number)
                row = connection.execute(query).one_or_none()
                if row is not None and row.certificate is not None:
                    return row.reference, row.certificate
        raise NotFoundError(
            "There is no certificate of that id.",
            next_step="Where a destruction was interrupted: reporter evidence destroy --resume",
        )
