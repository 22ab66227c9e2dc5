"""Attacks on the log, each as an administrator of the database would, and what verification calls them."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Engine, text

from keycustody.credentials import CredentialStore
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.shelves import FolderShelf
from reporter.audit import merkle, walk
from reporter.audit import service as audit
from reporter.audit.faults import Wrong
from reporter.audit.log import CustodyLog, custody_log
from reporter.audit.merkle import Frontier
from reporter.audit.model import Event, leaf_of
from reporter.db.engine import transaction
from reporter.errors import CustodyError
from reporter.testing.clock import FakeClock

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ENTRIES = 37


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def log(engine: Engine, clock: FakeClock, tmp_path: Path) -> CustodyLog:
    (tmp_path / "credentials").mkdir(mode=0o700)
    credentials = CredentialStore(
        FolderShelf(tmp_path / "credentials"), LocalKeyring.create(tmp_path / "keys", Places())
    )
    return opened(engine, clock, credentials, tmp_path / "checkpoint.txt")


def opened(engine: Engine, clock: FakeClock, credentials: CredentialStore, file: Path | None) -> CustodyLog:
    return custody_log(
        engine, clock, credentials, every=timedelta(hours=1), file=file, timestamp_url=None, timestamp_roots=None,
        exchange=lambda *_: b"",
    )  # fmt: skip


def write(engine: Engine, count: int, word: str = "kind") -> None:
    with transaction(engine) as connection:
        audit.record_all(connection, [Event(AT, "a", f"{word}_{n}", f"TS-{n}") for n in range(count)])


@pytest.fixture
def kept(engine: Engine, log: CustodyLog, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Fill the log, in pages that are small, and give the checkpoints made on the way."""
    monkeypatch.setattr(walk, "PAGE", 8)
    notes = []
    for count in (5, 11, ENTRIES - 16):
        write(engine, count)
        notes.append(log.checkpoints.make().note)
    return notes


