"""Events wait in the outbox of both databases, in the transaction of the thing they tell of."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import Engine, text

from reporter.audit import service as audit
from reporter.audit.model import Event
from reporter.db import migrate
from reporter.db.engine import open_engine, transaction

AT = datetime(2026, 11, 23, 9, 30, 1, 5, tzinfo=UTC)


def test_events_are_read_in_the_order_they_were_written(engine: Engine) -> None:
    several = [Event(AT, "b", f"kind_{number}", "TS-1", "item", "d") for number in range(500)]
    with transaction(engine) as connection:
        audit.record(connection, at=AT, actor="a", kind="first", detail="x\x00y")
        audit.record_all(connection, several)
        audit.record_all(connection, [])
        audit.record(connection, at=AT, actor="c", kind="last", reference="TS-2")
        assert audit.events(connection) == [
            Event(AT, "a", "first", detail="x\x00y"), *several, Event(AT, "c", "last", "TS-2")
        ]  # fmt: skip
        assert audit.events(connection, "TS-1") == several


def test_what_did_not_happen_was_not_recorded(engine: Engine) -> None:
    with suppress(KeyError), transaction(engine) as connection:
        audit.record(connection, at=AT, actor="a", kind="never")
        raise KeyError
    with transaction(engine) as connection:
        assert audit.events(connection) == []


@pytest.fixture
def older_engine(empty_database_url: str) -> Iterator[Engine]:
    """Give a database that an earlier release wrote events into."""
    engine = open_engine(empty_database_url)
    with engine.begin() as connection:
        command.upgrade(migrate._config(connection), "0002")
        connection.execute(
            text("INSERT INTO custody_event (at, actor, kind, reference, detail) VALUES (:at, 'a', 'k', :ref, '')"),
            [{"at": "2026-11-23 09:30:01.000005+00:00", "ref": ref} for ref in ("TS-1", None)],
        )
    yield engine
    engine.dispose()


def test_events_of_an_earlier_release_are_kept(older_engine: Engine) -> None:
    if older_engine.dialect.name == "sqlite":  # as the driver writes it there
        with older_engine.begin() as connection:
            connection.execute(text("UPDATE custody_event SET at = '2026-11-23 09:30:01.000005'"))
    migrate.upgrade(older_engine)
    with transaction(older_engine) as connection:
        assert audit.events(connection) == [Event(AT, "a", "k", "TS-1"), Event(AT, "a", "k")]
