"""A time-stamp authority that openssl plays, which can be told to misbehave."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CONFIGURATION = """
[ tsa ]
default_tsa = tsa1
[ tsa1 ]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
certs = {certs}
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""
_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass
class StampAuthority:
    """``url`` answers, or is ``down``; ``replay`` is its every answer, ``extra`` adds certificates to each."""

    folder: Path
    url: str = ""
    replay: bytes | None = None
    extra: bool = False
    down: bool = False

    @property
    def root(self) -> Path:
        return self.folder / "root.pem"

    def openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=30)

    def make(self) -> None:
        (self.folder / "serial").write_text("01\n")
        (self.folder / "ext").write_text("extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n")
        self.openssl("req", "-x509", *_EC, "-days", "30", "-subj", "/CN=SYNTHETIC root", "-keyout", "root.key",
                     "-out", "root.pem")  # fmt: skip
        self.openssl("req", *_EC, "-subj", "/CN=SYNTHETIC TSA", "-keyout", "tsa.key", "-out", "tsa.csr")
        self.openssl("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial",
                     "-days", "30", "-extfile", "ext", "-out", "tsa.pem")  # fmt: skip
        (self.folder / "both.pem").write_bytes(self.root.read_bytes() + (self.folder / "tsa.pem").read_bytes())

    def answer(self, query: bytes) -> bytes:
        if self.replay is not None:
            return self.replay
        (self.folder / "query").write_bytes(query)
        certs = "both.pem" if self.extra else "tsa.pem"
        (self.folder / "tsa.cnf").write_text(_CONFIGURATION.format(certs=certs))
        self.openssl("ts", "-reply", "-config", "tsa.cnf", "-section", "tsa1", "-queryfile", "query", "-out", "reply")
        return (self.folder / "reply").read_bytes()


@contextmanager
def serving(authority: StampAuthority) -> Iterator[StampAuthority]:
    """Let it answer over HTTP."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if authority.down:
                self.send_error(503)
                return
            answer = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        authority.url = f"http://127.0.0.1:{server.server_port}/"
        yield authority
        server.shutdown()
        thread.join()
