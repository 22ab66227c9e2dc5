"""The HTTP client: nothing from the surroundings, every silence classified, everything bounded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from pydantic import SecretStr

from adapters._http import MAX_ANSWER, MAX_RETRY_AFTER, HttpClient, Reply, as_transport
from reporter.authority import Answer, Endpoint, Environment, Exchange, Outcome
from reporter.errors import ConfigurationError

URL = "https://sandbox.example/api"


def client(handler: Any = None, url: str = URL, monotonic: Any = None, **changes: Any) -> HttpClient:
    settings = {"username": "usr123", "password": SecretStr("pswd456"), "timeout_seconds": 5.0, **changes}
    endpoint = Endpoint(Environment.SANDBOX, url, **settings)
    transport = httpx.MockTransport(handler) if handler else None
    return HttpClient(endpoint, transport, monotonic) if monotonic else HttpClient(endpoint, transport)


def failing(error: Exception) -> Any:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    return handler


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (httpx.ConnectError("x"), Outcome.NOT_SENT),
        (httpx.ConnectTimeout("x"), Outcome.NOT_SENT),
        (httpx.PoolTimeout("x"), Outcome.NOT_SENT),
        (httpx.ProxyError("x"), Outcome.NOT_SENT),
        (httpx.ReadError("x"), Outcome.UNKNOWN),
        (httpx.ReadTimeout("x"), Outcome.UNKNOWN),
        (httpx.WriteError("x"), Outcome.UNKNOWN),
        (httpx.WriteTimeout("x"), Outcome.UNKNOWN),
        (httpx.CloseError("x"), Outcome.UNKNOWN),
        (httpx.RemoteProtocolError("x"), Outcome.UNKNOWN),
        (httpx.LocalProtocolError("x"), Outcome.UNKNOWN),
    ],
)
def test_only_what_cannot_have_left_is_not_sent(error: httpx.TransportError, outcome: Outcome) -> None:
    answer = client(failing(error)).send("POST", "/x", b"body", "text/xml")
    assert isinstance(answer, Answer)
    assert answer.outcome is outcome
    assert answer.reason
    assert answer.exchange is not None
    assert answer.exchange.request.endswith(b"\r\n\r\nbody")


def test_request_goes_out_with_basic_auth_and_is_kept_without_it() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(207, headers={"Request-ID": "r1", "Set-Cookie": "lb=1"}, content=b"hello")

    http = client(handler)
    reply = http.send("POST", "/x", b"body", "text/xml")
    http.send("GET", "/y")
    assert isinstance(reply, Reply)
    assert (reply.status, reply.body, reply.headers["request-id"]) == (207, b"hello", "r1")
    assert seen[0].headers["Authorization"] == "Basic dXNyMTIzOnBzd2Q0NTY="
    assert seen[0].headers["User-Agent"].startswith("reporter/")
    assert seen[0].headers["Accept-Encoding"] == "identity"
    assert "Cookie" not in seen[1].headers
    assert str(seen[0].url) == "https://sandbox.example/api/x"
    assert reply.exchange.request.startswith(b"POST /api/x HTTP/1.1\r\nHost: sandbox.example\r\n")
    assert b"uthorization" not in reply.exchange.request
    assert reply.exchange.response == (
        b"HTTP/1.1 207 Multi-Status\r\nRequest-ID: r1\r\nSet-Cookie: lb=1\r\nContent-Length: 5\r\n\r\nhello"
    )
    assert "hello" not in repr(reply)


def test_redirects_are_answers() -> None:
    with respx.mock(assert_all_called=True) as router:
        route = router.post(f"{URL}/x").respond(302, headers={"Location": "https://elsewhere.example/"})
        reply = client().send("POST", "/x", b"body", "text/xml")
    assert isinstance(reply, Reply)
    assert (reply.status, route.call_count) == (302, 1)


def test_proxies_and_netrc_of_the_surroundings_are_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine sandbox.example login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with respx.mock() as router:
        route = router.get(f"{URL}/x").respond(200)
        http = client()
        http.send("GET", "/x")
    assert route.calls.last.request.headers["Authorization"] == "Basic dXNyMTIzOnBzd2Q0NTY="
    assert http._client._mounts == {}
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("proxy", ["http://proxy.example:3128", "https://user:word@proxy.example"])
def test_proxy_of_the_endpoint_is_used(proxy: str) -> None:
    assert len(client(proxy=proxy)._client._mounts) == 1


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "ftp://x", "nonsense", "http://[bad", "https://"])
def test_proxy_that_cannot_be_one_is_refused(proxy: str) -> None:
    with pytest.raises(ConfigurationError, match="proxy"):
        client(proxy=proxy)


def test_ca_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(ConfigurationError, match="ca_file"):
            client(ca_file=str(tmp_path / name))


def test_plain_http_stays_on_this_machine() -> None:
    for url in ("http://sandbox.example", "http://192.0.2.1", "http://localhost.example"):
        with pytest.raises(ConfigurationError, match="http://"):
            client(url=url)
    client(url="http://127.0.0.1:1").close()


@pytest.mark.parametrize(("size", "whole"), [(MAX_ANSWER, True), (MAX_ANSWER + 1, False), (5 * MAX_ANSWER, False)])
def test_answers_are_bounded(size: int, whole: bool) -> None:
    result = client(lambda request: httpx.Response(200, content=b"x" * size)).send("GET", "/x")
    assert isinstance(result, Reply) is whole
    if isinstance(result, Answer):
        assert (result.outcome, result.http_status) == (Outcome.UNKNOWN, 200)
        assert result.exchange is not None
        assert len(result.exchange.response) < MAX_ANSWER + 200


def test_endless_trickle_ends() -> None:
    now = iter(range(1000))

    def trickle() -> Iterator[bytes]:
        while True:
            yield b"x"

    http = client(lambda request: httpx.Response(200, content=trickle()), monotonic=lambda: float(next(now)))
    result = http.send("GET", "/x")
    assert isinstance(result, Answer)
    assert result.outcome is Outcome.UNKNOWN
    assert next(now) < 10


def test_answer_that_breaks_off_keeps_what_came() -> None:
    def broken() -> Iterator[bytes]:
        yield b"<reportDone"
        raise httpx.ReadError("x")

    result = client(lambda request: httpx.Response(200, content=broken())).send("POST", "/finish")
    assert isinstance(result, Answer)
    assert result.outcome is Outcome.UNKNOWN
    assert result.exchange is not None
    assert result.exchange.response.startswith(b"HTTP/1.1 200 OK\r\n")
    assert result.exchange.response.endswith(b"\r\n\r\n<reportDone")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "120"}, timedelta(seconds=120)),
        ({"Retry-After": " 0 "}, timedelta(0)),
        ({"Retry-After": "99999999999999999999"}, MAX_RETRY_AFTER),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "²"}, None),
        (
            {"Retry-After": "Sun, 22 Nov 2026 12:01:00 GMT", "Date": "Sun, 22 Nov 2026 12:00:00 GMT"},
            timedelta(seconds=60),
        ),
        ({"Retry-After": "Sun, 22 Nov 2020 12:01:00 GMT"}, timedelta(0)),
        ({"Retry-After": "Sun, 22 Nov 2026 12:01:00 -0000", "Date": "Sun, 22 Nov 2026 12:00:00 GMT"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], expected: timedelta | None) -> None:
    assert Reply(429, httpx.Headers(headers, encoding="utf-8"), b"", Exchange(b"", b"")).retry_after == expected


def test_only_transports_replace_the_network() -> None:
    assert as_transport(None) is None
    with pytest.raises(TypeError):
        as_transport(object())
