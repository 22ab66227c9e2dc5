"""The client against the double inside the process: the happy path, what is kept of it, and trouble."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from adapters.ncmec.adapter import NCMECAdapter
from adapters.ncmec.sandbox import CyberTipline
from adapters.ncmec.sandbox_state import State
from reporter.authority import Lost, Outcome
from reporter.errors import AuthorityTroubleError, CustodyError
from reporter.testing.clock import FakeClock
from tests.unit.ncmec_wire.support import REPORT, Delivery, connected, endpoint, packaged


def test_plan_says_what_a_lost_answer_means() -> None:
    delivery = Delivery(connected(CyberTipline(FakeClock())), {"e1": b"1", "e2": b"2"})
    plan = NCMECAdapter().plan(delivery.package)
    assert [(step.key, step.lost) for step in plan.steps] == [
        ("open", Lost.RESTART),
        ("upload:e1", Lost.RESTART),
        ("details:e1", Lost.RESTART),
        ("upload:e2", Lost.RESTART),
        ("details:e2", Lost.RESTART),
        ("finish", Lost.REPEAT),
    ]
    assert plan.abandon is not None
    assert (plan.abandon.key, plan.abandon.lost, plan.draft_key) == ("retract", Lost.REPEAT, "report_id")
    assert (plan.draft_lifetime, plan.stale_after) == (timedelta(hours=24), timedelta(hours=23))


def test_report_with_two_files_is_filed_with_exactly_those() -> None:
    double = CyberTipline(FakeClock())
    delivery = Delivery(connected(double), {"e1": b"harmless one", "e2": b"harmless two" * 5000})
    answer = delivery.run(*delivery.all_steps())
    [report] = double.reports.values()
    assert (answer.outcome, answer.reference, answer.discrepancy) == (Outcome.ACCEPTED, report.id, "")
    assert report.state is State.FINISHED
    assert report.document == REPORT
    assert [file.content for file in report.files.values()] == list(delivery.contents.values())
    assert [file.sha256 for file in report.files.values()] == [file.sha256 for file in delivery.package.files]
    assert all(file.details for file in report.files.values())
    assert delivery.ids == {
        "report_id": report.id,
        **dict(zip(["file_id:e1", "file_id:e2"], report.files, strict=True)),
    }
    assert delivery.beats >= 60000 // 1024
    assert [seen.endpoint for seen in double.requests] == [
        "submit", "upload", "fileinfo", "upload", "fileinfo", "finish",
    ]  # fmt: skip
    assert answer.request_id == double.requests[-1].request_id != ""


def test_exchange_keeps_everything_but_the_password_and_the_evidence() -> None:
    delivery = Delivery(connected(CyberTipline(FakeClock())), {"e1": b"harmless evidence"})
    opened = delivery.run("open")
    assert opened.exchange is not None
    assert opened.exchange.request.startswith(b"POST /ispws/submit HTTP/1.1\r\n")
    assert b"Content-Type: text/xml; charset=utf-8\r\n" in opened.exchange.request
    assert opened.exchange.request.endswith(b"\r\n\r\n" + REPORT)
    assert opened.exchange.response.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"<reportId>" + delivery.ids["report_id"].encode() in opened.exchange.response
    uploaded = delivery.run("upload:e1")
    assert uploaded.exchange is not None
    kept = uploaded.exchange.request
    assert b"harmless evidence" not in kept
    assert delivery.package.files[0].sha256.encode() in kept
    assert delivery.package.files[0].md5.encode() in kept
    assert b'name="id"\r\n\r\n' + delivery.ids["report_id"].encode() in kept
    for exchange in (opened.exchange, uploaded.exchange):
        assert b"authorization" not in exchange.request.lower()
        assert b"dXNyMTIzOnBzd2Q0NTY" not in exchange.request


def test_report_without_files_is_filed() -> None:
    double = CyberTipline(FakeClock())
    delivery = Delivery(connected(double), {})
    answer = delivery.run("open", "finish")
    assert (answer.outcome, answer.discrepancy) == (Outcome.ACCEPTED, "")


@pytest.mark.parametrize(
    "name", ["-rf", 'a"b; name="id', "x\r\n\r\ninjected", "é 世界.png", "\x00\ud800.bin", "../../up"]
)
def test_hostile_file_names_arrive_as_names_only(name: str) -> None:
    double = CyberTipline(FakeClock())
    content = b"harmless"
    delivery = Delivery(connected(double), {"e1": content}, files=[packaged("e1", content, name)])
    assert delivery.run("open", "upload:e1").outcome is Outcome.ACCEPTED
    [report] = double.reports.values()
    [file] = report.files.values()
    assert file.content == content
    assert file.name == name.replace("\x00", "%00").replace("\ud800", "?")


@pytest.mark.parametrize("sent", [b"harmless byteX", b"harmless bytes and more", b"harmless", b""])
def test_evidence_that_unseals_to_other_bytes_is_never_completed(sent: bytes) -> None:
    double = CyberTipline(FakeClock())
    delivery = Delivery(connected(double), files=[packaged("e1", b"harmless bytes")])
    delivery.run("open")
    delivery.contents["e1"] = sent
    with pytest.raises(CustodyError) as caught:
        delivery.perform("upload:e1")
    assert "e1" in caught.value.message
    [report] = double.reports.values()
    assert report.files == {}


def test_lost_lease_stops_an_upload_at_once() -> None:
    class LeaseLostError(Exception):
        pass

    def lost() -> None:
        raise LeaseLostError

    double = CyberTipline(FakeClock())
    delivery = Delivery(connected(double))
    delivery.run("open")
    delivery._beat = lost  # type: ignore[method-assign]
    with pytest.raises(LeaseLostError):
        delivery.perform("upload:e1")
    [report] = double.reports.values()
    assert report.files == {}


@pytest.mark.parametrize(
    ("fault", "outcome", "state"),
    [
        ("finish:1 refuse", Outcome.NOT_SENT, State.OPEN),
        ("finish:1 drop_before", Outcome.UNKNOWN, State.OPEN),
        ("finish:1 drop_after", Outcome.UNKNOWN, State.FINISHED),
        ("finish:1 delay=4", Outcome.ACCEPTED, State.FINISHED),
        ("finish:1 delay=6", Outcome.UNKNOWN, State.FINISHED),
        ("finish:1 status=503", Outcome.UNKNOWN, State.OPEN),
        ("finish:1 status=500 processed", Outcome.UNKNOWN, State.FINISHED),
        ("finish:1 status=200", Outcome.UNKNOWN, State.OPEN),
        ("finish:1 html", Outcome.UNKNOWN, State.OPEN),
        ("finish:1 html=200 processed", Outcome.UNKNOWN, State.FINISHED),
        ("finish:1 truncate", Outcome.UNKNOWN, State.FINISHED),
        ("finish:1 cut", Outcome.UNKNOWN, State.FINISHED),
        ("finish:1 oversize", Outcome.UNKNOWN, State.FINISHED),
        ("finish:1 oversize=1000", Outcome.ACCEPTED, State.FINISHED),
        ("finish:1 code=1000 processed", Outcome.UNKNOWN, State.FINISHED),
        ("finish:1 throttle=30", Outcome.RETRYABLE, State.OPEN),
        ("finish:1 drip=0.001", Outcome.ACCEPTED, State.FINISHED),
        ("finish:1 drip=6", Outcome.UNKNOWN, State.FINISHED),
    ],
)
def test_trouble_at_the_finish(fault: str, outcome: Outcome, state: State) -> None:
    double = CyberTipline(FakeClock(), fault)
    answer = Delivery(connected(double)).run("open", "upload:e1", "details:e1", "finish")
    [report] = double.reports.values()
    assert (answer.outcome, report.state) == (outcome, state)
    assert double.faults.unfired == []
    assert double.requests[-1].faults == (fault,)
    assert answer.exchange is not None
    if outcome is Outcome.RETRYABLE:
        assert answer.retry_after == timedelta(seconds=30)


def test_answer_over_the_bound_is_not_kept_whole() -> None:
    double = CyberTipline(FakeClock(), "submit oversize=5000000")
    answer = Delivery(connected(double)).run("open")
    assert answer.exchange is not None
    assert len(answer.exchange.response) < 1.01 * (1 << 20)


def test_wrong_digest_is_a_mismatch() -> None:
    double = CyberTipline(FakeClock(), "upload:1 wrong_digest")
    answer = Delivery(connected(double)).run("open", "upload:e1")
    assert answer.outcome is Outcome.MISMATCH
    assert answer.ids == {}


def test_probe_knows_credentials_and_touches_no_report() -> None:
    double = CyberTipline(FakeClock())
    assert connected(double).probe().outcome is Outcome.ACCEPTED
    assert connected(double, username="other").probe().outcome is Outcome.UNAUTHORISED
    assert double.reports == {}


def test_schema_is_fetched_and_can_be_used() -> None:
    assert b"incidentSummary" in connected(CyberTipline(FakeClock())).fetch_schema()


@pytest.mark.parametrize(
    ("faults", "schema", "words"),
    [
        ("xsd status=401", None, "HTTP 401"),
        ("xsd status=500", None, "HTTP 500"),
        ("xsd refuse", None, "no connection"),
        ("xsd oversize=9000000", None, "longer"),
        ("xsd html=200", None, "refers to other documents"),
        ("", b"<x/>", "not an XML Schema"),
        ("", b"not xml", "not an XML Schema"),
        ("", b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="x"/></xs:schema>', "report"),
        (
            "",
            b'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:include schemaLocation="file:///etc/passwd"/>'
            b'<xs:element name="report"/></xs:schema>',
            "refers to other documents",
        ),
    ],
)
def test_schema_that_cannot_be_had_says_why(faults: str, schema: bytes | None, words: str) -> None:
    with pytest.raises(AuthorityTroubleError, match=words):
        connected(CyberTipline(FakeClock(), faults, schema=schema)).fetch_schema()


def test_sixteen_threads_share_one_connection() -> None:
    double = CyberTipline(FakeClock())
    connection = connected(double)
    start = threading.Barrier(16)

    def file(number: int) -> str:
        delivery = Delivery(connection, {f"e{number}": b"x" * (number + 1), f"f{number}": b"y" * (number + 1)})
        start.wait()
        references = [delivery.run(*delivery.all_steps()).reference for _ in range(3) if not delivery.ids.clear()]
        assert all(double.reports[reference].state is State.FINISHED for reference in references)
        assert {len(file.content or b"") for file in double.reports[references[0]].files.values()} == {number + 1}
        return ",".join(references)

    with ThreadPoolExecutor(16) as pool:
        assert len({one for each in pool.map(file, range(16)) for one in each.split(",")}) == 48
    assert len(double.reports) == 48


def test_in_process_path_is_fast() -> None:
    double = CyberTipline(FakeClock())
    connection = connected(double)
    began = time.perf_counter()
    for _ in range(40):
        delivery = Delivery(connection, {"e1": b"1" * 2000, "e2": b"2" * 2000})
        delivery.run(*delivery.all_steps())
    assert 40 / (time.perf_counter() - began) > 20


def test_connection_closes_with_its_context() -> None:
    with NCMECAdapter().connect(endpoint(), CyberTipline(FakeClock()).transport()) as connection:
        assert connection.probe().outcome is Outcome.ACCEPTED
    with pytest.raises(RuntimeError):
        connection.probe()
