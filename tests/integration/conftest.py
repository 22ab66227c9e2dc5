"""A delivery room on a database that the tests of a module share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from reporter.db.engine import open_engine
from reporter.evidence.bodies import BodyVault
from reporter.testing.bench import fresh_bodies
from tests.integration.delivery_room import Room


@pytest.fixture(scope="module")
def room_database(shared_database_url: str) -> Iterator[Engine]:
    engine = open_engine(shared_database_url, pool_size=10)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def room_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def room_bodies(room_keys: Path) -> BodyVault:
    return fresh_bodies(room_keys)


@pytest.fixture
def room(room_database: Engine, room_bodies: BodyVault) -> Room:
    return Room(room_database, room_bodies)
