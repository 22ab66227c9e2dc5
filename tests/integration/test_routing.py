"""One case goes to every authority that must hear of it, and to none that must not; each decision names its rule."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from reporter.audit import service as audit
from reporter.cases.model import Case
from reporter.errors import PolicyError
from reporter.organisation import Organisation
from reporter.rules.model import Verdict
from reporter.rules.reading import shipped
from reporter.submissions.routing import Route, Router, facts
from reporter.testing.documents import case_document, write_case
from reporter.testing.house import House

REF = "TEST-000001"
DAY = date(2026, 11, 23)
ITEM = {"id": "e1", "path": "e1.txt", "sha256": "0" * 64}


def case(**changes: object) -> Case:
    document = {key: value for key, value in case_document(REF).items() if key not in ("evidence", "locations")}
    return Case.model_validate({**document, **changes})


def routed(organisation: Organisation, document: Case) -> Route:
    return Router(shipped(), organisation).route(document, DAY)


def test_text_is_content_and_an_account_alone_is_not() -> None:
    assert not facts(case()).content
    assert facts(case(locations=[{"kind": "chat", "content": "placeholder"}])).content
    assert facts(case(locations=[{"kind": "web_page", "urls": ["https://forum.example/p/1"]}])).content
    assert not facts(case(locations=[{"kind": "chat", "room": "a room"}])).content
    assert not facts(case(locations=[{"kind": "chat", "content": " \n"}])).content


def test_the_address_of_an_account_and_its_holders_papers_are_no_content() -> None:
    profile, post = "https://forum.example/u/9001", "https://forum.example/p/1"
    holder = {"id": "p1", "roles": ["suspect"], "account": {"profile_urls": [profile]}, "identity_documents": ["e1"]}
    assert not facts(
        case(people=[holder], evidence=[ITEM], locations=[{"kind": "web_page", "urls": [profile]}])
    ).content
    assert facts(case(people=[holder], locations=[{"kind": "web_page", "urls": [profile, post]}])).content
    assert facts(case(people=[holder], evidence=[ITEM, ITEM | {"id": "e2"}])).content


def test_a_uk_link_without_evidence_is_none() -> None:
    assert facts(case(uk={"links": [{"ground": "place", "evidence": "placeholder"}]})).uk_linked
    assert not facts(case(uk={"links": [{"ground": "place", "evidence": " "}]})).uk_linked
    assert not facts(case()).uk_linked


def test_one_detection_goes_to_one_body_by_default() -> None:
    here = Organisation(name="Example", established_in="GB", serves=("GB",), ncmec_arrangement=True)
    document = case(locations=[{"kind": "chat", "content": "placeholder"}])
    assert routed(here, document).goes_to(["ncmec", "nca"]) == ["ncmec"]
    alone = here.model_copy(update={"ncmec_arrangement": False})
    assert routed(alone, document).goes_to(["ncmec", "nca"]) == ["nca"]


def test_an_authority_that_no_rule_knows_is_told_because_it_is_configured() -> None:
    assert routed(Organisation(name="Example"), case()).goes_to(["somewhere"]) == ["somewhere"]


def test_approval_goes_where_the_rules_send_it_and_names_them(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.app.cases.add(write_case(house.folder / "cases", REF, files={"e1": b"harmless"}), "preparer")
    house.app.submissions.approve(REF, "approver")
    with house.app.database.connect() as connection:
        (event,) = [each for each in audit.events(connection, REF) if each.kind == "submission_approval"]
    assert event.detail.endswith("rules:us-2258a/2")


def test_nothing_is_approved_where_no_rule_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTER_ORGANISATION__ESTABLISHED_IN", "NZ")
    house = House(tmp_path)
    house.app.cases.add(write_case(house.folder / "cases", REF, files={"e1": b"harmless"}), "preparer")
    with pytest.raises(PolicyError, match="No rule asks"):
        house.app.submissions.approve(REF, "approver")
    assert {said.verdict for said in house.app.submissions.route(REF).of("ncmec")} == {Verdict.NOT_BOUND}
    house.app.submissions.approve(REF, "approver", "ncmec")  # by choice, named


def test_what_a_verified_rule_forbids_is_refused_even_by_name() -> None:
    here = Organisation(name="Example", established_in="US", serves=("US", "GB"))
    linked = case(uk={"links": [{"ground": "place", "evidence": "placeholder"}]}, evidence=[ITEM])
    assert routed(here, linked).addressed(["nca"], "nca") == ["nca"]
    for document in (case(evidence=[ITEM]), case()):  # not linked to the United Kingdom; no content
        with pytest.raises(PolicyError, match="uk-osa-66"):
            routed(here, document).addressed(["nca"], "nca")


def test_what_may_be_told_is_named_and_not_chosen() -> None:
    with pytest.raises(PolicyError, match="No rule asks") as refused:
        routed(Organisation(name="Example"), case()).addressed(["ncmec"], None)
    assert "--to (ncmec)" in refused.value.next_step


def test_of_what_people_decided_is_no_case_no_rule_says_anything(tmp_path: Path) -> None:
    house = House(tmp_path)
    refused = {**case_document(REF)["confirmation"], "decision": "not_confirmed"}
    house.app.cases.add(write_case(house.folder / "cases", REF, files={"e1": b"harmless"}, confirmation=refused), "ann")
    assert house.app.submissions.route(REF).obligations == ()
