"""Waiting events become leaves: all, once, in batches, whoever crashes or comes late."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from reporter.audit import sequencer as module
from reporter.audit import service as audit
from reporter.audit import tree
from reporter.audit.merkle import EMPTY_ROOT, Frontier, Span, includes, inclusion
from reporter.audit.model import Event, leaf_of
from reporter.audit.sequencer import Sequencer
from reporter.db.engine import open_engine, transaction
from reporter.errors import CustodyError, EnvironmentTroubleError, NotFoundError, PolicyError

#: SQLite has one writer at a time: nothing commits late there, and nobody waits but for the disk.
POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def write(engine: Engine, *kinds: str, reference: str | None = None) -> None:
    with transaction(engine) as connection:
        audit.record_all(connection, [Event(AT, "a", kind, reference) for kind in kinds])


def logged(engine: Engine) -> list[tuple[int | None, str]]:
    with transaction(engine) as connection:
        return [(entry.position, entry.event.kind) for entry in audit.entries(connection)]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 7)


@pytest.mark.usefixtures("small_batches")
def test_events_become_leaves_in_their_order(engine: Engine) -> None:
    sequencer = Sequencer(engine)
    assert sequencer.run() == 0
    frontier = Frontier()
    for count in (1, 0, 2, 20, 14):
        write(engine, *(f"kind_{number}" for number in range(count)))
        assert sequencer.run() == count
        with transaction(engine) as connection:
            rows = connection.execute(
                text("SELECT position, salt, content FROM custody_record ORDER BY position")
            ).all()
            for row in rows[frontier.size :]:
                frontier.append(leaf_of(bytes(row.salt), row.content))
            assert tree.frontier(connection).root == frontier.root != EMPTY_ROOT
            assert [row.position for row in rows] == list(range(frontier.size))
            assert len({bytes(row.salt) for row in rows}) == frontier.size
            leaf = leaf_of(bytes(rows[-1].salt), rows[-1].content)
            path = tree.roots(connection, inclusion(frontier.size - 1, frontier.size))
            assert includes(leaf, frontier.size - 1, frontier.size, path, frontier.root)
            assert tree.roots(connection, [Span(0, frontier.size)]) == [frontier.root]
            assert connection.execute(text("SELECT count(*) FROM custody_outbox")).scalar_one() == 0


def test_readers_see_leaves_and_what_waits(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_PAGE", 2)
    write(engine, "one", "two", "three", "four", reference="TS-1")
    write(engine, "other")
    Sequencer(engine).run()
    write(engine, "five", reference="TS-1")
    assert logged(engine) == [(0, "one"), (1, "two"), (2, "three"), (3, "four"), (4, "other"), (None, "five")]
    with transaction(engine) as connection:
        kinds = [event.kind for event in audit.events(connection, "TS-1")]
    assert kinds == ["one", "two", "three", "four", "five"]


@pytest.mark.usefixtures("small_batches")
def test_several_sequencers_and_writers_at_once_lose_and_double_nothing(database_url: str) -> None:
    engines = [open_engine(database_url) for _ in range(4)]

    def work(number: int) -> None:
        for round_ in range(15):
            write(engines[number], f"kind_{number}_{round_}_a", f"kind_{number}_{round_}_b")
            Sequencer(engines[number]).run()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    Sequencer(engines[0]).run()
    found = logged(engines[0])
    assert [position for position, _ in found] == list(range(120))
    assert len({kind for _, kind in found}) == 120
    for number in range(4):
        own = [kind for _, kind in found if kind.startswith(f"kind_{number}_")]
        assert own == [f"kind_{number}_{round_}_{part}" for round_ in range(15) for part in "ab"]
        engines[number].dispose()


@POSTGRESQL
def test_an_event_that_commits_late_with_a_lower_number_is_not_skipped(engine: Engine) -> None:
    with engine.connect() as late, late.begin():
        audit.record(late, at=AT, actor="a", kind="late")
        write(engine, "early")
        Sequencer(engine).run()
        assert logged(engine) == [(0, "early")]
    Sequencer(engine).run()
    assert logged(engine) == [(0, "early"), (1, "late")]


def test_a_crash_in_the_middle_of_a_batch_leaves_everything_waiting(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(engine, "one", "two")

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(module, "_destroy", crash)
        Sequencer(engine).run()
    assert logged(engine) == [(None, "one"), (None, "two")]
    assert Sequencer(engine).run() == 2
    assert Sequencer(engine).run() == 0
    assert logged(engine) == [(0, "one"), (1, "two")]


@POSTGRESQL
def test_recording_waits_for_no_sequencer(engine: Engine) -> None:
    with transaction(engine) as sequencing:
        tree.hold(sequencing)
        write(engine, "meanwhile")
    assert logged(engine) == [(None, "meanwhile")]


@POSTGRESQL
def test_another_sequencer_is_not_waited_for_without_end(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "_LOCK_TIMEOUT", "50ms")
    write(engine, "one")
    with transaction(engine) as sequencing:
        tree.hold(sequencing)
        with pytest.raises(EnvironmentTroubleError):
            Sequencer(engine).run()
    assert Sequencer(engine).run() == 1


def test_a_damaged_tree_is_not_built_upon(engine: Engine) -> None:
    write(engine, *(f"kind_{number}" for number in range(5)))
    Sequencer(engine).run()
    with transaction(engine) as connection:
        unguard(connection.engine, connection)
        connection.execute(text("DELETE FROM custody_node WHERE level = 2"))
    write(engine, "more")
    with pytest.raises(CustodyError, match="node 0 of level 2"):
        Sequencer(engine).run()
    assert logged(engine)[-1] == (None, "more")


# --- destruction ------------------------------------------------------------


def forget(engine: Engine, *positions: int) -> None:
    with transaction(engine) as connection:
        audit.forget(connection, positions, at=AT, actor="custodian", certificate="certificate-1")


def test_a_record_goes_when_its_destruction_is_a_leaf(engine: Engine) -> None:
    write(engine, *(f"kind_{number}" for number in range(6)), reference="TS-1")
    Sequencer(engine).run()
    forget(engine, 4, 1, 2)
    assert len(logged(engine)) == 7
    with transaction(engine) as connection:
        before = tree.roots(connection, [Span(0, 6)])
    Sequencer(engine).run()
    assert logged(engine) == [(0, "kind_0"), (3, "kind_3"), (5, "kind_5"), (6, "records_destroyed")]
    with transaction(engine) as connection:
        told = list(audit.entries(connection))[-1].event
        assert tree.roots(connection, [Span(0, 6)]) == before
        assert tree.size_of(connection) == 7
    assert (told.actor, told.item, told.detail, told.reference) == ("custodian", "certificate-1", "1-2,4", None)


def test_nothing_of_a_destroyed_record_stays_in_the_file(tmp_path: Path, sqlite_template: Path) -> None:
    file = tmp_path / "log.sqlite3"
    file.write_bytes(sqlite_template.read_bytes())
    engine = open_engine(f"sqlite:///{file}")
    write(engine, "secret_kind", reference="TS-GONE")
    Sequencer(engine).run()
    forget(engine, 0)
    Sequencer(engine).run()
    engine.dispose()  # the last connection takes the write-ahead log into the file
    assert b"TS-GONE" not in file.read_bytes()


def test_what_says_what_was_destroyed_is_never_destroyed(engine: Engine) -> None:
    write(engine, "one")
    Sequencer(engine).run()
    forget(engine)
    forget(engine, 0)
    Sequencer(engine).run()
    for positions, error in (((0, 1), PolicyError), ((2,), NotFoundError), ((-1,), NotFoundError)):
        with pytest.raises(error):
            forget(engine, *positions)
    assert logged(engine) == [(1, "records_destroyed")]


# --- what the database refuses ------------------------------------------------------------

NODE, CHECKPOINT, TIMESTAMP = "custody_node", "custody_checkpoint", "custody_timestamp"


def unguard(engine: Engine, connection: object) -> None:
    """Do what an administrator of the database could: take the guards away."""
    names = {
        "sqlite": "SELECT 'DROP TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT DISTINCT 'DROP TRIGGER ' || trigger_name || ' ON ' || event_object_table "
        "FROM information_schema.triggers",
    }
    for statement in connection.execute(text(names[engine.dialect.name])).scalars().all():  # type: ignore[attr-defined]
        connection.execute(text(statement))  # type: ignore[attr-defined]
    if (
        engine.dialect.name == "postgresql"
    ):  # those of TRUNCATE stand in no information schema, and go with the function
        connection.execute(text("DROP FUNCTION custody_refuse() CASCADE"))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        *((NODE, text_) for text_ in ("UPDATE custody_node SET hash = hash", "DELETE FROM custody_node")),
        (NODE, "DELETE FROM custody_node WHERE level = 0 AND position = 2"),
        *(
            (CHECKPOINT, text_)
            for text_ in ("UPDATE custody_checkpoint SET note = ''", "DELETE FROM custody_checkpoint")
        ),
        *((TIMESTAMP, text_) for text_ in ("UPDATE custody_timestamp SET size = 9", "DELETE FROM custody_timestamp")),
        ("custody_record", "UPDATE custody_record SET content = ''"),
        ("custody_outbox", "UPDATE custody_outbox SET content = ''"),
    ],
)
def test_the_database_refuses_to_change_the_log(engine: Engine, table: str, statement: str) -> None:
    fill(engine)
    refused(engine, statement)


@pytest.mark.parametrize("table", [NODE, CHECKPOINT, TIMESTAMP, "custody_record", "custody_outbox"])
def test_the_database_refuses_to_replace_or_empty_the_log(engine: Engine, table: str) -> None:
    fill(engine)
    if engine.dialect.name == "postgresql":
        refused(engine, f"TRUNCATE {table}")
        refused(engine, f"TRUNCATE {table} CASCADE")
        refused(engine, f"SET LOCAL session_replication_role = replica; TRUNCATE {table}")
    else:
        refused(engine, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
        refused(engine, f"REPLACE INTO {table} SELECT * FROM {table}")


def fill(engine: Engine) -> None:
    write(engine, "one", "two", "three")
    Sequencer(engine).run()
    write(engine, "waiting")
    with transaction(engine) as connection:
        connection.execute(text("INSERT INTO custody_checkpoint (size, at, note) VALUES (1, '2026-11-23', 'n')"))
        connection.execute(text("INSERT INTO custody_timestamp (size, at, answer) VALUES (1, '2026-11-23', 'n')"))


def refused(engine: Engine, statement: str) -> None:
    with pytest.raises(Exception, match="the custody log is append-only"), engine.begin() as connection:
        connection.exec_driver_sql(statement)
