"""What is built: ids, texts that XML cannot carry, empty elements, people, files."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from adapters.ncmec import payload, reading, rules
from adapters.ncmec.structure import as_xsd
from reporter.authority import EvidenceFacts, Package
from reporter.cases.model import Case
from reporter.organisation import Contact
from tests.unit.ncmec_packaging.support import NOW, ORGANISATION, case, evidence, packaging


def built(**changes: Any) -> Package:
    document = case(**changes)
    return payload.build(document, packaging(document))


def report(**changes: Any) -> etree._Element:
    return etree.fromstring(built(**changes).document("report").body)


def texts(root: etree._Element, path: str) -> list[str]:
    return [element.text or "" for element in root.findall(path)]


def someone(role: str, **fields: Any) -> dict[str, Any]:
    return {"people": [{"id": "p1", "roles": [role], **fields}]}


# --- ids ---------------------------------------------------------------------------------------------------------


def test_ids_are_filled_at_their_place_and_nowhere_else() -> None:
    document = built(evidence=[evidence(original_name="{{file_id}} {{report_id}}.png")]).documents[1]
    assert document.body.startswith(
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b"<fileDetails><reportId>{{report_id}}</reportId><fileId>{{file_id}}</fileId><originalFileName>"
    )
    filled = etree.fromstring(payload.fill(document.body, "4564654", "b0<&"))
    assert texts(filled, "reportId") + texts(filled, "fileId") == ["4564654", "b0<&"]
    assert texts(filled, "originalFileName") == ["{{file_id}} {{report_id}}.png"]


def test_a_report_has_no_ids_to_fill() -> None:
    body = (
        built(incident={"type": "csam", "occurred_at": "2026-11-18T09:55:00Z", "summary": "{{report_id}}"})
        .documents[0]
        .body
    )
    assert payload.fill(body, "1", "2") == body


# --- text --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["\x00", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800", "\udfff"])
def test_what_xml_cannot_carry_is_replaced_and_listed(bad: str) -> None:
    person = {"first_name": f"a{bad}b{bad}"}
    document = Case.model_construct(**dict(case(**someone("victim", person={"first_name": "x"}))))
    victim = document.people[0].person
    object.__setattr__(victim, "first_name", person["first_name"])
    package = payload.build(document, packaging())
    assert texts(etree.fromstring(package.documents[0].body), "victim/victimPerson/firstName") == ["a\ufffdb\ufffd"]
    check = rules.check(document, packaging())
    assert check.needs == ()
    assert [(note.path, note.rule) for note in check.notes] == [("people[0].person.first_name", "replaced_characters")]


def test_replaced_characters_of_the_profile_and_of_attributes_are_listed_too() -> None:
    profile = ORGANISATION.model_copy(
        update={"reporting_person": Contact(first_name="\x01", emails=ORGANISATION.reporting_person.emails)}
    )
    document = case(evidence=[evidence(original_hashes=[{"algorithm": "M\x02D5", "value": "x"}])])
    notes = rules.check(document, packaging(document, organisation=profile)).notes
    assert [note.path for note in notes] == [
        "organisation.reporting_person.first_name",
        "evidence[0].original_hashes[0].algorithm",
    ]


@pytest.mark.parametrize("text", ["a\r\nb\rc\td\n", " \n ", "]]> & < > \" '", "\U0001f600 é \x85 \u2028", ""])
def test_texts_and_attributes_survive_parsing_as_written(text: str) -> None:
    hashes = [{"algorithm": text, "value": text}]
    details = etree.fromstring(built(evidence=[evidence(original_name=text, original_hashes=hashes)]).documents[1].body)
    assert texts(details, "originalFileName") == [text]
    assert [element.get("hashType") for element in details.findall("originalFileHash")] == [text]


# --- what empty means --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "elements"),
    [
        ({}, 1),
        ({"emails": []}, 1),
        ({"all_emails_reported": True, "emails": []}, 1),
        ({"all_emails_reported": True}, 0),
        ({"first_name": ""}, 1),
    ],
)
def test_a_persons_element_stands_where_something_is_said_of_the_person(person: dict[str, Any], elements: int) -> None:
    for role, name in (("suspect", "personOrUserReported"), ("intended_recipient", "intendedRecipient")):
        root = report(**someone(role, person=person))
        assert len(root.findall(f"{name}/{name}Person")) == elements
        assert len(root.findall(f"{name}/allEmailsReported")) == ("all_emails_reported" in person)
    assert len(report(**someone("victim", person=person)).findall("victim/victimPerson")) == 1


def test_a_victim_always_has_a_persons_element() -> None:
    assert len(report(**someone("victim")).findall("victim/victimPerson")) == 1
    assert len(report(**someone("suspect")).findall("personOrUserReported/*")) == 0


def test_an_empty_list_of_annotations_is_an_empty_element_and_an_absent_one_is_none() -> None:
    incident = {"type": "csam", "occurred_at": "2026-11-18T09:55:00Z"}
    assert report(incident=incident).find("incidentSummary/reportAnnotations") is None
    annotated = report(incident={**incident, "annotations": []}).find("incidentSummary/reportAnnotations")
    assert annotated is not None
    assert len(annotated) == 0


def test_a_bare_web_page_is_an_empty_incident() -> None:
    assert [child.tag for child in report(locations=[{"kind": "web_page"}]).findall("internetDetails/*")] == [
        "webPageIncident"
    ]


# --- people and earlier reports ----------------------------------------------------------------------------------


def test_a_notifier_is_not_in_the_report() -> None:
    root = report(people=[{"id": "p1", "roles": ["notifier"], "account": {"id": "9002"}}])
    assert [child.tag for child in root] == ["incidentSummary", "reporter"]


def test_earlier_reports_to_ncmec_join_the_reported_persons_own_without_doubles() -> None:
    root = report(
        **someone("suspect", prior_reports=[{"authority": "ncmec", "reference": "1"}], account={"group_id": "g"}),
        previous_reports=[
            {"authority": "nca", "reference": "9"},
            {"authority": "ncmec", "reference": "2"},
            {"authority": "ncmec", "reference": "01"},
            {"authority": "ncmec", "reference": "2"},
        ],
    )
    assert [(child.tag, child.text) for child in root.find("personOrUserReported")] == [
        ("priorCTReports", "1"),
        ("priorCTReports", "2"),
        ("groupIdentifier", "g"),
    ]


@pytest.mark.parametrize(("level", "escalated"), [("immediate", ["now"]), ("near_future", []), ("routine", [])])
def test_only_an_immediate_urgency_escalates(level: str, escalated: list[str]) -> None:
    incident = {"type": "csam", "occurred_at": "2026-11-18T09:55:00Z", "urgency": {"level": level, "reason": "now"}}
    assert texts(report(incident=incident), "incidentSummary/escalateToHighPriority") == escalated
    assert built(incident=incident).urgent is (level == "immediate")


def test_numbers_and_times_are_sent_as_written() -> None:
    place = {"kind": "cell_phone", "latitude": "5.", "longitude": "+07.10e0"}
    root = report(
        incident={"type": "csam", "occurred_at": "2026-11-18T09:55:00.100+01:00"},
        locations=[place],
        **someone("victim", person={"age": "+07"}),
    )
    assert texts(root, "incidentSummary/incidentDateTime") == ["2026-11-18T09:55:00.100+01:00"]
    assert texts(root, "internetDetails/cellPhoneIncident/*") == ["5.", "+07.10e0"]
    assert texts(root, "victim/victimPerson/age") == ["+07"]


# --- files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entire", "metadata", "said"),
    [
        (False, False, ["false", "false"]),
        (False, True, ["false", "false"]),
        (True, False, ["true", "false"]),
        (True, True, ["true", "true"]),
    ],
)
def test_viewed_comes_from_the_view_records_alone(entire: bool, metadata: bool, said: list[str]) -> None:
    view = {"by": "x", "at": "2026-11-18T10:00:00Z", "extent": "entire", "metadata_viewed": True}
    document = case(evidence=[evidence(views=[view])])
    facts = {"e1": EvidenceFacts("e1", "0" * 64, "0" * 32, 1, entire, metadata)}
    details = etree.fromstring(payload.build(document, packaging(evidence=facts)).documents[1].body)
    assert texts(details, "fileViewedByEsp") + texts(details, "exifViewedByEsp") == said


def test_every_file_has_details_and_a_name() -> None:
    package = built(
        evidence=[
            evidence(reported_name="a.png", original_name="b.png", media_type="image/png"),
            evidence(id="e2", original_name="b.png"),
            evidence(id="e3", path="files/deep/c.png"),
        ]
    )
    assert [document.name for document in package.documents] == [
        "report",
        "fileDetails:e1",
        "fileDetails:e2",
        "fileDetails:e3",
    ]
    assert [document.item for document in package.documents] == [None, "e1", "e2", "e3"]
    assert [(file.item, file.file_name, file.media_type) for file in package.files] == [
        ("e1", "a.png", "image/png"),
        ("e2", "b.png", "application/octet-stream"),
        ("e3", "c.png", "application/octet-stream"),
    ]


def test_the_same_case_gives_the_same_bytes() -> None:
    case_of = {"evidence": [evidence()], **someone("suspect", account={"id": "1"})}
    assert built(**case_of) == built(**case_of)


# --- what the authority's schema decides ---------------------------------------------------------------------------

NEWER = [
    (
        {"incident": {"type": "csam", "occurred_at": "2026-11-18T09:55:00Z", "annotations": ["spam", "informational"]}},
        "incident.annotations[1]",
        "informational",
    ),
    (
        someone("victim", person={"age_assertion_discrepancy": True}),
        "people[0].person.age_assertion_discrepancy",
        "ageAssertionDiscrepancy",
    ),
    (
        someone("suspect", associated_accounts=[{"type": "other", "age_assertion_discrepancy": False}]),
        "people[0].associated_accounts[0].age_assertion_discrepancy",
        "ageAssertionDiscrepancy",
    ),
]


@pytest.mark.parametrize(("changes", "path", "element"), NEWER)
def test_newer_elements_are_sent_only_where_the_fetched_schema_has_them(
    changes: dict[str, Any], path: str, element: str
) -> None:
    document = case(**changes)
    for schema in (None, as_xsd()):
        check = rules.check(document, packaging(schema=schema))
        assert [str(need) for need in check.needs] == [
            f"{path}: cannot be sent: the schema at hand from NCMEC does not have {element}"
        ]
        assert element.encode() not in payload.build(document, packaging(schema=schema)).documents[0].body
    newer = packaging(schema=as_xsd(additions=True))
    assert rules.check(document, newer).needs == ()
    assert element.encode() in payload.build(document, newer).documents[0].body


def test_a_package_is_held_against_the_fetched_schema_without_quoting_it() -> None:
    schema = (
        as_xsd()
        .replace(b'"Upload"', b'"Uploaded"')
        .replace(b'<xs:element name="platform" type="xs:string" minOccurs="0"/>', b"")
    )
    document = case(
        incident={"type": "csam", "occurred_at": "2026-11-18T09:55:00Z", "platform": {"name": "hidden words"}},
        evidence=[evidence(upload_event={"address": "::1", "event": "upload"})],
        **someone("victim", ip_events=[{"address": "::1"}, {"address": "::2", "event": "upload"}]),
    )
    package = payload.build(document, packaging(document))
    found = rules.validate(package, schema)
    assert [finding.path for finding in found] == [
        "report/incidentSummary/platform",
        "report/victim/ipCaptureEvent[2]/eventName",
        "fileDetails:e1/ipCaptureEvent/eventName",
    ]
    assert not any("hidden" in str(finding) or "Upload" in str(finding) for finding in found)
    needs = rules.check(document, packaging(document, schema=schema)).needs
    assert [need.path for need in needs] == [
        "incident.platform.name",
        "people[0].ip_events[1].event",
        "evidence[0].upload_event.event",
    ]


@pytest.mark.parametrize("schema", [b"", b"<html>busy</html>", b"not xml", b'<!DOCTYPE x SYSTEM "http://x.example/">'])
def test_what_is_no_schema_is_a_finding(schema: bytes) -> None:
    (finding,) = rules.validate(built(), schema)
    assert "not one" in finding.message
    if schema:
        assert rules.check(case(), packaging(schema=schema)).needs == (finding,)


def test_reading_what_was_built_gives_the_case_back() -> None:
    package = built(
        **someone("suspect", person={}), evidence=[evidence(annotations=["viral"], additional_info=["a", "b"])]
    )
    bodies = [payload.fill(document.body, "1", "x") for document in package.documents]
    imported = reading.read(bodies, "IMPORT-0001", NOW, "lead").document
    assert imported["people"] == [{"id": "p1", "roles": ["suspect"], "person": {}}]
    assert imported["evidence"] == [{"id": "e1", "annotations": ["viral"], "additional_info": ["a", "b"]}]
