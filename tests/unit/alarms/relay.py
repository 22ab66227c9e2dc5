"""A mail relay on this machine, small enough to read: it takes mail, refuses, breaks off, or speaks TLS."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Relay:
    """What it is to answer, and what it was told."""

    tls: ssl.SSLContext | None = None
    answers: dict[str, str] = field(default_factory=dict)
    greeting: str = "220 relay.example"
    port: int = 0
    told: list[str] = field(default_factory=list)
    encrypted: list[str] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)

    def serve(self, connection: socket.socket, *, secret: bool = False) -> None:
        with connection, connection.makefile("rwb") as lines:

            def say(*texts: str) -> None:
                lines.write("".join(f"{text}\r\n" for text in texts).encode())
                lines.flush()

            if not secret:
                say(self.greeting)
            while line := lines.readline().decode().strip():
                verb = line.split()[0].upper()
                self.told.append(line)
                if secret:
                    self.encrypted.append(verb)
                if verb in self.answers:
                    say(self.answers[verb])
                elif verb == "EHLO":
                    offer = "AUTH PLAIN" if secret else "STARTTLS" if self.tls else "8BITMIME"
                    say("250-relay.example", f"250 {offer}")
                elif verb == "STARTTLS" and self.tls:
                    say("220 go on")
                    with suppress(ssl.SSLError, ConnectionError):  # whoever calls may not trust us
                        self.serve(self.tls.wrap_socket(connection, server_side=True), secret=True)
                    return
                elif verb == "DATA":
                    say("354 go on")
                    mail = []
                    while (part := lines.readline().decode()) != ".\r\n":
                        mail.append(part)
                    self.mails.append("".join(mail))
                    say("250 taken")
                else:
                    say({"AUTH": "235 known", "QUIT": "221 bye"}.get(verb, "250 well"))


@contextmanager
def running(relay: Relay) -> Iterator[Relay]:
    """Serve it on a free port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            relay.serve(self.request)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        relay.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield relay
        finally:
            server.shutdown()
            thread.join()
