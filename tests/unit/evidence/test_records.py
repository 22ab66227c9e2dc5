"""Preservation records, views and claims: what "viewed by us" follows from."""

from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from reporter.cases.model import Case
from reporter.db.engine import transaction
from reporter.errors import CustodyError
from reporter.evidence import service
from reporter.evidence.model import Look
from reporter.evidence.vault import Plain

CASE, OTHER = "TS-2026-000101", "TS-2026-000102"
AT = "2026-11-18T10:00:00.50+02:00"


def view(extent: str = "entire", **more: Any) -> dict[str, Any]:
    return {"by": "analyst-7", "at": AT, "extent": extent, **more}


def case(*evidence: dict[str, Any]) -> Case:
    return Case.model_validate(
        {
            "case_version": 1,
            "reference": CASE,
            "detected_at": AT,
            "confirmation": {"decision": "confirmed", "by": "lead-1", "at": AT, "basis": "synthetic"},
            "incident": {"type": "csam", "occurred_at": AT},
            "evidence": list(evidence),
        }
    )


@pytest.fixture
def sealed(house, engine: Engine):
    def seal(item: str, content: bytes, *, reference: str = CASE) -> dict[str, Any]:
        house.write(item, content)
        digest = sha256(content).hexdigest()
        (record,) = house.vault.seal_all(
            reference, [Plain(item, item, digest, "evidence[0]")], folder=house.folder, digests=frozenset({"md5"})
        )
        with transaction(engine) as connection:
            service.record_items(connection, [record])
        return {"id": item, "path": item, "sha256": digest}

    return seal


def facts_of(engine: Engine, document: Case, now, reference: str = CASE):
    with transaction(engine) as connection:
        service.record_views(connection, reference, document, now)
        return service.facts(connection, reference, document)


def test_record_comes_back_as_it_was_sealed(house, engine: Engine, sealed) -> None:
    item = sealed("file-1", b"harmless")
    with transaction(engine) as connection:
        (record,) = service.sealed_items(connection, CASE)
        assert service.sealed_item(connection, CASE, "file-1", item["sha256"]) == record
        with pytest.raises(CustodyError):
            service.sealed_item(connection, CASE, "file-1", "0" * 64)
        with pytest.raises(CustodyError):
            service.sealed_item(connection, OTHER, "file-1", item["sha256"])
        assert service.sealed_items(connection, OTHER) == []
    assert record.sealed_at == house.vault.clock.now()
    assert b"".join(house.vault.open(record)) == b"harmless"


def test_one_file_is_recorded_once(engine: Engine, sealed) -> None:
    sealed("file-1", b"harmless")
    with pytest.raises(IntegrityError):
        sealed("file-1", b"harmless")


@pytest.mark.parametrize(
    ("views", "entire", "metadata"),
    [
        ([], False, False),
        ([view("partial", metadata_viewed=True)], False, False),
        ([view("thumbnail"), view("blurred")], False, False),
        ([view()], True, False),
        ([view(metadata_viewed=False)], True, False),
        ([view(), view("partial", metadata_viewed=True)], True, False),
        ([view(), view(metadata_viewed=True)], True, True),
    ],
    ids=range(7),
)
def test_viewed_means_an_entire_view_on_record(house, engine: Engine, sealed, views, entire, metadata) -> None:
    document = case({**sealed("file-1", b"harmless"), "views": views})
    fact = facts_of(engine, document, house.vault.clock.now())["file-1"]
    assert (fact.viewed_entire, fact.metadata_viewed) == (entire, metadata)
    assert (fact.sha256, fact.size) == (document.evidence[0].sha256, 8)
    assert len(fact.md5) == 32


def test_views_in_the_document_alone_count_for_nothing(engine: Engine, sealed) -> None:
    document = case({**sealed("file-1", b"harmless"), "views": [view(metadata_viewed=True)]})
    with transaction(engine) as connection:
        fact = service.facts(connection, CASE, document)["file-1"]
    assert (fact.viewed_entire, fact.metadata_viewed) == (False, False)


def test_the_same_document_again_adds_no_view_and_a_new_view_is_added(house, engine: Engine, sealed) -> None:
    item, now = sealed("file-1", b"harmless"), house.vault.clock.now()
    seen, partly = view(), view("partial", metadata_viewed=True)
    for views, added in (([seen], 1), ([seen], 0), ([seen, seen], 0), ([seen, partly, partly], 1), ([], 0)):
        with transaction(engine) as connection:
            assert service.record_views(connection, CASE, case({**item, "views": views}), now) == added
    with transaction(engine) as connection:
        recorded = service.views_of(connection, CASE, case(item))["file-1"]
    assert recorded == [Look("analyst-7", AT, "entire"), Look("analyst-7", AT, "partial", metadata_viewed=True)]


def test_a_view_belongs_to_the_file_and_not_to_the_one_that_replaced_it(house, engine: Engine, sealed) -> None:
    now = house.vault.clock.now()
    old = sealed("file-1", b"harmless")
    assert facts_of(engine, case({**old, "views": [view()]}), now)["file-1"].viewed_entire
    new = sealed("file-1", b"replaced")
    fact = facts_of(engine, case(new), now)["file-1"]
    assert (fact.sha256, fact.viewed_entire) == (new["sha256"], False)
    assert facts_of(engine, case(old), now)["file-1"].viewed_entire
    with transaction(engine) as connection:
        assert service.views_of(connection, CASE, case(new)) == {"file-1": []}


def test_views_of_another_item_or_case_do_not_count(house, engine: Engine, sealed) -> None:
    now = house.vault.clock.now()
    seen, unseen = sealed("file-1", b"harmless"), sealed("file-2", b"harmless")
    sealed("file-1", b"harmless", reference=OTHER)
    facts = facts_of(engine, case({**seen, "views": [view()]}, unseen), now)
    assert {name: fact.viewed_entire for name, fact in facts.items()} == {"file-1": True, "file-2": False}
    with transaction(engine) as connection:
        assert not service.facts(connection, OTHER, case(seen))["file-1"].viewed_entire


def test_what_is_not_sealed_has_no_facts(house, engine: Engine) -> None:
    document = case({"id": "file-1", "path": "f", "sha256": "0" * 64, "views": [view()]})
    assert facts_of(engine, document, house.vault.clock.now()) == {}
    assert facts_of(engine, case(), house.vault.clock.now()) == {}


def test_claims_are_kept_by_item_and_the_first_word_stays(engine: Engine) -> None:
    with transaction(engine) as connection:
        service.record_claims(connection, CASE, {"a": {"file_viewed": True, "exif_viewed": False}, "b": {}})
        service.record_claims(connection, CASE, {"a": {"file_viewed": False}, "c": {"exif_viewed": True}})
        assert service.claims_of(connection, CASE) == {
            "a": {"file_viewed": True, "exif_viewed": False},
            "b": {},
            "c": {"exif_viewed": True},
        }
        assert service.claims_of(connection, OTHER) == {}
