"""The double over real HTTP: the same protocol and the same trouble, on sockets."""

from __future__ import annotations

import datetime as dt
import hashlib
import http.client
import json
import resource
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import trustme

from adapters._double import Double
from adapters.ncmec.adapter import NCMECAdapter
from adapters.ncmec.client import NCMECConnection
from adapters.ncmec.sandbox import CyberTipline
from adapters.ncmec.sandbox_state import State
from reporter.authority import Outcome
from reporter.errors import EnvironmentTroubleError, UsageError
from reporter.sandbox.server import Served, serve, serve_forever
from reporter.testing.clock import FakeClock
from tests.unit.ncmec_wire.support import REPORT, Delivery, endpoint, packaged


class Waiting(FakeClock):
    """A clock whose ``sleep`` waits until the client has lost patience, so that no test sleeps a fixed time."""

    def __init__(self) -> None:
        super().__init__()
        self.patience_lost = threading.Event()

    def sleep(self, seconds: float) -> None:
        if seconds:
            self.patience_lost.wait(10)


@pytest.fixture
def double() -> CyberTipline:
    return CyberTipline(FakeClock())


@pytest.fixture
def url(double: CyberTipline) -> Iterator[str]:
    with serve(double) as server:
        yield server.url


def connected(url: str, **changes: Any) -> NCMECConnection:
    return NCMECAdapter().connect(endpoint(url, **changes))


def test_report_is_filed_over_one_kept_connection(double: CyberTipline, url: str) -> None:
    with connected(url) as connection:
        for _ in range(3):
            delivery = Delivery(connection, {"e1": b"harmless one", "e2": b"harmless two" * 50_000})
            answer = delivery.run(*delivery.all_steps())
            assert (answer.outcome, answer.discrepancy) == (Outcome.ACCEPTED, "")
        assert connection.fetch_schema()
        assert connection.probe().outcome is Outcome.ACCEPTED
    assert {report.state for report in double.reports.values()} == {State.FINISHED}
    assert [seen.status for seen in double.requests] == [200] * 20


@pytest.mark.parametrize(
    ("fault", "outcome", "state"),
    [
        ("finish:1 refuse", Outcome.UNKNOWN, State.OPEN),
        ("finish:1 drop_before", Outcome.UNKNOWN, State.OPEN),
        ("finish:1 drop_after", Outcome.UNKNOWN, State.FINISHED),
        ("finish:1 status=503", Outcome.UNKNOWN, State.OPEN),
        ("finish:1 status=500 processed", Outcome.UNKNOWN, State.FINISHED),
        ("finish:1 html", Outcome.UNKNOWN, State.OPEN),
        ("finish:1 truncate", Outcome.UNKNOWN, State.FINISHED),
        ("finish:1 cut", Outcome.UNKNOWN, State.FINISHED),
        ("finish:1 oversize", Outcome.UNKNOWN, State.FINISHED),
        ("finish:1 code=1000/200", Outcome.UNKNOWN, State.OPEN),
        ("finish:1 throttle=30", Outcome.RETRYABLE, State.OPEN),
        ("finish:1 drip=0.001", Outcome.ACCEPTED, State.FINISHED),
        ("finish:1 delay=0.001", Outcome.ACCEPTED, State.FINISHED),
    ],
)
def test_trouble_at_the_finish_and_after_it(
    double: CyberTipline, url: str, fault: str, outcome: Outcome, state: State
) -> None:
    double.faults.add(fault)
    with connected(url) as connection:
        delivery = Delivery(connection)
        answer = delivery.run("open", "upload:e1", "details:e1", "finish")
        assert (answer.outcome, double.reports[delivery.ids["report_id"]].state) == (outcome, state)
        assert double.faults.unfired == []
        again = delivery.perform("finish").outcome
    assert again is (Outcome.ACCEPTED if state is State.OPEN else Outcome.ALREADY)


@pytest.mark.parametrize("fault", ["finish:1 delay=30", "finish:1 drip=30"])
def test_silence_ends_with_the_clients_patience(fault: str) -> None:
    clock = Waiting()
    double = CyberTipline(clock, fault)
    with serve(double) as server, connected(server.url, timeout_seconds=0.2) as connection:
        answer = Delivery(connection).run("open", "upload:e1", "details:e1", "finish")
        clock.patience_lost.set()
    assert answer.outcome is Outcome.UNKNOWN
    assert "in time" in answer.reason
    assert [report.state for report in double.reports.values()] == [State.FINISHED]


