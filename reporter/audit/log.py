"""The custody log of a home, ready to be used: what appends, signs, proves and verifies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from keycustody.credentials import CredentialStore
from reporter.audit.checkpoints import Checkpoints
from reporter.audit.faults import Fault, Wrong
from reporter.audit.findings import Findings
from reporter.audit.proofs import Prover
from reporter.audit.sequencer import Sequencer
from reporter.audit.signing import SigningKey
from reporter.audit.timestamps import Exchange, TimestampAuthority
from reporter.audit.verification import Verification
from reporter.clock import Clock
from reporter.errors import CustodyError, LogDamagedError


@dataclass(frozen=True, slots=True)
class CustodyLog:
    """The parts of the log."""

    sequencer: Sequencer
    checkpoints: Checkpoints
    prover: Prover
    verification: Verification
    findings: Findings

    def keep(self) -> None:
        """
        Do what is due: make leaves of what waits, and a checkpoint at its interval; that one cannot alarms.

        Raises:
            CustodyError: The log is damaged, or a checkpoint's copy or time-stamp cannot be had.
            EnvironmentTroubleError: The database does not work.
        """
        try:
            self.sequencer.run()
            made = self.checkpoints.make() if self.checkpoints.due() else None
        except LogDamagedError as error:
            self.findings.note(Fault(Wrong.NOT_CONTINUED, None, error.message))
            raise
        if made and made.trouble:
            raise CustodyError(" ".join(made.trouble))


def custody_log(
    engine: Engine,
    clock: Clock,
    credentials: CredentialStore,
    *,
    every: timedelta,
    file: Path | None,
    timestamp_url: str | None,
    timestamp_roots: Path | None,
    exchange: Exchange,
) -> CustodyLog:
    """Build it; nothing is read, signed or sent yet."""
    authority = (
        TimestampAuthority(timestamp_url, timestamp_roots, exchange) if timestamp_url and timestamp_roots else None
    )
    sequencer, findings = Sequencer(engine), Findings(engine, clock)
    checkpoints = Checkpoints(
        engine, clock, sequencer, SigningKey(credentials), every=every, file=file, authority=authority
    )
    return CustodyLog(
        sequencer,
        checkpoints,
        Prover(engine, sequencer, checkpoints),
        Verification(engine, clock, sequencer, checkpoints, findings, authority),
        findings,
    )