def attack(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        unguard(connection)
        for statement in statements:
            connection.execute(text(statement))


def unguard(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("DROP FUNCTION IF EXISTS custody_refuse() CASCADE"))
        return
    names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
    for name in names:
        connection.execute(text(f"DROP TRIGGER {name}"))


def first_fault(log: CustodyLog, *given: str) -> tuple[Wrong, int | None]:
    fault = log.verification.run(given).faults[0]
    return fault.wrong, fault.position


def rebuild(engine: Engine) -> None:
    """Make a tree that fits the records as they are: the best forgery without the key."""
    with engine.begin() as connection:
        unguard(connection)
        rows = connection.execute(text("SELECT position, salt, content FROM custody_record ORDER BY position")).all()
        connection.execute(text("DELETE FROM custody_node"))
        frontier = Frontier()
        for row in rows:
            for place, value in frontier.append(leaf_of(bytes(row.salt), row.content)):
                connection.execute(
                    text("INSERT INTO custody_node (level, position, hash) VALUES (:l, :p, :h)"),
                    {"l": place.level, "p": place.position, "h": value},
                )


def swapped(table: str, columns: str, one: int, two: int, which: str = "1 = 1") -> list[str]:
    return [
        f"CREATE TABLE aside AS SELECT * FROM {table} WHERE position IN ({one}, {two}) AND {which}",
        *(
            f"UPDATE {table} SET {column} = (SELECT {column} FROM aside WHERE aside.position = "
            f"{one} + {two} - {table}.position) WHERE position IN ({one}, {two}) AND {which}"
            for column in columns.split()
        ),
        "DROP TABLE aside",
    ]


def test_a_log_that_nobody_touched_holds(engine: Engine, log: CustodyLog, kept: list[str]) -> None:
    write(engine, 3)
    verdict = log.verification.run(kept)
    assert verdict.faults == ()
    assert (verdict.size, verdict.checkpoints, verdict.destroyed) == (ENTRIES + 3, 6, 0)


def test_destroyed_records_are_no_fault_and_missing_ones_are(engine: Engine, log: CustodyLog, kept: list[str]) -> None:
    with transaction(engine) as connection:
        audit.forget(connection, [3, 4, 20], at=AT, actor="custodian")
    verdict = log.verification.run(kept)
    assert (verdict.faults, verdict.destroyed, verdict.size) == ((), 3, ENTRIES + 1)
    assert log.prover.show(20).destroyed_by == ENTRIES
    attack(engine, "DELETE FROM custody_record WHERE position = 21")
    assert first_fault(log) == (Wrong.RECORD_MISSING, 21)


RECORD, LEAF = "reference kind salt content", "hash"
ATTACKS: dict[str, tuple[list[str], tuple[Wrong, int | None]]] = {
    "record": (["UPDATE custody_record SET content = replace(content, 'a', 'b') WHERE position = 9"],
               (Wrong.RECORD_ALTERED, 9)),
    "salt": (["UPDATE custody_record SET salt = (SELECT salt FROM custody_record WHERE position = 1) "
              "WHERE position = 9"], (Wrong.RECORD_ALTERED, 9)),
    "reference": (["UPDATE custody_record SET reference = 'TS-OTHER' WHERE position = 9"], (Wrong.RECORD_ALTERED, 9)),
    "record gone": (["DELETE FROM custody_record WHERE position = 9"], (Wrong.RECORD_MISSING, 9)),
    "leaf": (["UPDATE custody_node SET hash = (SELECT hash FROM custody_node WHERE level = 3 AND position = 0) "
              "WHERE level = 0 AND position = 10"], (Wrong.LEAF_ALTERED, 10)),
    "leaf gone": (["DELETE FROM custody_node WHERE level = 0 AND position = 10"], (Wrong.LEAF_MISSING, 10)),
    "leaf moved": (["UPDATE custody_node SET position = 99 WHERE level = 0 AND position = 10"],
                   (Wrong.LEAF_MISSING, 10)),
    "records swapped": (swapped("custody_record", RECORD, 6, 19), (Wrong.ORDER_CHANGED, 6)),
    "leaves swapped": (swapped("custody_node", LEAF, 6, 19, "level = 0"), (Wrong.ORDER_CHANGED, 6)),
    "entries swapped": ([*swapped("custody_record", RECORD, 6, 19), *swapped("custody_node", LEAF, 6, 19, "level = 0")],
                        (Wrong.ORDER_CHANGED, 6)),
    "neighbours swapped": ([*swapped("custody_record", RECORD, 6, 7),
                            *swapped("custody_node", LEAF, 6, 7, "level = 0")],
                           (Wrong.ORDER_CHANGED, 6)),
    "node": (["UPDATE custody_node SET hash = (SELECT hash FROM custody_node WHERE level = 0 AND position = 0) "
              "WHERE level = 2 AND position = 3"], (Wrong.NODE_ALTERED, 12)),
    "node gone": (["DELETE FROM custody_node WHERE level = 1 AND position = 3"], (Wrong.NODE_ALTERED, 6)),
    "node too many": (["INSERT INTO custody_node SELECT 9, 9, hash FROM custody_node WHERE level = 0 AND position = 0"],
                      (Wrong.NODE_ALTERED, ENTRIES)),
    "cut": (["DELETE FROM custody_node WHERE level = 0 AND position >= 30",
             "DELETE FROM custody_node WHERE level > 0 AND (position + 1) * (1 << level) > 30",
             "DELETE FROM custody_record WHERE position >= 30"], (Wrong.LOG_CUT, 30)),
    "signature": (["UPDATE custody_checkpoint SET note = replace(note, '— ', '—  ') WHERE size = 16"],
                  (Wrong.SIGNATURE_WRONG, None)),
    "checkpoint moved": (["UPDATE custody_checkpoint SET size = 12 WHERE size = 16"], (Wrong.SIGNATURE_WRONG, None)),
    "stuck": (["INSERT INTO custody_outbox (id, content) VALUES (1, '{}')",
               "DELETE FROM custody_node WHERE level = 5 AND position = 0"], (Wrong.NODE_ALTERED, 0)),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_each_attack_is_named_with_the_first_bad_entry(
    engine: Engine, log: CustodyLog, kept: list[str], name: str
) -> None:
    statements, expected = ATTACKS[name]
    attack(engine, *statements)
    assert first_fault(log) == expected


def test_what_waits_and_cannot_become_a_leaf_is_told(engine: Engine, log: CustodyLog, kept: list[str]) -> None:
    attack(engine, "DELETE FROM custody_node WHERE level = 5 AND position = 0")
    write(engine, 1)
    assert [fault.wrong for fault in log.verification.run().faults] == [Wrong.NODE_ALTERED, Wrong.OUTBOX_STUCK]


@pytest.mark.parametrize("content", ["{}", "[" * 100_000, '{"kind":"records_destroyed"}', ""])
def test_what_was_altered_while_it_waited_stops_nothing_and_is_named(
    engine: Engine, log: CustodyLog, kept: list[str], content: str
) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO custody_outbox (content) VALUES (:c)"), {"c": content})
    write(engine, 2)
    assert first_fault(log) == (Wrong.RECORD_ALTERED, ENTRIES)
    assert log.verification.run().size == ENTRIES


def test_a_rewritten_history_is_refused_by_what_was_signed(engine: Engine, log: CustodyLog, kept: list[str]) -> None:
    attack(engine, "UPDATE custody_record SET content = replace(content, '\"a\"', '\"b\"') WHERE position = 9")
    rebuild(engine)
    assert first_fault(log) == (Wrong.HISTORY_REWRITTEN, 5)
    attack(engine, "DELETE FROM custody_checkpoint")  # the best forgery: nothing in the database contradicts it
    assert log.verification.run().faults == ()
    for note in kept[1:]:
        assert first_fault(log, note) == (Wrong.HISTORY_REWRITTEN, 0)
    assert log.verification.run(kept[:1]).faults == ()
    with pytest.raises(CustodyError, match="checkpoint_file"):
        log.checkpoints.make()


def test_a_log_cut_with_its_checkpoints_is_told_by_the_one_kept_elsewhere(
    engine: Engine, log: CustodyLog, kept: list[str]
) -> None:
    attack(engine, "DELETE FROM custody_checkpoint WHERE size > 5", *ATTACKS["cut"][0])
    assert log.verification.run().faults == ()
    assert first_fault(log, kept[-1]) == (Wrong.LOG_CUT, 30)
    write(engine, 50, "other")  # and grows past it again
    assert first_fault(log, kept[-1]) == (Wrong.HISTORY_REWRITTEN, 5)
    with pytest.raises(CustodyError, match="does not continue"):
        log.checkpoints.make()


def test_the_log_signs_no_fork_of_its_own_history(engine: Engine, log: CustodyLog, kept: list[str]) -> None:
    attack(engine, "UPDATE custody_record SET salt = (SELECT salt FROM custody_record WHERE position = 1) "
           "WHERE position = 9")  # fmt: skip
    rebuild(engine)
    write(engine, 1)
    with pytest.raises(CustodyError, match="does not continue"):
        log.checkpoints.make()


def test_two_checkpoints_of_one_size_cannot_both_hold(engine: Engine, log: CustodyLog, kept: list[str]) -> None:
    with transaction(engine) as connection:
        signer = log.checkpoints._key.signer(connection)
    assert first_fault(log, signer.sign(16, b"\x01" * 32)) == (Wrong.HISTORY_REWRITTEN, 16)


def test_a_checkpoint_by_another_key_is_none(log: CustodyLog, kept: list[str]) -> None:
    from reporter.audit.notes import Signer

    other = Signer.generate(log.checkpoints.verifier.name)
    assert first_fault(log, other.sign(5, b"\x01" * 32)) == (Wrong.SIGNATURE_WRONG, None)
    for broken in ("", "x", kept[0].replace("\n5\n", "\n05\n"), kept[0][:-1], kept[0].replace("\n5\n", "\n6\n")):
        assert first_fault(log, broken) == (Wrong.SIGNATURE_WRONG, None)


def test_a_lost_key_is_not_replaced_unnoticed(engine: Engine, log: CustodyLog, kept: list[str], tmp_path: Path) -> None:
    (tmp_path / "credentials" / "custody-log-signing-key.secret").unlink()
    with pytest.raises(CustodyError, match="is missing"):
        log.checkpoints.make()


# --- checkpoints and proofs, read by code that knows only the specifications ---------------------------------------


def test_checkpoints_are_signed_notes(log: CustodyLog, kept: list[str], tmp_path: Path) -> None:
    vkey = str(log.checkpoints.verifier)
    name, key_id, encoded = vkey.split("+", 2)
    assert (tmp_path / "checkpoint.txt").read_text() == kept[-1]
    for note in kept:
        body, _, signature = note.rpartition("\n\n")
        dash, signer, blob = signature.rstrip("\n").split(" ")
        key = b64decode(encoded)
        assert (dash, signer, key[:1]) == ("—", name, b"\x01")
        assert b64decode(blob)[:4].hex() == key_id
        assert hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_id
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(b64decode(blob)[4:], (body + "\n").encode())
        assert body.split("\n")[0] == name


def test_proofs_lead_from_the_event_to_the_checkpoint(engine: Engine, log: CustodyLog, kept: list[str]) -> None:
    write(engine, 2)  # beyond the last checkpoint
    for position in (0, 9, ENTRIES + 1):
        header, extra, index, *path = str(log.prover.prove(position)).partition("\n\n")[0].split("\n")
        proof = log.prover.prove(position).to_json()
        assert (header, index) == ("c2sp.org/tlog-proof@v1", f"index {position}")
        assert [b64decode(part).hex() for part in path] == proof["path"]
        assert extra.startswith("extra ")
        told = b"reporter custody event v1\n" + bytes.fromhex(proof["record"]["salt"])
        commitment = hashlib.sha256(told + proof["record"]["content"].encode()).digest()
        _, size, root, *_ = proof["checkpoint"].split("\n")
        assert merkle.includes(
            hashlib.sha256(b"\x00" + commitment).digest(), position, int(size),
            [bytes.fromhex(part) for part in proof["path"]], b64decode(root),
        )  # fmt: skip


def test_checkpoints_are_made_at_their_interval(engine: Engine, log: CustodyLog, clock: FakeClock) -> None:
    def sizes() -> list[int]:
        with transaction(engine) as connection:
            return [row.size for row, _ in log.checkpoints.all(connection)]

    log.keep()
    assert sizes() == []
    write(engine, 2)
    log.keep()
    write(engine, 2)
    log.keep()
    assert sizes() == [2]
    clock.advance(timedelta(hours=1))
    log.keep()
    clock.advance(timedelta(hours=1))
    log.keep()
    assert sizes() == [2, 4]


def test_trouble_with_the_copy_takes_no_checkpoint_back(
    engine: Engine, log: CustodyLog, tmp_path: Path, write_to: Callable[[Path], CustodyLog]
) -> None:
    write(engine, 1)
    made = write_to(tmp_path / "nowhere" / "checkpoint.txt").checkpoints.make()
    assert made.size == 1
    assert "checkpoint_file" in made.trouble[0]
    assert log.verification.run([made.note]).faults == ()


@pytest.fixture
def write_to(engine: Engine, clock: FakeClock, log: CustodyLog, tmp_path: Path) -> Callable[[Path], CustodyLog]:
    credentials = CredentialStore(FolderShelf(tmp_path / "credentials"), LocalKeyring.open(tmp_path / "keys", Places()))
    return lambda file: opened(engine, clock, credentials, file)
