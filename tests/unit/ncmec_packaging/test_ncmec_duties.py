"""Who stands where in a report, which earlier reports and files go with it, and what a batched one may hold."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.ncmec import rules
from reporter.authority import Environment, EvidenceFacts
from tests.unit.ncmec_packaging.parts import PAST, account, associated, file, human, incident, located, needs, someone
from tests.unit.ncmec_packaging.support import case, evidence, packaging

# --- roles -------------------------------------------------------------------------------------------------------


def test_a_notifier_alone_is_never_named() -> None:
    assert needs(**someone("notifier", billing={"name": "x"}, account={"id": "x" * 999})) == []


@pytest.mark.parametrize("roles", [[], ["uploader"], ["creator", "sharer", "recipient"]])
def test_a_person_without_an_element_is_refused(roles: list[str]) -> None:
    assert needs(people=[{"id": "p1", "roles": roles}]) == [
        "people[0].roles: no role that NCMEC has an element for: suspect, victim, intended_recipient"
    ]


def test_a_second_suspect_is_refused_with_advice() -> None:
    (need,) = needs(people=[{"id": "p1", "roles": ["suspect"]}, {"id": "p2", "roles": ["suspect", "victim"]}])
    assert need.startswith("people[1].roles:")
    assert "associated_accounts" in need
    assert "split the case" in need


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        (human(middle_name="M"), "people[0].person.middle_name"),
        (someone(billing={"name": "x"}), "people[0].billing"),
        (someone(identity_documents=["x"]), "people[0].identity_documents"),
        (someone(stated_location="x"), "people[0].stated_location"),
        (someone(school="x"), "people[0].school"),
        (someone("victim", vehicle="x"), "people[0].vehicle"),
        (someone("intended_recipient", associated_accounts=[{"type": "other"}]), "people[0].associated_accounts"),
        (account("victim", group_id="x"), "people[0].account.group_id"),
        (account("victim", third_party=False), "people[0].account.third_party"),
        (account(created_at=PAST), "people[0].account.created_at"),
        (account(connections=["x"]), "people[0].account.connections"),
        (associated(connections=["x"]), "people[0].associated_accounts[0].connections"),
        (associated(third_party=True), "people[0].associated_accounts[0].third_party"),
    ],
)
def test_what_the_format_cannot_express_is_refused_by_its_path(changes: dict[str, Any], path: str) -> None:
    (need,) = needs(**changes)
    assert need.startswith(f"{path}: cannot be sent")


def test_a_field_that_one_of_a_persons_elements_carries_is_not_refused() -> None:
    both = {"id": "p1", "roles": ["suspect", "victim"], "school": "x", "vehicle": "y", "account": {"group_id": "1"}}
    assert needs(people=[both]) == []


def test_empty_fields_without_an_element_say_nothing() -> None:
    assert needs(**someone(identity_documents=[], billing={}, stated_location="")) == []


# --- earlier reports ---------------------------------------------------------------------------------------------


def test_earlier_reports_must_be_of_the_same_environment() -> None:
    document = case(
        **someone(
            prior_reports=[
                {"authority": "ncmec", "reference": "1", "environment": "production"},
                {"authority": "ncmec", "reference": "2"},
                {"authority": "nca", "reference": "x"},
            ]
        )
    )

    def paths(environment: Environment) -> list[str]:
        return [need.path for need in rules.check(document, packaging(environment=environment)).needs]

    assert paths(Environment.SANDBOX) == []
    assert paths(Environment.PRODUCTION) == ["people[0].prior_reports[1].environment"]
    assert paths(Environment.TEST) == [
        "people[0].prior_reports[0].environment",
        "people[0].prior_reports[1].environment",
    ]
    notes = rules.check(document, packaging()).notes
    assert [note.path for note in notes] == ["people[0].prior_reports[2]"]


def test_an_earlier_report_needs_a_reported_person() -> None:
    previous = [{"authority": "ncmec", "reference": "1"}]
    assert needs(previous_reports=previous, **someone()) == []
    assert needs(previous_reports=previous) == ["previous_reports[0]: cannot be named without a suspect"]
    assert needs(previous_reports=[{"authority": "nca", "reference": "x"}]) == []


# --- files -------------------------------------------------------------------------------------------------------


def test_files_are_sealed_and_not_empty() -> None:
    document = case(evidence=[evidence(), evidence(id="e2")])
    facts = {"e2": EvidenceFacts("e2", "0" * 64, "0" * 32, 0)}
    assert [str(need) for need in rules.check(document, packaging(evidence=facts)).needs] == [
        "evidence[0].path: the file is not sealed here yet; hand it in with case revise",
        "evidence[1].path: the file is empty (0 bytes)",
    ]


def test_two_items_with_one_id_are_named() -> None:
    assert needs(evidence=[evidence(), evidence()]) == ["evidence[1].id: the same as evidence[0].id"]


# --- batched reports ---------------------------------------------------------------------------------------------

BATCH = {"batch": {"reason": "viral_potential_meme"}}
MEME = {"annotations": ["viral"], "relevance": "reported"}


def test_a_batched_report_names_many_accounts_and_one_file() -> None:
    people = [{"id": f"p{number}", "roles": ["suspect"], "account": {"id": str(number)}} for number in range(3)]
    assert needs(**incident(**BATCH), people=people, **file(**MEME)) == []


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        (incident(summary="x", **BATCH), ["incident.summary"]),
        (incident(urgency={"level": "immediate", "reason": "x"}, **BATCH), ["incident.urgency.reason"]),
        ({**incident(**BATCH), **located(kind="web_page")}, ["locations[0]"]),
        ({**incident(**BATCH), "law_enforcement": {"agency": "x"}}, ["law_enforcement"]),
        ({**incident(**BATCH), **someone("victim")}, ["people[0]"]),
        ({**incident(**BATCH), **someone("intended_recipient")}, ["people[0]"]),
        ({**incident(**BATCH), **account(service="x")}, ["people[0].account.service"]),
        ({**incident(**BATCH), **someone(person={})}, ["people[0].person"]),
        (
            {**incident(**BATCH), **someone(), "previous_reports": [{"authority": "ncmec", "reference": "1"}]},
            ["previous_reports[0]", "previous_reports[0].reference"],
        ),
        ({**incident(**BATCH), "evidence": [evidence(**MEME), evidence(id="e2", **MEME)]}, ["evidence[1]"]),
        ({**incident(**BATCH), **file(relevance="reported")}, ["evidence[0].annotations"]),
        ({**incident(**BATCH), **file(annotations=["viral"])}, ["evidence[0].relevance"]),
        (
            {**incident(**BATCH), **file(relevance="reported", annotations=["viral", "infant"])},
            ["evidence[0].annotations[1]"],
        ),
        ({**incident(**BATCH), **file(original_name="x", **MEME)}, ["evidence[0].original_name"]),
        ({**incident(**BATCH), **file(url="https://a.example/", **MEME)}, ["evidence[0].url"]),
        (
            {**incident(**BATCH), **file(original_hashes=[{"algorithm": "MD5", "value": "x"}], **MEME)},
            ["evidence[0].original_hashes[0].value"],
        ),
        ({**incident(**BATCH), **file(upload_event={"address": "::1"}, **MEME)}, ["evidence[0].upload_event"]),
        ({**incident(**BATCH), **file(devices=[{"type": "x", "value": "x"}], **MEME)}, ["evidence[0].devices[0]"]),
        (
            {**incident(**BATCH), **file(metadata=[{"pairs": [{"name": "x", "value": "x"}]}], **MEME)},
            ["evidence[0].metadata[0]"],
        ),
        ({**incident(**BATCH), **file(additional_info=["x"], **MEME)}, ["evidence[0].additional_info[0]"]),
    ],
)
def test_a_batched_report_holds_nothing_else(changes: dict[str, Any], paths: list[str]) -> None:
    assert [need.partition(":")[0] for need in needs(**changes)] == paths
