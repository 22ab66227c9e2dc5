"""NCMEC's documented rules, answered in the case document's own paths."""

from __future__ import annotations

import time
from typing import Any

import pytest

from adapters.ncmec import rules
from reporter.organisation import Contact
from tests.unit.ncmec_packaging.parts import PAST, account, associated, file, human, incident, located, needs, someone
from tests.unit.ncmec_packaging.support import ORGANISATION, case, evidence, packaging

LONG_EMAIL = "a@" + "b" * 60 + ".example" + "." + "c" * 190
NOW, FUTURE = "2026-11-23T12:00:00Z", "2026-12-01T00:00:00Z"


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


# --- size --------------------------------------------------------------------------------------------------------


def test_ten_thousand_urls_are_checked_within_a_second() -> None:
    urls = [f"https://forum.example/t/{number}" for number in range(10_000)]
    document = case(**located(kind="web_page", urls=urls))
    begun = time.perf_counter()
    assert rules.check(document, packaging()).needs == ()
    assert time.perf_counter() - begun < 1
