"""
HTTP to an authority: the only client of this program, and the only module that knows which library it is.

It trusts nothing from its surroundings (no proxy variables, netrc, certificate or key-log variables, cookies or
redirects), bounds what it reads, and says of every call that got no answer whether the request can have arrived.
"""

from __future__ import annotations

import functools
import importlib.metadata
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import certifi
import httpx

from adapters._multipart import FileForm
from adapters._whole import WholeFile
from reporter.authority import Answer, Endpoint, Exchange, Outcome
from reporter.errors import ConfigurationError

#: The most an answer may hold, in bytes; a longer one is not read further and counts as unknown.
MAX_ANSWER = 1 << 20
#: The longest Retry-After that is honoured, so that an absurd one cannot park a report.
MAX_RETRY_AFTER = timedelta(days=1)

#: X509_V_ERR_* of OpenSSL (x509_vfy.h) in words; its own messages name hosts.
_VERIFY_ERRORS = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is self-signed",
    19: "it ends in an unknown self-signed certificate",
    20: "its issuer is unknown",
    21: "its issuer is unknown",
    62: "it is for another host",
    64: "it is for another host",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What the authority answered, byte for byte."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    exchange: Exchange = field(repr=False)

    @property
    def retry_after(self) -> timedelta | None:
        """How long the authority asks us to wait (RFC 9110 section 10.2.3): seconds, or a date."""
        text = self.headers.get("retry-after", "").strip()
        try:
            if text.isdigit():
                seconds = float(text[:9])
            else:
                now = parsedate_to_datetime(self.headers["date"]) if "date" in self.headers else datetime.now(UTC)
                seconds = (parsedate_to_datetime(text) - now).total_seconds()
        except (TypeError, ValueError):
            return None
        return min(max(timedelta(seconds=seconds), timedelta(0)), MAX_RETRY_AFTER)


