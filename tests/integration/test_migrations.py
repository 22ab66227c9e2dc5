from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from reporter.db import migrate
from reporter.db.engine import open_engine
from reporter.db.schema import metadata
from reporter.errors import EnvironmentTroubleError


def test_migrations_make_the_tables_that_the_code_describes(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    before = migrate.revisions(engine)
    migrate.upgrade(engine)
    assert before == migrate.revisions(engine)
    assert before[0] == before[1]


def test_several_machines_may_upgrade_at_once(empty_database_url: str) -> None:
    engines = [open_engine(empty_database_url) for _ in range(4)]
    with ThreadPoolExecutor(len(engines)) as pool:
        list(pool.map(migrate.upgrade, engines))
    current, head = migrate.revisions(engines[0])
    assert head == current
    for engine in engines:
        engine.dispose()


def test_a_newer_database_is_refused_and_left_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'f00d'"))
    with pytest.raises(EnvironmentTroubleError, match=r"f00d.*newer"):
        migrate.require_current(engine)
    with pytest.raises(EnvironmentTroubleError, match=r"f00d.*newer"):
        migrate.upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "f00d"


def test_an_empty_database_is_refused_with_what_to_do(empty_database_url: str) -> None:
    engine = open_engine(empty_database_url)
    with pytest.raises(EnvironmentTroubleError) as trouble:
        migrate.require_current(engine)
    assert "restore its backup" in trouble.value.next_step
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_database_with_deliveries_of_long_ago_is_upgraded_with_all_its_rows(empty_database_url: str) -> None:
    engine = open_engine(empty_database_url)
    with engine.begin() as connection:
        command.upgrade(migrate._config(connection), "0008")
    at = "2026-11-23 12:00:00+00:00"
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO submission (id, reference, authority, environment, version, revision, state, digest, urgent,"
            f" created_at, reason) VALUES ('s', 'TEST-1', 'ncmec', 'sandbox', 1, 1, 'approved', '', false, '{at}', '')",
            "INSERT INTO delivery (submission_id, lane, priority, fence) VALUES ('s', 'ncmec:sandbox', 1, 0)",
            f"INSERT INTO approval (submission_id, actor, digest, at) VALUES ('s', 'dana', '', '{at}')",
        ):
            connection.execute(text(statement))
    migrate.upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert (
            connection.execute(text("SELECT count(*) FROM delivery JOIN submission ON id = submission_id")).scalar()
            == 1
        )
    engine.dispose()
