"""Police requests to destroy: before a floor, never before a hold, and nothing but what they may reach."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from reporter.audit import service as audit
from reporter.db.engine import reading
from reporter.errors import NotFoundError, PolicyError
from reporter.retention.demand import Check, Scope
from reporter.testing.documents import case_document
from reporter.testing.house import House

REF = "TEST-000001"
FILES = {"e1": b"harmless", "e2": b"another", "e3": b"a third"}


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> Iterator[House]:
    house = House(tmp_path, database=engine)
    evidence = case_document(REF, files=FILES)["evidence"]
    kinds = {"e1": "image", "e2": "text", "e3": "video"}
    house.approved(REF, files=FILES, evidence=[{**each, "kind": kinds[each["id"]]} for each in evidence])
    house.until_idle()
    yield house
    house.app.close()


def request(house: House, *, verified: bool = True, **changes: Any) -> int:
    document = {
        "demand_version": 1, "kind": "destruction_request", "requester": "federal",
        "authority": {"name": "Example Agency"}, "served_at": "2026-11-20T09:00:00Z",
        "scope": {"items": [{"case": REF, "item": "e1"}, {"case": REF, "item": "e2"}]}, **changes,
    }  # fmt: skip
    number = house.app.retention.demands.record(json.dumps(document).encode(), "lea").number
    if verified:
        house.app.retention.demands.verify(number, Check.CALL_BACK, "sam", "Called the desk.")
    return number


def destroy(house: House, number: int, who: str, item: str = "e1") -> bool:
    return house.app.retention.requests.destroy(number, REF, item, who, "Letter of the agency.").decided


def test_two_people_destroy_a_depiction_before_the_year_is_over(house: House) -> None:
    number = request(house)
    assert house.app.retention.holds.holds() == [], "a request to destroy holds nothing"
    with pytest.raises(PolicyError, match="us-2258a"):
        house.app.evidence.destruction.destroy(REF, "e1", "ann", "Synthetic.")
    assert not destroy(house, number, "ann")
    with pytest.raises(PolicyError, match="a different person"):
        destroy(house, number, "ann")
    with pytest.raises(PolicyError, match="us-2258a"):
        house.app.evidence.destruction.destroy(REF, "e1", "bob", "By the usual way.")
    assert destroy(house, number, "bob")
    with reading(house.app.database) as connection:
        told = [event.detail for event in audit.events(connection, REF) if event.kind == "destroyed_on_request"]
    assert told == ["e1 proposed", "e1 decided"]


@pytest.mark.parametrize(
    ("changes", "item", "why"),
    [
        ({}, "e2", "neither an image nor a video"),
        ({}, "e3", "does not reach that item"),
        ({"kind": "search_warrant"}, "e1", "no request of a law enforcement agency"),
        ({"requester": "civil_party"}, "e1", "no request of a law enforcement agency"),
        ({"verified": False}, "e1", "not verified"),
    ],
)
def test_what_no_genuine_request_names_stays(house: House, changes: dict[str, Any], item: str, why: str) -> None:
    number = request(house, **changes)
    with pytest.raises(PolicyError, match=why):
        destroy(house, number, "ann", item)
    with reading(house.app.database) as connection:
        assert audit.events(connection)[-1].kind == "legal_refused"


def test_another_hold_and_a_closed_request_stand_against_it(house: House) -> None:
    number = request(house)
    destroy(house, number, "ann")
    hold = house.app.retention.holds.place(
        Scope.model_validate({"items": [{"case": REF, "item": "e1"}]}), "lea", "Synthetic."
    ).number
    with pytest.raises(PolicyError, match=f"hold {hold}"):
        destroy(house, number, "bob")
    for who in ("lea", "sam"):
        house.app.retention.holds.release(hold, who, "Over.")
    house.app.retention.demands.close(number, "withdrawn", "lea", "The agency took it back.")
    with pytest.raises(PolicyError, match="closed"):
        destroy(house, number, "bob")
    with pytest.raises(NotFoundError):
        destroy(house, 77, "bob")
