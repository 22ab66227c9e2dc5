"""
What the doubles of all authorities share: requests, replies, injected trouble, and the way into the process.

A double is an authority's server in miniature. It runs in-process as an httpx transport, and over real HTTP in
``reporter.sandbox.server``; the reply it gives says what the wire is to do with it.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import httpx

from adapters._faults import REPLACING, Fault, FaultScript, Kind

#: Bytes in one slice of a dripping answer.
DRIP_BYTES = 16
_HTML = b"<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"

Break = Literal["", "refused", "dropped", "cut"]


class Clock(Protocol):
    """Wall time and waiting."""

    def now(self) -> datetime:
        """Give the current instant in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """
    A request as the double sees it; ``corrupt`` asks it to take in other bytes than were sent.

    ``endpoint`` is the double's name for the call, ``path`` what follows the base path.
    """

    endpoint: str
    method: str
    headers: Mapping[str, str] = field(repr=False)
    body: Iterator[bytes] = field(repr=False)
    corrupt: bool = False
    path: str = ""
    query: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """
    An answer, and what happens to it on the wire.

    ``delay`` seconds pass before it, ``pace`` seconds between slices of its body. ``breaks`` says where the connection
    ends too early: ``refused`` before the request, ``dropped`` before the answer, ``cut`` in the middle of its body.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    delay: float = 0
    pace: float = 0
    breaks: Break = ""

    def slices(self, wait: Callable[[float], None]) -> Iterator[bytes]:
        """Give the body as the wire carries it, waiting in between; a cut one raises ``ConnectionError``."""
        body = self.body[: len(self.body) // 2] if self.breaks == "cut" else self.body
        step = DRIP_BYTES if self.pace else max(len(body), 1)
        for start in range(0, len(body), step):
            if self.pace:
                wait(self.pace)
            yield body[start : start + step]
        if self.breaks == "cut":
            raise ConnectionResetError("cut")


@dataclass(frozen=True, slots=True)
class Seen:
    """One line of a double's journal; never holds a body or a header."""

    at: datetime
    endpoint: str
    method: str
    status: int
    code: str
    request_id: str
    faults: tuple[str, ...]


class Double(ABC):
    """The common part of every double; subclasses speak one authority's protocol. Safe for threads."""

    #: Path under which the endpoints stand.
    base_path: str

    def __init__(self, clock: Clock, faults: str = "") -> None:
        self.clock = clock
        self.faults = FaultScript(faults)
        self.requests: list[Seen] = []
        self._journal_lock = threading.Lock()

    @abstractmethod
    def process(self, request: Request) -> Reply:
        """Answer as the authority would. The body's iterator raises ``ConnectionError`` when the client goes away."""

    @abstractmethod
    def coded(self, code: int, status: int | None) -> Reply:
        """Give the authority's answer for a code, on its usual HTTP status or on ``status``."""

    @abstractmethod
    def code_of(self, reply: Reply) -> str:
        """Give the authority's code in a reply, for the journal."""

    @abstractmethod
    def state(self) -> dict[str, object]:
        """Give what the double holds, as JSON: ids, states, counts."""

    def endpoint_of(self, method: str, path: str) -> str:
        """Give the name of a call, as fault scripts and the journal use it: its path, unless the double says more."""
        return path

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: Iterator[bytes]) -> Reply:
        """Answer one request, with the trouble that the fault script has for it. Header names are lower case."""
        parts = urlsplit(target)
        inside = parts.path.startswith(self.base_path + "/")
        path = parts.path.removeprefix(self.base_path).strip("/") if inside else parts.path
        endpoint = self.endpoint_of(method, path)
        faults = self.faults.take(endpoint)
        request = Request(endpoint, method, headers, body, path=path, query=parts.query)
        reply = self._reply(request, faults)
        for fault in faults:
            reply = _wire(reply, fault)
        seen = Seen(
            at=self.clock.now(),
            endpoint=endpoint,
            method=method,
            status=reply.status,
            code=self.code_of(reply),
            request_id=reply.headers.get("Request-ID", ""),
            faults=tuple(fault.text for fault in faults),
        )
        with self._journal_lock:
            self.requests.append(seen)
        return reply

    def _reply(self, request: Request, faults: list[Fault]) -> Reply:
        kinds = {fault.kind for fault in faults}
        if Kind.REFUSE in kinds:
            return Reply(breaks="refused")
        if Kind.DROP_BEFORE in kinds:
            return Reply(breaks="dropped")
        replacing = next((fault for fault in faults if fault.kind in REPLACING), None)
        request = replace(request, corrupt=Kind.WRONG_DIGEST in kinds)
        if replacing is None:
            return self.process(request)
        if replacing.processed:
            self.process(request)
        return self._instead(replacing)

    def _instead(self, fault: Fault) -> Reply:
        if fault.kind is Kind.CODE:
            return self.coded(int(fault.value), fault.status)
        if fault.kind is Kind.HTML:
            return Reply(int(fault.value), {"Content-Type": "text/html"}, _HTML)
        if fault.kind is Kind.THROTTLE:
            return Reply(429, {"Retry-After": str(int(fault.value))})
        return Reply(int(fault.value))

    def transport(self) -> httpx.BaseTransport:
        """Give a transport by which an httpx client reaches this double inside the process."""
        return _InProcess(self)


def _wire(reply: Reply, fault: Fault) -> Reply:
    match fault.kind:
        case Kind.DROP_AFTER:
            return replace(reply, breaks="dropped")
        case Kind.CUT:
            return replace(reply, breaks="cut")
        case Kind.TRUNCATE:
            return replace(reply, body=reply.body[: len(reply.body) // 2])
        case Kind.OVERSIZE:
            return replace(reply, body=reply.body.ljust(int(fault.value)))
        case Kind.DELAY:
            return replace(reply, delay=reply.delay + fault.value)
        case Kind.DRIP:
            return replace(reply, pace=fault.value)
    return reply


class _InProcess(httpx.BaseTransport):
    """Calls a double in this process; every fault becomes the exception that a network would have raised."""

    def __init__(self, double: Double) -> None:
        self._double = double

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not isinstance(request.stream, httpx.SyncByteStream):
            raise TypeError("the double is reached by a synchronous client")
        target = request.url.raw_path.decode()
        reply = self._double.handle(request.method, target, request.headers, iter(request.stream))
        if reply.breaks == "refused":
            raise httpx.ConnectError("refused by the fault script", request=request)
        wait = self._waiting(request)
        wait(reply.delay)
        if reply.breaks == "dropped":
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        headers = {**reply.headers, "Content-Length": str(len(reply.body))}
        return httpx.Response(reply.status, headers=headers, stream=_Body(reply, wait))

    def _waiting(self, request: httpx.Request) -> Callable[[float], None]:
        timeouts: dict[str, Any] = request.extensions.get("timeout", {})
        limit = timeouts.get("read")

        def wait(seconds: float) -> None:
            if limit is not None and seconds > limit:
                self._double.clock.sleep(limit)
                raise httpx.ReadTimeout("The read operation timed out", request=request)
            if seconds:
                self._double.clock.sleep(seconds)

        return wait


class _Body(httpx.SyncByteStream):
    def __init__(self, reply: Reply, wait: Callable[[float], None]) -> None:
        self._reply = reply
        self._wait = wait

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._reply.slices(self._wait)
        except ConnectionError as error:
            raise httpx.ReadError("The connection was lost.") from error
