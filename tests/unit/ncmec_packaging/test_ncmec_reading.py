"""Reading XML from elsewhere: what is taken, and what is refused by element path."""

from __future__ import annotations

import pytest

from adapters.ncmec import reading
from reporter.authority import Imported
from reporter.cases.model import Case
from reporter.errors import DocumentError
from tests.unit.ncmec_packaging.support import NOW

REPORT = (
    "<report>{first}<incidentSummary><incidentType>Child Sex Tourism</incidentType>{summary}"
    "<incidentDateTime>{when}</incidentDateTime></incidentSummary>{places}"
    "<reporter><reportingPerson><email>a@b.example</email></reportingPerson></reporter>{people}</report>"
)
DETAILS = "<fileDetails><reportId>4564654</reportId><fileId>b0754af7</fileId>{}</fileDetails>"


def report(
    *, first: str = "", summary: str = "", when: str = "2012-10-15T08:00:00-07:00", places: str = "", people: str = ""
) -> bytes:
    return REPORT.format(first=first, summary=summary, when=when, places=places, people=people).encode()


def read(*documents: bytes, reference: str = "IMPORT-0001") -> Imported:
    return reading.read(documents, reference, NOW, "lead")


def refused(*documents: bytes) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        read(*documents)
    return [finding.path for finding in caught.value.findings]


def test_a_report_becomes_a_pending_case() -> None:
    imported = read(report())
    Case.model_validate(imported.document)
    assert imported.document["confirmation"] == {
        "decision": "pending",
        "by": "lead",
        "at": "2026-11-23T12:00:00Z",
        "basis": "Imported from a CyberTipline report; not confirmed here yet.",
    }
    assert imported.document["detected_at"] == "2026-11-23T12:00:00Z"
    assert imported.document["detected_by"][0]["method"] == "other"
    assert imported.document["incident"] == {"type": "child_sex_tourism", "occurred_at": "2012-10-15T08:00:00-07:00"}
    assert [note.path for note in imported.notes] == ["report/reporter"]


def test_the_reporter_and_the_ids_are_left_behind_with_a_note_and_views_become_claims() -> None:
    imported = read(
        report(),
        DETAILS.format("<fileViewedByEsp>1</fileViewedByEsp><exifViewedByEsp> false </exifViewedByEsp>").encode(),
        DETAILS.format("<originalFileName> a\nb </originalFileName>").encode(),
    )
    assert imported.claims == {"e1": {"file_viewed": True, "exif_viewed": False}}
    assert imported.document["evidence"] == [{"id": "e1"}, {"id": "e2", "original_name": " a\nb "}]
    assert [note.path for note in imported.notes] == [
        "report/reporter",
        "fileDetails[1]/reportId",
        "fileDetails[1]/fileId",
        "fileDetails[2]/reportId",
        "fileDetails[2]/fileId",
    ]
    assert "4564654" not in str(imported)


def test_the_former_potential_meme_becomes_the_annotation() -> None:
    imported = read(report(), DETAILS.format("<potentialMeme>true</potentialMeme>").encode())
    assert imported.document["evidence"] == [{"id": "e1", "annotations": ["potential_meme"]}]
    assert "fileDetails/potentialMeme" in [note.path for note in imported.notes]
    assert refused(report(), DETAILS.format("<potentialMeme>false</potentialMeme>").encode()) == [
        "fileDetails/potentialMeme"
    ]


def test_people_come_in_order_with_one_role_each() -> None:
    people = (
        "<personOrUserReported/><intendedRecipient/><victim><victimPerson/></victim><victim><victimPerson/></victim>"
    )
    assert [(person["id"], person["roles"]) for person in read(report(people=people)).document["people"]] == [
        ("p1", ["suspect"]),
        ("p2", ["intended_recipient"]),
        ("p3", ["victim"]),
        ("p4", ["victim"]),
    ]


def test_text_is_kept_exactly_and_white_space_goes_where_it_means_nothing() -> None:
    people = "<victim><victimPerson><firstName> A&#13;\n</firstName><age> 7 </age></victimPerson></victim>"
    imported = read(report(when=" 2012-10-15T08:00:00Z\n", people=people))
    assert imported.document["incident"]["occurred_at"] == "2012-10-15T08:00:00Z"
    assert imported.document["people"][0]["person"] == {"first_name": " A\r\n", "age": "7"}


