"""NCMEC's documented rules, answered in the case document's own paths."""

from __future__ import annotations

import time
from typing import Any

import pytest

from adapters.ncmec import rules
from reporter.authority import Contact, Environment, EvidenceFacts
from reporter.cases.model import Case
from tests.unit.ncmec_packaging.support import ORGANISATION, case, evidence, minimal, packaging

LONG_EMAIL = "a@" + "b" * 60 + ".example" + "." + "c" * 190
PAST, NOW, FUTURE = "2026-11-01T00:00:00Z", "2026-11-23T12:00:00Z", "2026-12-01T00:00:00Z"


def needs(**changes: Any) -> list[str]:
    document = Case.model_validate(minimal(**changes))
    return [str(need) for need in rules.check(document, packaging(document)).needs]


def someone(role: str = "suspect", **fields: Any) -> dict[str, Any]:
    return {"people": [{"id": "p1", "roles": [role], **fields}]}


def account(role: str = "suspect", **fields: Any) -> dict[str, Any]:
    return someone(role, account=fields)


def human(**fields: Any) -> dict[str, Any]:
    return someone(person=fields)


def associated(**fields: Any) -> dict[str, Any]:
    return someone(associated_accounts=[{"type": "other", **fields}])


def incident(**fields: Any) -> dict[str, Any]:
    return {"incident": {"type": "csam", "occurred_at": PAST, **fields}}


def located(**fields: Any) -> dict[str, Any]:
    return {"locations": [fields]}


def file(**fields: Any) -> dict[str, Any]:
    return {"evidence": [evidence(**fields)]}


PERSON, ASSOCIATED = "people[0].person", "people[0].associated_accounts[0]"
NOT_URL = "not a valid URL, or with white space or control characters in it"

