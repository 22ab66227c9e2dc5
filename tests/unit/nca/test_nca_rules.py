"""Each duty refuses the case that breaks it, by path."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.nca import payload, rules
from reporter.authority import Environment
from reporter.cases.model import Email
from reporter.organisation import Contact
from tests.contract.nca_subject import ORGANISATION, SETTINGS
from tests.unit.nca.full_nca_case import NCA_CASE, nca_case, nca_packaging

_INCIDENT: dict[str, Any] = NCA_CASE["incident"]
_PEOPLE: list[dict[str, Any]] = NCA_CASE["people"]
_ITEM: dict[str, Any] = NCA_CASE["evidence"][0]
_SENDS = SETTINGS["authorised_persons"][0]
_UNREACHABLE = ORGANISATION.model_copy(update={"reporting_person": Contact(emails=(Email(address="a@b"),))})
_ABROAD = ORGANISATION.model_copy(update={"established_in": "US"})


def needs(changes: dict[str, Any] | None = None, **settings: Any) -> set[tuple[str, str]]:
    case = nca_case(**(changes or {}))
    return {(need.path, need.rule) for need in rules.check(case, nca_packaging(case, **settings)).needs}


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


def incident(**changes: Any) -> dict[str, Any]:
    return {"incident": {**_INCIDENT, **changes}}


def person(at: int, *dropped: str, **changes: Any) -> dict[str, Any]:
    people = [*_PEOPLE[:at], {**without(_PEOPLE[at], *dropped), **changes}, *_PEOPLE[at + 1 :]]
    return {"people": people}


def item(*dropped: str, **changes: Any) -> dict[str, Any]:
    people = [without(each, "identity_documents") for each in _PEOPLE]
    return {"evidence": [{**without(_ITEM, *dropped), **changes}], "people": people}


def upload(**changes: Any) -> dict[str, Any]:
    return item(upload_event={"address": "192.0.2.1", "at": "2026-11-18T09:55:00Z", **changes})


def link(evidence: str) -> dict[str, Any]:
    return {"uk": {**NCA_CASE["uk"], "links": [{"ground": "place", "evidence": evidence}]}}


_ELSEWHERE = {"authority": "nca", "environment": "production", "reference": "1"}


@pytest.mark.parametrize(
    ("changes", "path", "rule"),
    [
        ({"incident": without(_INCIDENT, "summary")}, "incident.summary", "required"),
        ({"incident": without(_INCIDENT, "urgency")}, "incident.urgency", "required"),
        (incident(urgency={"level": "routine"}), "incident.urgency.reason", "required"),
        (incident(summary="x" * 8001), "incident.summary", "maxLength"),
        (incident(platform={"url": "no url"}), "incident.platform.url", "format"),
        ({"detected_by": []}, "detected_by", "required"),
        ({"uk": {}}, "uk.declaration", "required"),
        (link(""), "uk.links[0].evidence", "minLength"),
        (link(" \n"), "uk.links[0].evidence", "not_blank"),
        (person(3, "context"), "people[3].context", "required"),
        (person(4, "role_decision", roles=["notifier", "sharer"]), "people[4].role_decision", "required"),
        (item(shared_by=["p4"]), "people[3].roles", "both_roles"),
        (person(0, identity_documents=["e9"]), "people[0].identity_documents[0]", "reference"),
        (person(0, account={"profile_urls": ["x y"]}), "people[0].account.profile_urls", "format"),
        (item(url="no url"), "evidence[0].url", "format"),
        (upload(address="nowhere"), "evidence[0].upload_event.address", "anyOf"),
        (upload(port="99999999"), "evidence[0].upload_event.port", "type"),
        (item("path"), "evidence[0].path", "file"),
        ({"previous_reports": [_ELSEWHERE]}, "previous_reports[0].environment", "environment"),
    ],
)
def test_what_is_lacking_or_cannot_be_carried_is_named(changes: dict[str, Any], path: str, rule: str) -> None:
    assert (path, rule) in needs(changes)


def test_nothing_without_content_is_reported() -> None:
    people = [without(each, "identity_documents") for each in _PEOPLE]
    assert ("evidence", "minItems") in needs({"evidence": [], "locations": [], "people": people})


def test_a_provider_abroad_needs_a_link_with_its_evidence() -> None:
    assert needs(organisation=_ABROAD) == set()
    assert needs({"uk": without(NCA_CASE["uk"], "links")}, organisation=_ABROAD) == {("uk.links", "required")}
    assert needs({"uk": {**NCA_CASE["uk"], "links": []}}, organisation=_ABROAD) == {("uk.links", "minItems")}
    assert needs({"uk": without(NCA_CASE["uk"], "links")}) == set()


def test_what_an_arrangement_with_a_foreign_agency_covers_is_not_reported() -> None:
    covered = ORGANISATION.model_copy(update={"ncmec_arrangement": True})
    assert needs(organisation=covered) == {("[organisation] ncmec_arrangement", "covered")}


def test_there_is_no_environment_but_the_sandbox() -> None:
    assert ("[authority.nca] environment", "mock") in needs(environment=Environment.PRODUCTION)


@pytest.mark.parametrize(
    ("settings", "path", "rule"),
    [
        ({"registration_id": ""}, "[authority.nca] registration_id", "required"),
        ({"registered_on": "2026-12-01"}, "[authority.nca] registered_on", "future"),
        ({"administrator": None}, "[authority.nca] administrator", "required"),
        ({"administrator": {"name": "Alex"}}, "[authority.nca] administrator.email", "setting"),
        ({"authorised_persons": []}, "[organisation.reporting_person]", "authorised"),
        ({"authorised_persons": [{**_SENDS, "until": "2026-11-21"}]}, "[organisation.reporting_person]", "authorised"),
        ({"organisation": _UNREACHABLE}, "[organisation.reporting_person]", "required"),
    ],
)
def test_the_registration_comes_first(settings: dict[str, Any], path: str, rule: str) -> None:
    assert (path, rule) in needs(**settings)


def test_findings_repeat_nothing_of_the_case() -> None:
    case = nca_case(evidence=[{**_ITEM, "url": "SECRET value"}], people=[], detected_by=NCA_CASE["detected_by"][1:])
    found = rules.check(nca_case(), nca_packaging(nca_case()))
    told = " ".join(str(each) for each in (*rules.check(case, nca_packaging(case)).needs, *found.notes))
    assert "SECRET" not in told
    assert "SYNTHETIC" not in told


def test_levels_1_and_2_are_shown_to_take_a_telephone_call() -> None:
    assert "telephone" in {note.rule for note in rules.check(nca_case(), nca_packaging(nca_case())).notes}


def test_the_exact_documents_are_held_against_the_contract() -> None:
    package = payload.build(nca_case(), nca_packaging(nca_case()))
    assert rules.validate(package, b"") == []
    broken = payload.build(nca_case(detected_by=[]), nca_packaging(nca_case()))
    assert [(fault.path, fault.rule) for fault in rules.validate(broken, b"")] == [
        ("report/incident/detection/methods", "minItems")
    ]