@pytest.mark.parametrize("fault", ["upload:1 refuse", "upload:1 drop_before"])
def test_upload_dropped_under_way_leaves_no_file(double: CyberTipline, url: str, fault: str) -> None:
    double.faults.add(fault)
    with connected(url) as connection:
        answer = Delivery(connection, {"e1": b"x" * 5_000_000}).run("open", "upload:e1")
    assert answer.outcome is Outcome.UNKNOWN
    assert [report.files for report in double.reports.values()] == [{}]


def test_broken_seal_leaves_the_request_incomplete(double: CyberTipline, url: str) -> None:
    with connected(url) as connection:
        delivery = Delivery(connection, {"e1": b"x" * 200_000}, files=[packaged("e1", b"y" * 200_000)])
        delivery.run("open")
        with pytest.raises(Exception, match="e1 unseals to other bytes"):
            delivery.perform("upload:e1")
        assert delivery.perform("retract").outcome is Outcome.ACCEPTED
    assert [report.files for report in double.reports.values()] == [{}]


def test_wrong_digest(double: CyberTipline, url: str) -> None:
    double.faults.add("upload:1 wrong_digest")
    with connected(url) as connection:
        assert Delivery(connection).run("open", "upload:e1").outcome is Outcome.MISMATCH


def test_wrong_password_while_uploading_much(double: CyberTipline, url: str) -> None:
    with connected(url) as connection:
        delivery = Delivery(connection, {"e1": b"x" * 2_000_000})
        delivery.run("open")
    with connected(url, username="other") as connection:
        delivery.connection = connection
        assert delivery.perform("upload:e1").outcome is Outcome.UNAUTHORISED


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with connected(f"http://127.0.0.1:{taken.getsockname()[1]}/ispws") as connection:
            answer = Delivery(connection).run("open")
    assert (answer.outcome, answer.reason) == (Outcome.NOT_SENT, "the server refused the connection")


def test_name_that_does_not_resolve() -> None:
    with connected("https://nowhere.invalid/ispws") as connection:
        answer = Delivery(connection).run("open")
    assert (answer.outcome, answer.reason) == (Outcome.NOT_SENT, "the server's name could not be resolved")