CASES: list[tuple[dict[str, Any], str]] = [
    (incident(platform={"name": "x" * 257}), "incident.platform.name: longer than 256"),
    (incident(occurred_at_note="x" * 3001), "incident.occurred_at_note: longer than 3000"),
    (incident(occurred_at=FUTURE), "incident.occurred_at: not in the past"),
    (incident(occurred_at=NOW), "incident.occurred_at: not in the past"),
    (incident(urgency={"level": "immediate", "reason": "x" * 3001}), "incident.urgency.reason: longer than 3000"),
    (
        incident(urgency={"level": "immediate"}),
        "incident.urgency.reason: missing; an immediate urgency is sent with its reason",
    ),
    (
        incident(urgency={"level": "immediate", "reason": " \n"}),
        "incident.urgency.reason: missing; an immediate urgency is sent with its reason",
    ),
    (incident(annotations=["spam", "spam"]), "incident.annotations: holds spam more than once"),
    (located(kind="web_page", urls=["https://a.example/", "x" * 2084]), "locations[0].urls[1]: longer than 2083"),
    (located(kind="web_page", urls=["https://a.example/a b"]), f"locations[0].urls[0]: {NOT_URL}"),
    (located(kind="web_page", urls=["https://a.example/a\x00b"]), f"locations[0].urls[0]: {NOT_URL}"),
    (located(kind="web_page", urls=["forum.example/a"]), f"locations[0].urls[0]: {NOT_URL}"),
    (located(kind="web_page", urls=["https://[::1/a"]), f"locations[0].urls[0]: {NOT_URL}"),
    (located(kind="web_page", urls=["https://a.example:99999/"]), f"locations[0].urls[0]: {NOT_URL}"),
    (located(kind="newsgroup", name="x" * 256), "locations[0].name: longer than 255"),
    (located(kind="chat", client="x" * 256), "locations[0].client: longer than 255"),
    (located(kind="chat", room="x" * 256), "locations[0].room: longer than 255"),
    (located(kind="gaming", game="x" * 256), "locations[0].game: longer than 255"),
    (located(kind="gaming", console="x" * 256), "locations[0].console: longer than 255"),
    (located(kind="non_internet", name="x" * 256), "locations[0].name: longer than 255"),
    (located(kind="peer_to_peer", client="x" * 256), "locations[0].client: longer than 255"),
    (
        located(kind="email", addresses=[{"address": "a@b.example"}]),
        "locations[0].addresses[0].address: not among the e-mail addresses of a suspect, recipient or victim",
    ),
    ({"law_enforcement": {"agency": "x" * 256}}, "law_enforcement.agency: longer than 255"),
    ({"law_enforcement": {"agency": "x", "case_number": "x" * 101}}, "law_enforcement.case_number: longer than 100"),
    (
        {"law_enforcement": {"agency": "x", "legal_process": {"international": {"served": True, "country": "GBR"}}}},
        "law_enforcement.legal_process.international.country: is not one of the words allowed here",
    ),
    (
        {"law_enforcement": {"agency": "x", "officer": {"first_name": "x" * 101}}},
        "law_enforcement.officer.first_name: longer than 100",
    ),
    (account(id="x" * 256), "people[0].account.id: longer than 255"),
    (account(service="x" * 101), "people[0].account.service: longer than 100"),
    (account(screen_name="x" * 257), "people[0].account.screen_name: longer than 256"),
    (account(display_names=["x", "x" * 256]), "people[0].account.display_names[1]: longer than 255"),
    (account(profile_urls=["nowhere"]), f"people[0].account.profile_urls[0]: {NOT_URL}"),
    (account(group_id="x" * 256), "people[0].account.group_id: longer than 255"),
    (someone(vehicle="x" * 301), "people[0].vehicle: longer than 300"),
    (someone("victim", school="x" * 256), "people[0].school: longer than 255"),
    (human(first_name="x" * 101), f"{PERSON}.first_name: longer than 100"),
    (human(last_name="x" * 101), f"{PERSON}.last_name: longer than 100"),
    (human(age=151), f"{PERSON}.age: not between 0 and 150"),
    (human(age=-1), f"{PERSON}.age: not between 0 and 150"),
    (human(age="9" * 9999), f"{PERSON}.age: not between 0 and 150"),
    (human(date_of_birth="2026-11-23"), f"{PERSON}.date_of_birth: not in the past"),
    (
        human(emails=[{"address": "a@b.example"}, {"address": LONG_EMAIL}]),
        f"{PERSON}.emails[1].address: longer than 255",
    ),
    (human(emails=[{"address": "a" * 65 + "@b.example"}]), f"{PERSON}.emails[0].address: longer than 64 before the @"),
    (human(emails=[{"address": "a b@c.example"}]), f"{PERSON}.emails[0].address: not a well-formed e-mail address"),
    (human(emails=[{"address": ""}]), f"{PERSON}.emails[0].address: not a well-formed e-mail address"),
    (
        human(emails=[{"address": "a@b.example", "verified_at": PAST}]),
        f"{PERSON}.emails[0].verified: not true although verified_at is given",
    ),
    (
        human(emails=[{"address": "a@b.example", "verified": False, "verified_at": PAST}]),
        f"{PERSON}.emails[0].verified: not true although verified_at is given",
    ),
    (
        human(emails=[{"address": "a@b.example", "verified": True, "verified_at": FUTURE}]),
        f"{PERSON}.emails[0].verified_at: not in the past",
    ),
    (human(phones=[{"number": "1" * 51}]), f"{PERSON}.phones[0].number: longer than 50"),
    (
        human(phones=[{"number": "+44 1632 960001", "country_calling_code": "+44"}]),
        f"{PERSON}.phones[0].number: starts with its country calling code; give the national number",
    ),
    (
        human(phones=[{"number": "441632960001", "country_calling_code": "+44"}]),
        f"{PERSON}.phones[0].number: starts with its country calling code; give the national number",
    ),
    (
        human(phones=[{"number": "1", "country_calling_code": "44"}]),
        rf"{PERSON}.phones[0].country_calling_code: does not follow the pattern \+[0-9]{{1,3}}",
    ),
    (human(phones=[{"number": "1", "extension": "1" * 11}]), f"{PERSON}.phones[0].extension: longer than 10"),
    (
        human(phones=[{"number": "1", "extension": "x"}]),
        f"{PERSON}.phones[0].extension: does not follow the pattern [0-9]+",
    ),
    (human(addresses=[{"street": "x" * 256}]), f"{PERSON}.addresses[0].street: longer than 255"),
    (human(addresses=[{"city": "x" * 101}]), f"{PERSON}.addresses[0].city: longer than 100"),
    (human(addresses=[{"postal_code": "x" * 21}]), f"{PERSON}.addresses[0].postal_code: longer than 20"),
    (human(addresses=[{"region": "x" * 101}]), f"{PERSON}.addresses[0].region: longer than 100"),
    (human(addresses=[{"us_state": "AS"}]), f"{PERSON}.addresses[0].us_state: is not one of the words allowed here"),
    (human(addresses=[{"country": "GBR"}]), f"{PERSON}.addresses[0].country: is not one of the words allowed here"),
    (someone(ip_events=[{"address": "300.0.0.1"}]), "people[0].ip_events[0].address: not an IPv4 or IPv6 address"),
    (someone(ip_events=[{"address": "fe80::1%eth0"}]), "people[0].ip_events[0].address: not an IPv4 or IPv6 address"),
    (someone(ip_events=[{"address": " "}]), "people[0].ip_events[0].address: blank"),
    (someone(ip_events=[{"address": "::1", "port": 0}]), "people[0].ip_events[0].port: not between 1 and 65535"),
    (someone(ip_events=[{"address": "::1", "at": FUTURE}]), "people[0].ip_events[0].at: not in the past"),
    (someone(devices=[{"type": "", "value": "1"}]), "people[0].devices[0].type: blank"),
    (someone(devices=[{"type": "IMEI", "value": "x" * 2084}]), "people[0].devices[0].value: longer than 2083"),
    (
        someone(account_actions={"permanently_disabled": {"value": True, "at": NOW}}),
        "people[0].account_actions.permanently_disabled.at: not in the past",
    ),
    (
        someone(
            account_actions={
                "permanently_disabled": {"value": True, "at": PAST, "user_notified_at": "2026-10-31T23:59:59Z"}
            }
        ),
        "people[0].account_actions.permanently_disabled.user_notified_at: before the account was disabled",
    ),
    (
        someone(account_actions={"temporarily_disabled": {"value": True, "at": PAST, "reenabled_at": PAST}}),
        "people[0].account_actions.temporarily_disabled.reenabled_at: not after the account was disabled",
    ),
    (
        someone(estimated_location={}),
        "people[0].estimated_location.country: missing; an estimated location needs its country",
    ),
    (
        someone(estimated_location={"country": "US", "region": "Illinois"}),
        "people[0].estimated_location.region: not the postal abbreviation of a US state or territory",
    ),
    (
        someone(estimated_location={"country": "US", "city": "Springfield"}),
        "people[0].estimated_location.region: missing; a city in the US needs its state",
    ),
    (
        someone(prior_reports=[{"authority": "ncmec", "reference": "NCMEC-100"}]),
        "people[0].prior_reports[0].reference: not the number of a CyberTipline report",
    ),
    (
        someone(prior_reports=[{"authority": "ncmec", "reference": str(2**63)}]),
        "people[0].prior_reports[0].reference: not the number of a CyberTipline report",
    ),
    (associated(first_name="x" * 257), f"{ASSOCIATED}.first_name: longer than 256"),
    (associated(platform={"name": "x" * 257}), f"{ASSOCIATED}.platform.name: longer than 256"),
    (
        associated(approximate_age=3, date_of_birth="2000-01-01"),
        f"{ASSOCIATED}.approximate_age: not together with date_of_birth",
    ),
    (file(original_name="x" * 2057), "evidence[0].original_name: longer than 2056"),
    (file(url="x"), f"evidence[0].url: {NOT_URL}"),
    (file(uploaded_at=FUTURE), "evidence[0].uploaded_at: not in the past"),
    (
        file(original_hashes=[{"algorithm": "x" * 65, "value": ""}]),
        "evidence[0].original_hashes[0].algorithm: longer than 64",
    ),
    (
        file(metadata=[{"pairs": [{"name": "x" * 65, "value": ""}]}]),
        "evidence[0].metadata[0].pairs[0].name: longer than 64",
    ),
    (file(metadata=[{"pairs": []}]), "evidence[0].metadata[0].pairs: needs at least one entry"),
    (
        file(relevance="supplemental", annotations=["potential_meme"]),
        "evidence[0].relevance: not supplemental where a file is a potential meme",
    ),
]


