"""Threads share SQLite's commits; each still has a transaction of its own, as far as it can tell."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import OperationalError

from reporter.db.commits import GroupCommit
from reporter.db.engine import committed, open_engine, reading, sqlite_url, transaction
from reporter.errors import EnvironmentTroubleError

Work = Callable[[Connection], str]
PATIENCE = 30.0


class RefusedError(Exception):
    """What a unit of work raises of its own."""


class CutOffError(BaseException):
    """The process dies."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(sqlite_url(tmp_path / "database"), pool_size=20)
    with transaction(engine) as connection:
        connection.execute(text("CREATE TABLE word (word TEXT PRIMARY KEY)"))
    yield engine
    engine.dispose()


@pytest.fixture
def commits(database: Engine) -> list[None]:
    """Give a list that grows with every commit."""
    made: list[None] = []
    event.listen(database, "commit", lambda _: made.append(None))
    return made


def add(word: str) -> Work:
    def work(connection: Connection) -> str:
        connection.execute(text("INSERT INTO word VALUES (:word)"), {"word": word})
        return word

    return work


def refused(connection: Connection) -> str:
    add("refused")(connection)
    raise RefusedError


def words(database: Engine) -> list[str]:
    with reading(database) as connection:
        return list(connection.execute(text("SELECT word FROM word ORDER BY rowid")).scalars())


class Batch:
    """Units that are sure to share one commit: the turn is held until all of them wait."""

    def __init__(self, database: Engine) -> None:
        self.database, self.writer = database, GroupCommit()
        self.full = threading.Event()
        self.futures: list[Future[str]] = []

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        assert self.full.wait(PATIENCE)
        with transaction(self.database) as connection:
            yield connection

    def run(self, *works: Work) -> list[Future[str]]:
        """Hand the units in, in this order, each from a thread of its own; give what came of each."""
        self.full.clear()
        with ThreadPoolExecutor(len(works)) as pool:
            self.futures = futures = []
            for number, work in enumerate(works, 1):
                futures.append(pool.submit(self.writer.run, self._begin, work))
                given_up = time.monotonic() + PATIENCE
                while len(self.writer._waiting) < number:
                    assert time.monotonic() < given_up
            self.full.set()
        return futures


def test_those_who_wait_share_one_commit_in_their_order(database: Engine, commits: list[None]) -> None:
    futures = Batch(database).run(*map(add, "abcdefgh"))
    assert [future.result() for future in futures] == list("abcdefgh")
    assert words(database) == list("abcdefgh")
    assert len(commits) == 1


def test_what_one_refuses_is_undone_for_it_alone(database: Engine) -> None:
    first, second, third, fourth = Batch(database).run(add("a"), refused, add("a"), add("b"))
    assert (first.result(), fourth.result()) == ("a", "b")
    assert isinstance(second.exception(), RefusedError)
    assert third.exception() is not None, "the same word again"
    assert words(database) == ["a", "b"]


def test_a_later_unit_sees_what_an_earlier_one_wrote(database: Engine) -> None:
    def count(connection: Connection) -> str:
        return str(connection.execute(text("SELECT count(*) FROM word")).scalar_one())

    assert [future.result() for future in Batch(database).run(add("a"), count, add("b"), count)] == ["a", "1", "b", "2"]


def test_nobody_is_answered_before_the_commit_and_all_hear_that_it_failed(database: Engine) -> None:
    batch = Batch(database)
    answered: list[Future[str]] = []

    def full(_connection: Connection) -> None:
        assert len(batch.futures) == 3
        answered.extend(future for future in batch.futures if future.done())
        raise OperationalError("COMMIT", {}, Exception("database or disk is full"))

    event.listen(database, "commit", full)
    futures = batch.run(add("a"), refused, add("b"))
    event.remove(database, "commit", full)
    assert not answered
    assert isinstance(futures[1].exception(), RefusedError)
    for future in (futures[0], futures[2]):
        assert isinstance(future.exception(), EnvironmentTroubleError)
    assert words(database) == []
    assert [future.result() for future in batch.run(add("c"))] == ["c"], "the next batch goes on"


@pytest.mark.parametrize("moment", ["work", "commit"])
def test_a_death_before_the_commit_loses_the_whole_batch(database: Engine, moment: str) -> None:
    def die(connection: Connection) -> str:
        connection.connection.driver_connection.rollback()  # type: ignore[union-attr]
        raise CutOffError

    if moment == "commit":
        event.listen(database, "commit", die)
    futures = Batch(database).run(add("a"), die if moment == "work" else add("b"), add("c"))
    assert all(isinstance(future.exception(), CutOffError) for future in futures)
    assert words(database) == []


def test_a_transaction_that_cannot_begin_is_told_to_all(database: Engine) -> None:
    batch = Batch(database)
    database.dispose()
    Path(str(database.url.database)).unlink()
    Path(str(database.url.database)).mkdir()
    for future in batch.run(add("a"), add("b")):
        assert isinstance(future.exception(), EnvironmentTroubleError)


def test_many_threads_get_all_their_own_results(database: Engine) -> None:
    with ThreadPoolExecutor(16) as pool:
        given = list(pool.map(lambda number: committed(database, add(str(number))), range(400)))
    assert given == [str(number) for number in range(400)]
    assert sorted(words(database)) == sorted(given)


def test_one_thread_alone_has_a_commit_of_its_own(database: Engine, commits: list[None]) -> None:
    assert committed(database, add("a")) == "a"
    with pytest.raises(RefusedError):
        committed(database, refused)
    assert committed(database, add("b")) == "b"
    assert words(database) == ["a", "b"]
    assert len(commits) == 2


def test_transactions_of_the_usual_kind_take_turns_with_batches(database: Engine) -> None:
    def usual(number: int) -> None:
        with transaction(database) as connection:
            add(f"usual {number}")(connection)

    with ThreadPoolExecutor(12) as pool:
        shared = [pool.submit(committed, database, add(f"shared {number}")) for number in range(100)]
        alone = [pool.submit(usual, number) for number in range(100)]
    assert all(future.exception() is None for future in (*shared, *alone))
    assert len(words(database)) == 200