class Authority:
    """A certificate authority of this test, and servers that it vouches for."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.folder = folder
        self.ca_file = str(folder / "ca.pem")
        self.ca.cert_pem.write_to_path(self.ca_file)

    def tls(self, host: str = "127.0.0.1", days: tuple[int, int] = (-1, 365)) -> tuple[str, str]:
        now = dt.datetime.now(dt.UTC)
        cert = self.ca.issue_cert(
            host, not_before=now + dt.timedelta(days=days[0]), not_after=now + dt.timedelta(days=days[1])
        )
        chain, key = str(self.folder / "chain.pem"), str(self.folder / "key.pem")
        cert.private_key_pem.write_to_path(key)
        for number, pem in enumerate(cert.cert_chain_pems):
            pem.write_to_path(chain, append=number > 0)
        return chain, key


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_tls_with_the_named_authority(double: CyberTipline, authority: Authority) -> None:
    with serve(double, tls=authority.tls()) as server, connected(server.url, ca_file=authority.ca_file) as connection:
        assert server.url.startswith("https://127.0.0.1:")
        delivery = Delivery(connection, {"e1": b"x" * 300_000})
        assert delivery.run(*delivery.all_steps()).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("host", "days", "trusted", "words"),
    [
        ("127.0.0.1", (-20, -10), True, "it has expired"),
        ("127.0.0.1", (10, 20), True, "it is not valid yet"),
        ("other.example", (-1, 365), True, "it is for another host"),
        ("127.0.0.1", (-1, 365), False, "its issuer is unknown"),
    ],
)
def test_certificate_that_cannot_be_verified_sends_nothing(
    double: CyberTipline, authority: Authority, host: str, days: tuple[int, int], trusted: bool, words: str
) -> None:
    ca_file = authority.ca_file if trusted else None
    with serve(double, tls=authority.tls(host, days)) as server, connected(server.url, ca_file=ca_file) as connection:
        answer = Delivery(connection).run("open")
    assert (answer.outcome, answer.reason) == (
        Outcome.NOT_SENT,
        f"the server's certificate could not be verified: {words}",
    )
    assert double.requests == []


def test_tls_to_a_server_that_speaks_plainly(url: str) -> None:
    with connected(url.replace("http:", "https:")) as connection:
        answer = Delivery(connection).run("open")
    assert (answer.outcome, answer.reason) == (
        Outcome.NOT_SENT,
        "no secure connection could be agreed with the server",
    )


def test_state_page(double: CyberTipline, url: str) -> None:
    with connected(url) as connection:
        Delivery(connection).run("open")
    response = httpx.get(url.replace("/ispws", "/__sandbox/state"), trust_env=False)
    assert response.json() == json.loads(json.dumps(double.state()))
    assert len(double.requests) == 1


def test_clients_that_send_in_chunks_or_ask_first(double: CyberTipline, url: str) -> None:
    """Streams of unknown length arrive chunked; curl asks before a large body (Expect: 100-continue)."""
    http_client = httpx.Client(base_url=url, auth=("usr123", "pswd456"), trust_env=False)
    with http_client:
        assert http_client.post("/submit", content=iter([REPORT[:100], REPORT[100:]])).status_code == 200
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port)
    connection.putrequest("POST", "/ispws/submit")
    for name, value in {
        "Authorization": "Basic dXNyMTIzOnBzd2Q0NTY=",
        "Content-Length": str(len(REPORT)),
        "Expect": "100-continue",
    }.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(REPORT)
    assert connection.getresponse().status == 200
    connection.close()
    assert len(double.reports) == 2


@pytest.mark.parametrize(
    "head", [b"Content-Length: many", b"Content-Length: 99999", b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"]
)
def test_clients_that_break_the_protocol_change_nothing(double: CyberTipline, url: str, head: bytes) -> None:
    where = urlsplit(url)
    with socket.create_connection((where.hostname or "", where.port or 0)) as raw:
        raw.sendall(
            b"POST /ispws/submit HTTP/1.1\r\nAuthorization: Basic dXNyMTIzOnBzd2Q0NTY=\r\n" + head + b"\r\n\r\n"
        )
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(100) == b""
    assert double.reports == {}


def test_only_this_machine_is_served(double: CyberTipline, tmp_path: Path) -> None:
    for host in ("0.0.0.0", "192.0.2.1", "sandbox.example"):
        with pytest.raises(UsageError):
            serve(double, host)
    with serve(double) as server, pytest.raises(EnvironmentTroubleError, match="cannot listen"):
        serve(double, port=urlsplit(server.url).port or 0)
    with pytest.raises(EnvironmentTroubleError):
        serve(double, tls=(str(tmp_path / "none.pem"), str(tmp_path / "none.key")))


def test_serving_ends_with_an_interrupt(double: CyberTipline) -> None:
    urls = []

    def ready(name: str, url: str) -> None:
        assert name == "ncmec"
        urls.append(url)
        raise KeyboardInterrupt

    serve_forever([Served("ncmec", double, 0)], "127.0.0.1", ready)
    with connected(urls[0]) as connection:
        assert connection.probe().outcome is Outcome.NOT_SENT


def test_stopped_sandbox_answers_nobody_any_more(double: CyberTipline) -> None:
    with serve(double) as server:
        connection = connected(server.url)
        assert connection.probe().outcome is Outcome.ACCEPTED
    with connection:
        assert connection.probe().outcome in (Outcome.NOT_SENT, Outcome.UNKNOWN)
    assert len(double.requests) == 1


def test_300_megabytes_pass_in_constant_memory(double: CyberTipline, url: str) -> None:
    chunk, count = bytes(1 << 20), 300
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    for _ in range(count):
        md5.update(chunk)
        sha256.update(chunk)
    file = replace(packaged("e1", b""), size=count << 20, md5=md5.hexdigest(), sha256=sha256.hexdigest())
    with connected(url, timeout_seconds=60) as connection:
        delivery = Delivery(connection, {}, files=[file])
        delivery.open_item = lambda item: iter([chunk] * count)  # type: ignore[method-assign]
        delivery.run("open")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert delivery.perform("upload:e1").outcome is Outcome.ACCEPTED
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    [report] = double.reports.values()
    [stored] = report.files.values()
    assert (stored.size, stored.md5, stored.sha256, stored.content) == (file.size, file.md5, file.sha256, None)
    assert after - before < 40 << 10  # KiB


def test_server_takes_any_double_and_shows_its_mistakes(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken(CyberTipline):
        def process(self, request: object) -> Any:
            raise LookupError("a mistake of the double")

    double: Double = Broken(FakeClock())
    with serve(double) as server, connected(server.url) as connection:
        assert connection.probe().outcome is Outcome.UNKNOWN
    assert "a mistake of the double" in capfd.readouterr().err


def test_certificates_are_demanded_of_everyone() -> None:
    connection = connected("https://sandbox.example/ispws")
    pool = connection._http._client._transport._pool  # type: ignore[attr-defined]
    context = pool._ssl_context
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.keylog_filename is None