@pytest.mark.parametrize(("changes", "expected"), CASES, ids=[f"{n} {case[1]}" for n, case in enumerate(CASES)])
def test_a_broken_rule_is_named_by_case_path(changes: dict[str, Any], expected: str) -> None:
    assert needs(**changes) == [expected]


def test_limits_themselves_are_allowed() -> None:
    assert needs(**account(id="x" * 255), **incident(platform={"name": "x" * 256})) == []
    assert needs(**human(age=150, date_of_birth="2026-11-22")) == []
    assert needs(**human(emails=[{"address": "a" * 64 + "@b.example"}])) == []
    assert (
        needs(
            **someone(account_actions={"permanently_disabled": {"value": True, "at": PAST, "user_notified_at": PAST}})
        )
        == []
    )


def test_a_supplemental_file_is_refused_a_classification_only_where_that_is_sent() -> None:
    document = case(evidence=[evidence(relevance="supplemental", classification="B2")])
    off, on = packaging(document), packaging(document, settings={"industry_classification": True})
    assert rules.check(document, off).needs == ()
    assert [str(note) for note in rules.check(document, off).notes] == [
        "evidence[0].classification: is not sent: [authority.ncmec] industry_classification is off"
    ]
    assert [str(need) for need in rules.check(document, on).needs] == [
        "evidence[0].relevance: not supplemental where a file is classified"
    ]


