import pytest
from sqlalchemy import Engine, update
from sqlmodel import col

from reporter.db.engine import transaction
from reporter.errors import CustodyError
from reporter.evidence.bodies import BodyVault
from reporter.evidence.tables import SealedBody

CASE, OTHER = "TS-2026-000101", "TS-2026-000102"
MARKER = b"SYNTHETIC HARMLESS MARKER "


def test_body_comes_back_and_is_nowhere_in_clear(house, engine: Engine, tmp_path) -> None:
    bodies, now = BodyVault(house.keys), house.vault.clock.now()
    with transaction(engine) as connection:
        first = bodies.seal(connection, CASE, "document", MARKER, now)
        second = bodies.seal(connection, CASE, "document", MARKER, now)
    with transaction(engine) as connection:
        assert bodies.open(connection, first) == bodies.open(connection, second) == MARKER
    assert first != second
    engine.dispose()
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or MARKER not in path.read_bytes()


def test_body_goes_with_the_transaction_that_failed(house, engine: Engine) -> None:
    bodies = BodyVault(house.keys)
    with pytest.raises(RuntimeError), transaction(engine) as connection:
        body = bodies.seal(connection, CASE, "document", MARKER, house.vault.clock.now())
        raise RuntimeError
    with transaction(engine) as connection, pytest.raises(CustodyError, match="missing"):
        bodies.open(connection, body)


@pytest.mark.parametrize("change", ["ciphertext", "emptied", "kind", "case", "swapped"])
def test_altered_row_is_refused(house, engine: Engine, change: str) -> None:
    bodies, now = BodyVault(house.keys), house.vault.clock.now()
    with transaction(engine) as connection:
        body = bodies.seal(connection, CASE, "document", MARKER, now)
        other = bodies.seal(connection, OTHER, "document", MARKER[::-1], now)
        ciphertext = {
            row.id: row.ciphertext
            for row in connection.execute(SealedBody.__table__.select())  # type: ignore[attr-defined]
        }
        values = {
            "ciphertext": {"ciphertext": ciphertext[body][:-1] + bytes([ciphertext[body][-1] ^ 1])},
            "emptied": {"ciphertext": b""},
            "kind": {"kind": "receipt"},
            "case": {"reference": OTHER},
            "swapped": {"ciphertext": ciphertext[other]},
        }[change]
        connection.execute(update(SealedBody).where(col(SealedBody.id) == body).values(**values))
    with transaction(engine) as connection, pytest.raises(CustodyError) as refusal:
        bodies.open(connection, body)
    assert "HARMLESS" not in refusal.value.diagnostics()


def test_body_of_a_case_whose_key_is_gone_stays_shut(house, engine: Engine) -> None:
    bodies = BodyVault(house.keys)
    with transaction(engine) as connection:
        body = bodies.seal(connection, CASE, "document", MARKER, house.vault.clock.now())
    (house.home / "keystore" / f"case-{CASE}").unlink()
    afresh = BodyVault(type(house.keys)(house.keys._provider, house.keys._store))
    with transaction(engine) as connection, pytest.raises(CustodyError, match="no wrap"):
        afresh.open(connection, body)