def loopback(url: str) -> bool:
    """Whether the URL's host is this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def checked_url(url: str) -> str:
    """
    Give a base URL without a trailing slash.

    Raises:
        ConfigurationError: It is not plain https (or http to this machine), or carries more than scheme, host, path.

    """
    try:
        parts = urlsplit(url)
        port_is_sound = parts.port != 0
    except ValueError:
        raise ConfigurationError("base_url is not a URL.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_sound:
        raise ConfigurationError("base_url must be an https:// URL.")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigurationError(
            "base_url must hold a scheme, a host and a path only.",
            next_step="The user name has its own setting; the password goes in with `reporter secret set`.",
        )
    if parts.scheme == "http" and not loopback(url):
        raise ConfigurationError("base_url uses http:// to another machine.", next_step="Use https://.")
    return url.rstrip("/")


class HttpClient:
    """
    Calls to one authority with HTTP Basic, or with the password in ``key_header``; may be shared by threads.

    ``transport`` replaces the network. ``monotonic`` is the time, in seconds, that bounds the reading of an answer.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        transport: httpx.BaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        key_header: str = "",
    ) -> None:
        self._base = checked_url(endpoint.base_url)
        self._seconds = endpoint.timeout_seconds
        self._monotonic = monotonic
        context = _tls(endpoint) if transport is None else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        password = endpoint.password.get_secret_value()
        agent = {"User-Agent": f"reporter/{importlib.metadata.version('reporter')}", "Accept-Encoding": "identity"}
        self._secret_headers = frozenset({b"authorization", key_header.lower().encode()})
        self._client = httpx.Client(
            auth=None if key_header else httpx.BasicAuth(endpoint.username, password),
            headers={**agent, **({key_header: password} if key_header else {})},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(self._seconds),
            verify=context,
            proxy=_proxy(endpoint, context) if transport is None else None,
            transport=transport,
            trust_env=False,
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def send(
        self,
        method: str,
        path: str,
        body: bytes | FileForm | WholeFile = b"",
        content_type: str = "",
        limit: int = MAX_ANSWER,
        headers: Mapping[str, str] | None = None,
    ) -> Reply | Answer:
        """
        Make one call; without a reply that can be read whole, give the answer that this amounts to.

        Raises:
            CustodyError: The file that was being sent is not what was packaged; the request stayed incomplete.

        """
        described = {"Content-Type": content_type} if content_type else {}
        if not isinstance(body, bytes):
            described = {"Content-Type": body.content_type, "Content-Length": str(body.content_length)}
        all_headers = {**described, **(headers or {})}
        request = self._client.build_request(method, _url(self._base + path), content=body or None, headers=all_headers)
        sent = _request_bytes(request, body if isinstance(body, bytes) else body.envelope(), self._secret_headers)
        head, received = b"", bytearray()
        try:
            response = self._client.send(request, stream=True)
            try:
                head = _response_head(response)
                complete = self._read(response, received, limit)
            finally:
                response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            return Answer(Outcome.NOT_SENT, reason=_not_sent(error), exchange=Exchange(sent, b""))
        except httpx.RequestError as error:
            return Answer(Outcome.UNKNOWN, reason=_lost(error), exchange=Exchange(sent, head + received))
        exchange = Exchange(sent, head + received)
        if complete:
            return Reply(response.status_code, response.headers, bytes(received), exchange)
        return Answer(
            Outcome.UNKNOWN,
            http_status=response.status_code,
            reason="the answer is longer than allowed or took too long to arrive",
            exchange=exchange,
        )

    def _read(self, response: httpx.Response, received: bytearray, limit: int) -> bool:
        deadline = self._monotonic() + self._seconds
        for chunk in response.iter_bytes():
            received += chunk[: limit + 1 - len(received)]
            if len(received) > limit or self._monotonic() > deadline:
                return False
        return True


#: Parsed once: an authority has a handful of addresses.
_url = functools.lru_cache(maxsize=64)(httpx.URL)


def _tls(endpoint: Endpoint) -> ssl.SSLContext:
    """Verify hosts against ``ca_file`` or the bundled authorities; ``ssl``'s own default would heed SSLKEYLOGFILE."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if endpoint.base_url.lower().startswith("https:") or endpoint.proxy:
        try:
            context.load_verify_locations(endpoint.ca_file or certifi.where())
        except OSError:
            raise ConfigurationError("ca_file cannot be read as PEM certificates.") from None
    return context


def _proxy(endpoint: Endpoint, context: ssl.SSLContext) -> httpx.Proxy | None:
    if not endpoint.proxy:
        return None
    try:
        parts = urlsplit(endpoint.proxy)
        if parts.scheme in ("http", "https") and parts.hostname:
            return httpx.Proxy(endpoint.proxy, ssl_context=context if parts.scheme == "https" else None)
    except (ValueError, httpx.InvalidURL):
        pass
    raise ConfigurationError("proxy must be an http:// or https:// URL.")


def _request_bytes(request: httpx.Request, body: bytes, secret_headers: frozenset[bytes]) -> bytes:
    head = f"{request.method} {request.url.raw_path.decode()} HTTP/1.1\r\n".encode()
    kept = [(name, value) for name, value in request.headers.raw if name.lower() not in secret_headers]
    return head + b"".join(name + b": " + value + b"\r\n" for name, value in kept) + b"\r\n" + body


def _response_head(response: httpx.Response) -> bytes:
    head = f"{response.http_version} {response.status_code} {response.reason_phrase}\r\n".encode()
    return head + b"".join(name + b": " + value + b"\r\n" for name, value in response.headers.raw) + b"\r\n"


def _not_sent(error: httpx.TransportError) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = _VERIFY_ERRORS.get(cause.verify_code, f"OpenSSL's verification error {cause.verify_code}")
            return f"the server's certificate could not be verified: {why}"
        if isinstance(cause, ssl.SSLError):
            return "no secure connection could be agreed with the server"
        if isinstance(cause, socket.gaierror):
            return "the server's name could not be resolved"
        if isinstance(cause, ConnectionRefusedError):
            return "the server refused the connection"
    if isinstance(error, httpx.ProxyError):
        return "the proxy refused the connection"
    return "no connection could be made in time" if isinstance(error, httpx.TimeoutException) else "no connection"


def _lost(error: httpx.RequestError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer came in time"
    return "the connection broke before the whole answer was read"


def _causes(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain


def as_transport(transport: Any) -> httpx.BaseTransport | None:
    """
    Give what a caller handed in instead of the network.

    Raises:
        TypeError: It is no transport.

    """
    if transport is not None and not isinstance(transport, httpx.BaseTransport):
        raise TypeError("transport must be an httpx transport")
    return transport