def test_an_email_location_names_an_address_of_anyone_in_the_report() -> None:
    place = located(kind="email", addresses=[{"address": "a@b.example"}])
    assert needs(**place, **someone("victim", person={"emails": [{"address": "a@b.example"}]})) == []
    assert needs(**place, **someone("notifier", person={"emails": [{"address": "a@b.example"}]})) != []


def test_a_reporter_without_email_is_named_as_reporter_toml_names_it() -> None:
    silent = ORGANISATION.model_copy(update={"reporting_person": Contact(first_name="x" * 101)})
    assert [str(need) for need in rules.check(case(), packaging(organisation=silent)).needs] == [
        "organisation.reporting_person.first_name: longer than 100",
        "organisation.reporting_person.email: missing; NCMEC needs it in every report",
    ]


def test_country_codes_beside_iso_are_noted() -> None:
    document = case(**human(addresses=[{"country": "EU"}]))
    check = rules.check(document, packaging())
    assert check.needs == ()
    assert [note.path for note in check.notes] == ["people[0].person.addresses[0].country"]


# --- roles -------------------------------------------------------------------------------------------------------


def test_a_notifier_alone_is_never_named() -> None:
    assert needs(**someone("notifier", billing={"name": "x"}, account={"id": "x" * 999})) == []


@pytest.mark.parametrize("roles", [[], ["uploader"], ["creator", "sharer", "recipient"]])
def test_a_person_without_an_element_is_refused(roles: list[str]) -> None:
    assert needs(people=[{"id": "p1", "roles": roles}]) == [
        "people[0].roles: no role that NCMEC has an element for: suspect, victim, intended_recipient"
    ]


def test_a_notifier_who_is_a_suspect_takes_a_second_humans_decision_in_words() -> None:
    def with_decision(**decision: str) -> list[str]:
        return needs(people=[{"id": "p1", "roles": ["notifier", "suspect"], "role_decision": {"at": PAST, **decision}}])

    assert needs(people=[{"id": "p1", "roles": ["notifier", "suspect"]}]) == [
        "people[0].role_decision: missing; a notifier in another role needs a second human's decision"
    ]
    assert with_decision(by="reviewer-9", reason="SYNTHETIC") == []
    assert with_decision(by="reviewer-9", reason="  ") == ["people[0].role_decision.reason: blank"]
    same = "people[0].role_decision.by: not another human than the one who confirmed the case"
    assert with_decision(by=" Reviewer-7", reason="SYNTHETIC") == [same]
    assert with_decision(by="", reason="SYNTHETIC") == [same]


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


# --- size --------------------------------------------------------------------------------------------------------


def test_ten_thousand_urls_are_checked_within_a_second() -> None:
    urls = [f"https://forum.example/t/{number}" for number in range(10_000)]
    document = case(**located(kind="web_page", urls=urls))
    begun = time.perf_counter()
    assert rules.check(document, packaging()).needs == ()
    assert time.perf_counter() - begun < 1
