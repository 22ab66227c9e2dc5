"""What was tried and refused is in the log too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Engine

from reporter.audit import service as audit
from reporter.clock import Clock
from reporter.db.engine import transaction
from reporter.errors import CustodyError, PolicyError, ReporterError


@contextmanager
def attempt(
    engine: Engine, clock: Clock, actor: str, verb: str, reference: str | None, export: str | None = None
) -> Iterator[None]:
    """Run a block; that it was refused, and by which rule, is recorded in a transaction of its own."""
    try:
        yield
    except ReporterError as error:
        told = f": {error.message}" if isinstance(error, PolicyError | CustodyError) else ""
        with suppress(ReporterError), transaction(engine) as connection:
            audit.record(
                connection, at=clock.now(), actor=actor, kind="export_refused", reference=reference, item=export,
                detail=f"{verb} {type(error).__name__}{told}",
            )  # fmt: skip
        raise
