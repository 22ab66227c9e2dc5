"""The way out for alarms: one small POST, HTTPS only (plain HTTP to this machine), nothing from the surroundings."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import certifi

from reporter.errors import EnvironmentTroubleError
from reporter.weburl import is_acceptable, is_loopback

#: How long one operation on a connection may stand still, and how long a whole message may take.
TIMEOUT_SECONDS, DEADLINE_SECONDS = 10.0, 30.0
#: Bytes of an answer at most; a time-stamp with its certificates has a few thousand.
LONGEST_ANSWER = 1_000_000


@dataclass(frozen=True, slots=True)
class Way:
    """How to get out: an egress proxy and a private certificate authority, or neither."""

    proxy: str | None = None
    ca_file: str | None = None

    def tls(self) -> ssl.SSLContext:
        """Verify hosts against ``ca_file`` or the bundled authorities; ``ssl``'s own default would heed variables."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_verify_locations(self.ca_file or certifi.where())
        except OSError:
            raise EnvironmentTroubleError("http.ca_file cannot be read as PEM certificates") from None
        return context

    def post(self, url: str, data: Mapping[str, Any]) -> None:
        """
        Post JSON; redirects are not followed.

        Raises:
            EnvironmentTroubleError: It was not taken; the text repeats neither the URL nor the answer.
        """
        self._send(url, json.dumps(data).encode(), "application/json")

    def exchange(self, url: str, body: bytes, media_type: str, answer_type: str) -> bytes:
        """
        Post a body, and give the answer's, which must be of ``answer_type``; redirects are not followed.

        Raises:
            EnvironmentTroubleError: There is no such answer; the text repeats neither the URL nor the answer.
        """
        found, answer = self._send(url, body, media_type)
        if found.partition(";")[0].strip().lower() != answer_type or len(answer) > LONGEST_ANSWER:
            raise EnvironmentTroubleError(f"it answered something else than {answer_type}")
        return answer

    def _send(self, url: str, body: bytes, media_type: str) -> tuple[str, bytes]:
        """Post a body; give the media type of the answer and its beginning."""
        if not is_acceptable(url):
            raise EnvironmentTroubleError("the URL must be https://, or http:// to this machine, without a password")
        parts = urlsplit(url)
        connection = self._connection(parts)
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        headers = {"Content-Type": media_type, "User-Agent": "reporter", "Connection": "close"}
        try:
            with deadline(lambda: connection.sock):
                connection.request("POST", target, body, headers)
                response = connection.getresponse()
                answer = response.read(LONGEST_ANSWER + 1)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise EnvironmentTroubleError(reason(error)) from None
        finally:
            connection.close()
        if not 200 <= response.status < 300:
            raise EnvironmentTroubleError(f"it answered {response.status}")
        return response.headers.get("Content-Type", ""), answer

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
        if not self.proxy or is_loopback(host):
            return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=self.tls())
        proxy = urlsplit(self.proxy)
        if proxy.scheme != "http":
            raise EnvironmentTroubleError("alarms can only go through an http:// proxy")
        tunnel = http.client.HTTPSConnection(
            proxy.hostname or "", proxy.port or 80, timeout=TIMEOUT_SECONDS, context=self.tls()
        )
        tunnel.set_tunnel(host, port or 443)
        return tunnel


@contextmanager
def deadline(current: Callable[[], socket.socket | None], seconds: float = DEADLINE_SECONDS) -> Iterator[None]:
    """Run a block, and cut its connection if it takes longer than ``seconds`` in all, as with a host that drips."""

    def strike() -> None:
        with suppress(OSError):
            if connection := current():
                connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, strike)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def reason(error: Exception) -> str:
    """Give why a connection failed, in words of ours: those of libraries may repeat what was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the server's certificate could not be verified"
    if isinstance(error, ssl.SSLError):
        return "no secure connection could be agreed with the server"
    if isinstance(error, TimeoutError):
        return "no answer came in time"
    if isinstance(error, ConnectionRefusedError):
        return "the server refused the connection"
    if isinstance(error, OSError) and not isinstance(error, http.client.HTTPException):
        return f"no connection: {error.strerror or type(error).__name__}"
    return f"no answer that can be read ({type(error).__name__})"
