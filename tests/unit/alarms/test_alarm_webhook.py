"""The way out for webhooks and the dead-man signal, against real servers on this machine."""

from __future__ import annotations

import json
import socket
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from reporter.alarms.channels import WebhookChannel
from reporter.alarms.heartbeat import Heartbeat
from reporter.alarms.wire import Way, deadline
from reporter.errors import EnvironmentTroubleError
from reporter.weburl import is_acceptable
from tests.unit.alarms.conftest import Hook
from tests.unit.alarms.notices import MARKER, NOTICE, NOW


def test_a_message_is_posted_as_json_with_a_text_that_says_it_all(hook: Hook) -> None:
    WebhookChannel(lambda: f"http://127.0.0.1:{hook.port}/hooks/1?channel=on-call", Way()).send(NOTICE)
    ((method, path, headers, body),) = hook.requests
    assert (method, path, headers["Content-Type"]) == ("POST", "/hooks/1?channel=on-call", "application/json")
    assert body == NOTICE.data()
    for word in ("in doubt", "TEST-000001", "ncmec:sandbox", "reporter delivery list"):
        assert word in body["text"]


@pytest.mark.parametrize("status", [301, 307, 400, 500, 503])
def test_an_answer_that_is_no_yes_is_trouble_and_no_redirect_is_followed(hook: Hook, status: int) -> None:
    hook.status = status
    with pytest.raises(EnvironmentTroubleError) as trouble:
        Way().post(f"http://127.0.0.1:{hook.port}/{MARKER}", {})
    assert str(trouble.value) == f"it answered {status}"
    assert len(hook.requests) == 1


def test_hosts_are_verified(tls_hook: Hook, ca_file: str) -> None:
    url = f"https://localhost:{tls_hook.port}/"
    Way(ca_file=ca_file).post(url, {"a": 1})
    assert [body for *_, body in tls_hook.requests] == [{"a": 1}]
    with pytest.raises(EnvironmentTroubleError, match="certificate could not be verified"):
        Way().post(url, {})
    with pytest.raises(EnvironmentTroubleError, match="certificate could not be verified"):
        Way(ca_file=ca_file).post(f"https://127.0.0.1:{tls_hook.port}/", {})  # right authority, wrong name
    assert len(tls_hook.requests) == 1


def test_proxies_of_the_surroundings_are_ignored(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    Way().post(f"http://127.0.0.1:{hook.port}/", {})
    assert len(hook.requests) == 1


def test_the_configured_proxy_is_asked_for_a_tunnel(hook: Hook) -> None:
    with pytest.raises(EnvironmentTroubleError) as trouble:
        Way(proxy=f"http://127.0.0.1:{hook.port}").post(f"https://hooks.example/{MARKER}", {})
    assert MARKER not in str(trouble.value)
    assert [(method, path) for method, path, *_ in hook.requests] == [("CONNECT", "hooks.example:443")]


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://hooks.example/x?y=z", True),
        ("http://127.0.0.1:8080/", True),
        ("http://[::1]/", True),
        ("http://localhost/", True),
        ("http://hooks.example/", False),
        ("http://localhost.example/", False),
        ("https://user:word@hooks.example/", False),
        ("https:///x", False),
        ("https://hooks.example:99999/", False),
        ("https://hooks.example/a b", False),
        ("https://hooks.example/\r\nX: y", False),
        ("file:///etc/passwd", False),
        ("ftp://hooks.example/", False),
        ("", False),
    ],
)
def test_where_alarms_may_go(url: str, fits: bool) -> None:
    assert is_acceptable(url) is fits
    if not fits:
        with pytest.raises(EnvironmentTroubleError, match="the URL must be"):
            Way().post(url, {})


def test_nobody_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # taken, and nobody listens
        with pytest.raises(EnvironmentTroubleError, match="the server refused the connection"):
            Way().post(f"http://127.0.0.1:{probe.getsockname()[1]}/{MARKER}", {})


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n"])
def test_an_answer_that_is_none(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(EnvironmentTroubleError, match="no answer that can be read"):
            Way().post(f"http://127.0.0.1:{server.getsockname()[1]}/", {})
        thread.join()


def test_a_host_that_never_ends_its_answer_is_cut_off() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, deadline(lambda: ours, seconds=0.05):
        assert ours.recv(1) == b""  # would wait for ever


def test_the_heartbeat_calls_its_url_at_most_once_a_minute(hook: Hook, tmp_path: Path) -> None:
    file = tmp_path / "beat.json"
    heartbeat = Heartbeat(file, lambda: f"http://127.0.0.1:{hook.port}/ping", Way())
    for seconds in (0, 15, 59, 60, 119, 120):
        heartbeat.beat(NOW + timedelta(seconds=seconds), {"worker": "me", "oldest_due_seconds": 0.0})
    assert [body["at"] for *_, body in hook.requests] == [
        (NOW + timedelta(seconds=seconds)).isoformat() for seconds in (0, 60, 120)
    ]
    assert json.loads(file.read_text())["at"] == (NOW + timedelta(seconds=120)).isoformat()
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_heartbeat_file_that_cannot_be_written_is_named_by_its_key(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentTroubleError, match=r"alarm\.heartbeat_file cannot be written"):
        Heartbeat(tmp_path / "missing" / "beat.json", None, Way()).beat(NOW, {})


def test_a_heartbeat_url_that_fails_is_named_by_its_key_and_never_by_value(hook: Hook) -> None:
    hook.status = 500
    with pytest.raises(EnvironmentTroubleError, match=r"alarm\.heartbeat_url: it answered 500") as trouble:
        Heartbeat(None, lambda: f"http://127.0.0.1:{hook.port}/{MARKER}", Way()).beat(NOW, {})
    assert MARKER not in str(trouble.value)
