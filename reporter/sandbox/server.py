"""
Doubles over real HTTP, on this machine only.

A double is whatever answers :class:`Double`; this module knows no authority. A reply that breaks is a closed socket:
over real HTTP a connection can no longer be refused once its request is known, so ``refused`` closes it unread.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Protocol, Self

from reporter.errors import EnvironmentTroubleError, UsageError
from reporter.weburl import is_loopback

#: Where a person sees what the double holds.
STATE_PATH = "/__sandbox/state"
_CHUNK = 64 << 10


class Clock(Protocol):
    """Waiting."""

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Reply(Protocol):
    """An answer, and what happens to it on the wire (``breaks``: refused, dropped, cut, or empty)."""

    @property
    def status(self) -> int: ...  # noqa: D102
    @property
    def headers(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def body(self) -> bytes: ...  # noqa: D102
    @property
    def delay(self) -> float: ...  # noqa: D102
    @property
    def breaks(self) -> str: ...  # noqa: D102

    def slices(self, wait: Callable[[float], None]) -> Iterator[bytes]:
        """Give the body as the wire carries it; raises ``ConnectionError`` where the connection ends too early."""
        ...


class Double(Protocol):
    """An authority's server in miniature."""

    @property
    def base_path(self) -> str: ...  # noqa: D102
    @property
    def clock(self) -> Clock: ...  # noqa: D102

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: Iterator[bytes]) -> Reply:
        """Answer one request."""
        ...

    def state(self) -> Mapping[str, object]:
        """Give ids, states and counts, as JSON."""
        ...


class Server:
    """A double that answers on a port until the context ends."""

    def __init__(self, double: Double, host: str, port: int, tls: tuple[str, str] | None) -> None:
        if not is_loopback(host):
            raise UsageError("The sandbox serves this machine only.", next_step="Use --host 127.0.0.1.")
        try:
            self._http = _HTTPServer(double, host, port, tls)
        except OSError as error:
            raise EnvironmentTroubleError(
                f"The sandbox cannot listen on port {port}: {error.strerror or 'bad certificate or key'}."
            ) from None
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if tls else 'http'}://{shown}:{self._http.server_address[1]}{double.base_path}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def wait(self) -> None:
        """Block until the process is interrupted."""
        self._thread.join()


def serve(double: Double, host: str = "127.0.0.1", port: int = 0, tls: tuple[str, str] | None = None) -> Server:
    """
    Serve a double; ``tls`` names a PEM certificate and its key, port 0 takes a free one.

    Raises:
        UsageError: The host is not this machine.
        EnvironmentTroubleError: The port is taken, or the certificate cannot be used.

    """
    return Server(double, host, port, tls)


@dataclass(frozen=True, slots=True)
class Served:
    """A double, by the name of its authority, and the port on which it is served."""

    name: str
    double: Double
    port: int


def serve_forever(
    doubles: Sequence[Served], host: str, ready: Callable[[str, str], None], tls: tuple[str, str] | None = None
) -> None:
    """Serve until interrupted; ``ready`` is told each name and URL. Raises what ``serve`` raises."""
    with ExitStack() as stack:
        servers = [stack.enter_context(serve(each.double, host, each.port, tls)) for each in doubles]
        try:
            for each, server in zip(doubles, servers, strict=True):
                ready(each.name, server.url)
            servers[0].wait()
        except KeyboardInterrupt:
            return


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, double: Double, host: str, port: int, tls: tuple[str, str] | None) -> None:
        self.double = double
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        if context and tls:
            context.load_cert_chain(*tls)
        super().__init__((host, port), _Handler)
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def server_bind(self) -> None:
        """Bind without asking DNS for our name, as the parent would."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        with self._open_lock:
            connections = list(self._open)
        for connection in connections:
            _hang_up(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let clients come and go; anything else is a fault of the double and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _number(text: str, base: int) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise ConnectionResetError("the client does not speak HTTP") from None


class _Handler(BaseHTTPRequestHandler):
    server: _HTTPServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "reporter-sandbox", ""
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer; all methods go the same way."""
        if self.path == STATE_PATH:
            body = json.dumps(self.server.double.state(), indent=2).encode()
            self._head(200, {"Content-Type": "application/json", "Content-Length": str(len(body))})
            self.wfile.write(body)
            return
        self._answer()

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: requests are in the double's journal."""

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self._body(headers)
        try:
            reply = self.server.double.handle(self.command, self.path, headers, body)
            if reply.breaks in ("refused", "dropped"):
                if reply.breaks == "dropped":
                    self.server.double.clock.sleep(reply.delay)
                self._hang_up()
                return
            for _ in body:
                pass
            self.server.double.clock.sleep(reply.delay)
            self._head(reply.status, {**reply.headers, "Content-Length": str(len(reply.body))})
            for piece in reply.slices(self.server.double.clock.sleep):
                self.wfile.write(piece)
        except ConnectionError:
            self._hang_up()

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _hang_up(self) -> None:
        self.close_connection = True
        _hang_up(self.connection)

    def _body(self, headers: Mapping[str, str]) -> Iterator[bytes]:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            while size := _number(self.rfile.readline(256).partition(b";")[0].decode("latin-1"), 16):
                yield from self._exactly(size)
                self.rfile.readline(2)
            while self.rfile.readline(1024).strip():
                pass
        else:
            yield from self._exactly(_number(headers.get("content-length", "0"), 10))

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size:
            chunk = self.rfile.read(min(size, _CHUNK))
            if not chunk:
                raise ConnectionResetError("the client went away")
            size -= len(chunk)
            yield chunk
