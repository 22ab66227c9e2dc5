"""Time-stamps on checkpoints, from an authority that openssl plays."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import Engine

from keycustody.credentials import CredentialStore
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.shelves import FolderShelf
from reporter.alarms.wire import Way
from reporter.audit import service as audit
from reporter.audit.log import CustodyLog, custody_log
from reporter.audit.timestamps import TimestampAuthority
from reporter.db.engine import transaction
from reporter.errors import ConfigurationError, CustodyError
from reporter.testing.clock import FakeClock

CONFIGURATION = """
[tsa]
default_tsa = tsa
[tsa]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
certs = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tsa")


@pytest.fixture
def openssl(program: Callable[[str], str], issuer: Path) -> Callable[..., None]:
    path = program("openssl")

    def run(*arguments: str) -> None:
        subprocess.run([path, *arguments], cwd=issuer, check=True, capture_output=True, timeout=30)

    if not (issuer / "tsa.pem").exists():
        (issuer / "tsa.cnf").write_text(CONFIGURATION.replace("[tsa]\ndefault_tsa", "[ tsa_root ]\ndefault_tsa", 1))
        (issuer / "serial").write_text("01\n")
        (issuer / "ext").write_text("extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n")
        for name in ("root", "other"):
            run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-subj", f"/CN=SYNTHETIC {name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")  # fmt: skip
        run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=SYNTHETIC TSA",
            "-keyout", "tsa.key", "-out", "tsa.csr")  # fmt: skip
        run("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial",
            "-days", "30", "-extfile", "ext", "-out", "tsa.pem")  # fmt: skip
    return run


@pytest.fixture
def url(openssl: Callable[..., None], issuer: Path) -> Iterator[str]:
    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            (issuer / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            openssl("ts", "-reply", "-config", "tsa.cnf", "-section", "tsa", "-queryfile", "query", "-out", "reply")
            answer = (issuer / "reply").read_bytes()
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
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def opened(engine: Engine, folder: Path, url: str, roots: Path) -> CustodyLog:
    if not (folder / "keys").exists():
        LocalKeyring.create(folder / "keys", Places())
        (folder / "credentials").mkdir(mode=0o700)
    credentials = CredentialStore(FolderShelf(folder / "credentials"), LocalKeyring.open(folder / "keys", Places()))
    with transaction(engine) as connection:
        audit.record(connection, at=FakeClock().now(), actor="a", kind="case_added")
    return custody_log(
        engine, FakeClock(), credentials, every=timedelta(hours=1), file=folder / "log.txt", timestamp_url=url,
        timestamp_roots=roots, exchange=Way().exchange,
    )  # fmt: skip


def test_a_checkpoint_is_stamped_and_openssl_agrees(
    engine: Engine, tmp_path: Path, issuer: Path, openssl: Callable[..., None], url: str
) -> None:
    log = opened(engine, tmp_path, url, issuer / "root.pem")
    made = log.checkpoints.make()
    assert made.trouble == ()
    assert made.stamped_at is not None
    file = tmp_path / "log.txt"
    openssl("ts", "-verify", "-data", str(file), "-in", f"{file}.tsr", "-CAfile", "root.pem")
    assert log.checkpoints.make().stamped_at == made.stamped_at  # it is asked once
    assert (log.verification.run().timestamps, log.verification.run().faults) == (1, ())
    doubting = opened(engine, tmp_path, url, issuer / "other.pem")
    assert [fault.wrong for fault in doubting.verification.run().faults] == ["timestamp_wrong"]


def test_a_stamp_that_does_not_hold_is_refused(tmp_path: Path, issuer: Path, url: str) -> None:
    believed = TimestampAuthority(url, issuer / "root.pem", Way().exchange)
    answer = believed.stamp(b"checkpoint")
    for bad, message in ((answer, b"another"), (answer[:-1] + b"\0", b"checkpoint"), (b"", b"checkpoint")):
        with pytest.raises(CustodyError):
            believed.verify(bad, message)
    with pytest.raises(CustodyError):  # an old answer, played again
        TimestampAuthority(url, issuer / "root.pem", lambda *_: answer).stamp(b"checkpoint")
    with pytest.raises(CustodyError):
        TimestampAuthority(url, issuer / "other.pem", Way().exchange).stamp(b"checkpoint")
    with pytest.raises(ConfigurationError):
        TimestampAuthority(url, issuer / "nowhere.pem", Way().exchange).stamp(b"checkpoint")


def test_an_authority_that_is_down_keeps_no_checkpoint_from_being_made(engine: Engine, tmp_path: Path) -> None:
    log = opened(engine, tmp_path, "http://127.0.0.1:9/", tmp_path / "roots.pem")
    made = log.checkpoints.make()
    assert (made.size, made.stamped_at) == (1, None)
    assert "timestamp_url" in made.trouble[0]
    assert (tmp_path / "log.txt").read_text() == made.note
    assert log.verification.run().faults == ()
