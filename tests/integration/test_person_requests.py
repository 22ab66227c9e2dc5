"""Requests for access and erasure: the same words to everybody, what was found inside, and nothing erased by it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from reporter.db.engine import reading
from reporter.errors import DocumentError, PolicyError, UsageError
from reporter.retention.model import Standing
from reporter.tasks.model import Basis, Kind
from reporter.testing.house import House

REF = "TEST-000001"


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> Iterator[House]:
    house = House(tmp_path, database=engine)
    house.approved(REF, files={"e1": b"harmless"})
    house.until_idle()
    yield house
    house.app.close()


def request(house: House, value: str, right: str = "erasure", **changes: Any) -> tuple[str, str, list[str]]:
    document = {
        "request_version": 1, "right": right, "received_at": house.clock.now().isoformat(),
        "subjects": [{"kind": "account", "value": value}], **changes,
    }  # fmt: skip
    made, cases = house.app.retention.persons.record(json.dumps(document).encode(), "lea")
    return made.found, made.answer, list(cases)


def test_whoever_asks_hears_the_same_and_nothing_that_is_kept_is_reached(house: House) -> None:
    found, answer, cases = request(house, "9001")
    assert (found, cases) == ("kept", [REF])
    assert request(house, "nobody")[:2] == ("nothing", answer)
    assert request(house, "9001", "access")[1] == request(house, "nobody", "access")[1] != answer
    kept = house.app.retention.clocks.show(REF)
    assert (kept.material.standing, [holds.number for holds in kept.holds]) == (Standing.KEPT, [])
    assert house.app.cases.load(REF)
    house.clock.advance(timedelta(days=368))
    assert request(house, "9001")[0] == "due"


def test_a_demand_that_forbids_to_tell_goes_to_counsel(house: House) -> None:
    document = {
        "demand_version": 1, "kind": "court_order", "requester": "federal", "authority": {"name": "Example Agency"},
        "served_at": "2026-11-20T09:00:00Z", "nondisclosure_until": "2027-11-20T09:00:00Z", "scope": {"cases": [REF]},
    }  # fmt: skip
    house.app.retention.demands.record(json.dumps(document).encode(), "lea")
    assert request(house, "9001")[0] == "undisclosed"
    house.clock.advance(timedelta(days=400))
    assert request(house, "9001")[0] == "kept", "the hold stands, and may be spoken of"


def test_it_is_due_in_a_month_and_answered_once(house: House) -> None:
    request(house, "9001", received_at="2026-01-31T10:00:00Z")
    (task,) = [task for task in house.app.tasks.desk.tasks() if task.kind is Kind.PERSON_REQUEST]
    assert task.due is not None
    assert (task.due.isoformat(), task.basis) == ("2026-02-28T10:00:00+00:00", Basis.LAW)
    house.app.retention.persons.answered(1, "lea", "Sent the standard words.")
    with pytest.raises(PolicyError, match="answered already"):
        house.app.retention.persons.answered(1, "lea", "Again.")
    assert house.app.retention.persons.requests() == []
    with reading(house.app.database) as connection:
        rows = [str(row) for row in connection.execute(text("SELECT * FROM person_request"))]
    assert not any("Sent" in row or "subjects" in row for row in rows)


def test_what_is_no_request_is_refused(house: House) -> None:
    for changes in ({"right": "portability"}, {"subjects": []}, {"received_at": "today"}, {"who": "me"}):
        with pytest.raises(DocumentError):
            request(house, "9001", **changes)
    with pytest.raises(UsageError, match="future"):
        request(house, "9001", received_at="2030-01-01T00:00:00Z")
    with pytest.raises(DocumentError):
        house.app.retention.persons.record(b"{", "lea")