def test_comments_do_not_cut_texts() -> None:
    imported = read(report(summary="<platform>Exa<!-- x -->mple<?y z?></platform>"))
    assert imported.document["incident"]["platform"] == {"name": "Example"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_any_usual_encoding_is_read(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
    body = declared + report(summary="<platform>Café</platform>").decode()
    assert read(body.encode(encoding)).document["incident"]["platform"] == {"name": "Café"}


VICTIM = "<victim><victimPerson>{}</victimPerson></victim>"


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (
            report(people="<intendedRecipient><additionalInfo/><additionalInfo>b</additionalInfo></intendedRecipient>"),
            ["report/intendedRecipient/additionalInfo[2]"],
        ),
        (
            report(people=VICTIM.format("") + VICTIM.format("<dateOfBirth>2000-01-01Z</dateOfBirth>")),
            ["report/victim[2]/victimPerson/dateOfBirth"],
        ),
        (report(when="2012-10-15T08:00:00"), ["report/incidentSummary/incidentDateTime"]),
        (report(when="2012-10-15T24:00:00Z"), ["report/incidentSummary/incidentDateTime"]),
        (report(when="12012-10-15T08:00:00Z"), ["report/incidentSummary/incidentDateTime"]),
        (report(when="0001-01-01T00:00:00+14:00"), ["report/incidentSummary/incidentDateTime"]),
        (
            report(people=VICTIM.format('<email verificationDate="2012-10-15T08:00:00">x</email>')),
            ["report/victim/victimPerson/email/@verificationDate"],
        ),
        (
            report(
                places="<internetDetails><cellPhoneIncident><latitude>INF</latitude></cellPhoneIncident></internetDetails>"
            ),
            ["report/internetDetails/cellPhoneIncident/latitude"],
        ),
        (
            report(places="<internetDetails><webPageIncident><url/><url/><link/></webPageIncident></internetDetails>"),
            ["report/internetDetails/webPageIncident/link"],
        ),
        (
            report(summary="<reportAnnotations><spam/><instrumentalUse/></reportAnnotations>"),
            ["report/incidentSummary/reportAnnotations/instrumentalUse"],
        ),
        (report(people="<victim><victimPerson/><secret>x</secret></victim>"), ["report/victim/secret"]),
        (report(people="<victim/>"), ["report/victim/victimPerson"]),
        (report(first='<batchedReport reason="OTHER"/>'), ["report/batchedReport/@reason"]),
        (report(first="<batchedReport/>"), ["report/batchedReport/@reason"]),
    ],
)
def test_what_the_case_document_cannot_carry_is_refused_by_element_path(body: bytes, paths: list[str]) -> None:
    assert refused(body) == paths


def test_details_are_refused_by_their_number_where_there_are_several() -> None:
    good, bad = (
        DETAILS.format("").encode(),
        DETAILS.format("<uploadedToEspTimestamp>2012-10-15T08:00:00</uploadedToEspTimestamp>").encode(),
    )
    assert refused(report(), good, bad) == ["fileDetails[2]/uploadedToEspTimestamp"]
    assert refused(report(), bad) == ["fileDetails/uploadedToEspTimestamp"]


def test_errors_never_quote_what_was_read() -> None:
    with pytest.raises(DocumentError) as caught:
        read(report(when="hidden words", people=VICTIM.format("<age>hidden</age>")))
    assert "hidden" not in caught.value.diagnostics()


BOMB = '<!DOCTYPE report [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"\x00\x01",
        b"<report>",
        b"<report/><report/>",
        b"<fileDetails/>",
        b'<report xmlns="http://x.example"/>',
        b'<?xml version="1.0" encoding="no-such"?><report/>',
        b"<report>\xff</report>",
        (BOMB + report(summary="<platform>&b;</platform>").decode()).encode(),
        (BOMB + report().decode()).encode("utf-16"),
        b'<!DOCTYPE report SYSTEM "http://x.example/x.dtd">' + report(),
        b"<report>" + b" " * (16 * 1024 * 1024) + b"</report>",
        b"<a>" * 200_000,
    ],
    ids=range(14),
)
def test_what_is_no_report_is_refused(body: bytes) -> None:
    with pytest.raises(DocumentError):
        read(body)


def test_a_document_type_is_refused_as_such() -> None:
    with pytest.raises(DocumentError, match="document type"):
        read((BOMB + report().decode()).encode())


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(DocumentError):
        read()


def test_a_second_report_is_not_the_details_of_a_file() -> None:
    with pytest.raises(DocumentError, match="document 2 is not a <fileDetails>"):
        read(report(), report())


def test_a_reference_that_cannot_be_is_named() -> None:
    with pytest.raises(DocumentError) as caught:
        read(report(), reference="x")
    assert [finding.path for finding in caught.value.findings] == ["reference"]
