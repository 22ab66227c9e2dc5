"""The double keeps the protocol's state: expiry, finality, files, batched reports, validation."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import httpx
import pytest
from lxml import etree

from adapters.ncmec import structure
from adapters.ncmec.sandbox import CyberTipline
from adapters.ncmec.sandbox_state import State
from reporter.authority import Outcome
from reporter.testing.clock import FakeClock
from tests.unit.ncmec_wire.support import BATCHED, BATCHED_DETAILS, REPORT, Delivery, connected

AUTH = ("usr123", "pswd456")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def double(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> CyberTipline:
    monkeypatch.delenv("REPORTER_NCMEC_XSD", raising=False)
    return CyberTipline(clock)


@pytest.fixture
def http(double: CyberTipline) -> httpx.Client:
    """A client that is not ours: the double is for others too."""
    return httpx.Client(transport=double.transport(), base_url="http://127.0.0.1/ispws", auth=AUTH)


def code(response: httpx.Response) -> tuple[int, str]:
    found = etree.fromstring(response.content).findtext("responseCode")
    assert found is not None
    return response.status_code, found


def value(response: httpx.Response, name: str) -> str:
    return etree.fromstring(response.content).findtext(name) or ""


def opened(http: httpx.Client, report: bytes = REPORT) -> str:
    response = http.post("/submit", content=report)
    assert code(response) == (200, "0")
    return value(response, "reportId")


def uploaded(http: httpx.Client, report_id: str, content: bytes = b"harmless") -> httpx.Response:
    return http.post("/upload", data={"id": report_id}, files={"file": ("a.bin", content)})


def test_answers_have_the_documented_shapes(http: httpx.Client, double: CyberTipline) -> None:
    schema = etree.XMLSchema(etree.fromstring(structure.as_xsd()))
    report_id = opened(http)
    answers = [
        http.get("/status"),
        uploaded(http, report_id),
        http.post("/finish", data={"id": report_id}),
        http.post("/finish", data={"id": report_id}),
        http.post("/submit", content=b"<report/>"),
    ]
    for answer in answers:
        assert structure.violations(etree.fromstring(answer.content)) == []
        assert schema.validate(etree.fromstring(answer.content))
        assert answer.headers["Request-ID"]
        assert answer.headers["Content-Type"] == "application/xml;charset=ISO-8859-1"
    assert re.fullmatch(r"\d{9}", report_id)
    assert re.fullmatch(r"[0-9a-f]{32}", value(answers[1], "fileId"))
    assert value(answers[1], "hash") == hashlib.md5(b"harmless", usedforsecurity=False).hexdigest()
    assert etree.fromstring(answers[2].content).tag == "reportDoneResponse"
    assert value(answers[0], "responseDescription") == "Remote User : usr123, Remote Ip : 127.0.0.1"
    assert len(double.requests) == 6


@pytest.mark.parametrize("path", ["status", "xsd", "submit", "upload", "fileinfo", "finish", "retract"])
def test_every_endpoint_asks_for_credentials(double: CyberTipline, path: str) -> None:
    http = httpx.Client(transport=double.transport(), base_url="http://127.0.0.1/ispws", auth=("usr123", "wrong"))
    response = http.request("GET" if path in ("status", "xsd") else "POST", f"/{path}")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Basic")
    assert double.requests[-1].endpoint == path


def test_wrong_path_and_method(http: httpx.Client) -> None:
    assert code(http.get("/nothing")) == (404, "1210")
    assert code(http.get("/submit")) == (405, "4000")
    assert code(http.get("http://127.0.0.1/other/status")) == (404, "1210")


def test_bytes_uploaded_twice_are_two_files(http: httpx.Client, double: CyberTipline) -> None:
    report_id = opened(http)
    first, second = uploaded(http, report_id), uploaded(http, report_id)
    assert value(first, "fileId") != value(second, "fileId")
    assert value(first, "hash") == value(second, "hash")
    done = etree.fromstring(http.post("/finish", data={"id": report_id}).content)
    assert [found.text for found in done.findall("files/fileId")] == [value(first, "fileId"), value(second, "fileId")]


def test_nothing_changes_after_finish(http: httpx.Client, double: CyberTipline) -> None:
    report_id = opened(http)
    file_id = value(uploaded(http, report_id), "fileId")
    assert code(http.post("/finish", data={"id": report_id})) == (200, "0")
    details = f"<fileDetails><reportId>{report_id}</reportId><fileId>{file_id}</fileId></fileDetails>"
    assert code(uploaded(http, report_id)) == (400, "5102")
    assert code(http.post("/fileinfo", content=details)) == (400, "5102")
    assert code(http.post("/finish", data={"id": report_id})) == (400, "5102")
    assert code(http.post("/retract", data={"id": report_id})) == (400, "5102")
    assert double.reports[report_id].state is State.FINISHED


def test_retracted_is_gone(http: httpx.Client, double: CyberTipline) -> None:
    report_id = opened(http)
    assert code(http.post("/retract", data={"id": report_id})) == (200, "0")
    assert code(http.post("/retract", data={"id": report_id})) == (400, "5101")
    assert code(http.post("/finish", data={"id": report_id})) == (400, "5101")
    assert code(uploaded(http, report_id)) == (400, "5101")
    assert double.reports[report_id].state is State.RETRACTED


def test_unknown_report_and_file(http: httpx.Client) -> None:
    report_id = opened(http)
    assert code(http.post("/finish", data={"id": "1"})) == (400, "5001")
    assert code(uploaded(http, "1")) == (400, "5001")
    details = f"<fileDetails><reportId>{report_id}</reportId><fileId>{'0' * 32}</fileId></fileDetails>"
    assert code(http.post("/fileinfo", content=details)) == (400, "5002")


def test_details_are_taken_once(http: httpx.Client, double: CyberTipline) -> None:
    report_id = opened(http)
    file_id = value(uploaded(http, report_id), "fileId")
    details = f"<fileDetails><reportId>{report_id}</reportId><fileId>{file_id}</fileId></fileDetails>"
    assert code(http.post("/fileinfo", content=details)) == (200, "0")
    assert code(http.post("/fileinfo", content=details)) == (400, "4000")
    assert double.reports[report_id].files[file_id].details == details.encode()


def test_unfinished_report_lives_24_hours_or_1_hour_after_its_last_change(
    http: httpx.Client, clock: FakeClock, double: CyberTipline
) -> None:
    early, late = opened(http), opened(http)
    uploaded(http, early)
    clock.advance(timedelta(hours=23, minutes=59))
    assert {double.reports[each].state for each in (early, late)} == {State.OPEN}
    file_id = value(uploaded(http, late), "fileId")
    clock.advance(timedelta(minutes=1))
    assert double.reports[early].state is State.EXPIRED
    assert double.reports[late].state is State.OPEN
    clock.advance(timedelta(minutes=58))
    details = f"<fileDetails><reportId>{late}</reportId><fileId>{file_id}</fileId></fileDetails>"
    assert code(http.post("/fileinfo", content=details)) == (200, "0")
    clock.advance(timedelta(minutes=59))
    assert double.reports[late].state is State.OPEN
    clock.advance(timedelta(minutes=1))
    assert code(http.post("/finish", data={"id": late})) == (400, "5001")


@pytest.mark.parametrize("expired_code", [5001, 5101])
def test_expired_report_answers_as_configured(clock: FakeClock, expired_code: Literal[5001, 5101]) -> None:
    double = CyberTipline(clock, expired_code=expired_code)
    delivery = Delivery(connected(double))
    delivery.run("open")
    clock.advance(timedelta(hours=24))
    expected = Outcome.MISSING if expired_code == 5001 else Outcome.GONE
    assert {delivery.perform(key).outcome for key in ("upload:e1", "retract")} == {expected}
    delivery.ids["file_id:e1"] = "0" * 32
    assert {delivery.perform(key).outcome for key in ("details:e1", "finish")} == {expected}


def test_finished_report_does_not_expire_but_may_be_forgotten(clock: FakeClock) -> None:
    double = CyberTipline(clock, forgets_after=timedelta(days=3))
    delivery = Delivery(connected(double), {})
    delivery.run("open", "finish")
    clock.advance(timedelta(days=2))
    assert delivery.perform("finish").outcome is Outcome.ALREADY
    clock.advance(timedelta(days=1))
    assert delivery.perform("finish").outcome is Outcome.MISSING
    assert [report.state for report in double.reports.values()] == [State.FINISHED]


def test_batched_report_takes_one_file(clock: FakeClock, double: CyberTipline) -> None:
    one = Delivery(connected(double), {"e1": b"1"}, BATCHED, BATCHED_DETAILS)
    assert one.run(*one.all_steps()).outcome is Outcome.ACCEPTED
    two = Delivery(connected(double), {"e1": b"1", "e2": b"2"}, BATCHED, BATCHED_DETAILS)
    refused = two.run(*two.all_steps())
    assert (refused.outcome, refused.code, refused.http_status) == (Outcome.REJECTED, "4100", 400)
    assert double.reports[two.ids["report_id"]].state is State.OPEN
    assert two.perform("retract").outcome is Outcome.ACCEPTED


def changed(document: bytes, before: str, after: str) -> bytes:
    assert before.encode() in document
    return document.replace(before.encode(), after.encode(), 1)


@pytest.mark.parametrize(
    ("document", "expected", "names"),
    [
        (b"not xml", "4110", ""),
        (b"", "4110", ""),
        (b"<!DOCTYPE report><report/>", "4110", "type declaration"),
        (b"<fileDetails/>", "4100", "report"),
        (b"<report/>", "4100", "report/incidentSummary"),
        (b"<report xmlns='urn:x'/>", "4100", "report"),
        (changed(REPORT, "<email>anna@forum.example</email>", ""), "4100", "reportingPerson/email"),
        (changed(REPORT, "2026-10-15T08", "2026-12-15T08"), "4100", "incidentDateTime: must be a past date"),
        (changed(REPORT, "08:00:00-07:00", "08:00:00"), "4100", "incidentDateTime: must have a time zone"),
        (changed(REPORT, "<url>", "<uri/><url>"), "4100", "uri"),
        (changed(REPORT, "<incidentDateTime>", "<escalateToHighPriority> </escalateToHighPriority><incidentDateTime>"),
         "4100", "escalateToHighPriority: must not be blank"),
        (changed(REPORT, "</reporter>", "</reporter>" + "<personOrUserReported/>" * 2), "4100", "personOrUserReported"),
        (changed(BATCHED, "</reporter>", "</reporter><personOrUserReported><espService/></personOrUserReported>"),
         "4100", "only espIdentifier"),
        (changed(BATCHED, "<reporter>", "<internetDetails><webPageIncident/></internetDetails><reporter>"),
         "4100", "internetDetails: is not allowed"),
    ],
)  # fmt: skip
def test_report_is_validated_and_the_answer_names_elements_only(
    http: httpx.Client, double: CyberTipline, document: bytes, expected: str, names: str
) -> None:
    response = http.post("/submit", content=document)
    assert code(response) == (400, expected)
    assert names in value(response, "responseDescription")
    assert "anna" not in response.text
    assert double.reports == {}


@pytest.mark.parametrize(
    ("inner", "names"),
    [
        ("<exifViewedByEsp>true</exifViewedByEsp>", "exifViewedByEsp"),
        ("<uploadedToEspTimestamp>2030-01-01T00:00:00Z</uploadedToEspTimestamp>", "uploadedToEspTimestamp"),
        ("<additionalInfo/><fileName/>", "fileName"),
    ],
)
def test_details_are_validated(http: httpx.Client, inner: str, names: str) -> None:
    report_id = opened(http)
    file_id = value(uploaded(http, report_id), "fileId")
    details = f"<fileDetails><reportId>{report_id}</reportId><fileId>{file_id}</fileId>{inner}</fileDetails>"
    response = http.post("/fileinfo", content=details)
    assert code(response) == (400, "4100")
    assert names in value(response, "responseDescription")


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<fileAnnotations><infant/></fileAnnotations>",
        "<originalFileName>x</originalFileName><fileAnnotations><viral/></fileAnnotations>",
        "<fileRelevance>Supplemental Reported</fileRelevance><fileAnnotations><viral/></fileAnnotations>",
    ],
)
def test_batched_details_are_narrower(http: httpx.Client, inner: str) -> None:
    report_id = opened(http, BATCHED)
    file_id = value(uploaded(http, report_id), "fileId")
    details = f"<fileDetails><reportId>{report_id}</reportId><fileId>{file_id}</fileId>{inner}</fileDetails>"
    assert code(http.post("/fileinfo", content=details)) == (400, "4100")


def test_malformed_forms(http: httpx.Client) -> None:
    report_id = opened(http)
    multipart = {"Content-Type": "multipart/form-data; boundary=b"}
    assert code(http.post("/finish")) == (400, "4000")
    assert code(http.post(f"/finish?id={report_id}")) == (400, "4000")
    assert code(http.post("/retract", data={"id": "abc"})) == (400, "4000")
    assert code(http.post("/upload", files={"file": ("a", b"x")})) == (400, "4000")
    assert code(http.post("/upload", data={"id": report_id})) == (400, "4200")
    assert code(http.post("/upload", content=b"x")) == (400, "4200")
    assert code(http.post("/upload", content=b"--b\r\nno end", headers=multipart)) == (400, "4200")


def test_file_may_come_before_the_id(http: httpx.Client) -> None:
    report_id = opened(http)
    files = [("file", ("a.bin", b"harmless")), ("id", (None, report_id))]
    assert code(http.post("/upload", files=files)) == (200, "0")


def test_large_upload_keeps_digest_and_size_only(clock: FakeClock) -> None:
    double = CyberTipline(clock, keep_bytes=10)
    delivery = Delivery(connected(double), {"e1": b"1234567890", "e2": b"12345678901"})
    delivery.run("open", "upload:e1", "upload:e2")
    [report] = double.reports.values()
    assert [(file.content, file.size) for file in report.files.values()] == [(b"1234567890", 10), (None, 11)]


def test_schema_is_our_own_or_the_named_file(
    http: httpx.Client, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert http.get("/xsd").content == structure.as_xsd()
    path = tmp_path / "official.xsd"
    path.write_bytes(structure.as_xsd(additions=True))
    monkeypatch.setenv("REPORTER_NCMEC_XSD", str(path))
    double = CyberTipline(clock)
    assert connected(double).fetch_schema() == structure.as_xsd(additions=True)
    newer = changed(
        REPORT, "<incidentDateTime>", "<reportAnnotations><informational/></reportAnnotations><incidentDateTime>"
    )
    assert Delivery(connected(double), {}, newer).run("open").outcome is Outcome.ACCEPTED
    assert code(http.post("/submit", content=newer)) == (400, "4100")


def test_state_shows_ids_states_and_counts_only(http: httpx.Client, double: CyberTipline) -> None:
    report_id = opened(http)
    uploaded(http, report_id)
    double.faults.add("finish drop_after")
    opened_at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert double.state() == {
        "reports": [
            {
                "id": report_id,
                "state": "open",
                "opened_at": opened_at.isoformat(),
                "alive_until": (opened_at + timedelta(hours=24)).isoformat(),
                "files": 1,
                "file_details": 0,
            }
        ],
        "requests": 2,
        "faults": [{"line": "finish drop_after", "fired": 0}],
    }
    assert "a.bin" not in repr(double.reports)
