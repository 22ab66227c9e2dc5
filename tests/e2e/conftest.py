"""
The command line as people and scripts meet it.

``reporter`` runs it in this process, ``spawn`` as a process of its own; both in a fresh home.
"""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.ncmec.sandbox import CyberTipline
from keycustody.redacted import Redacted
from reporter import home as homes
from reporter.actors.model import Role
from reporter.actors.proofs import keep_key, write_private
from reporter.bootstrap import open_home
from reporter.cli import main
from reporter.cli.acting import key_file
from reporter.clock import SystemClock
from reporter.sandbox.server import serve
from reporter.testing.people import People
from tests.e2e.support import PASSPHRASE, PROGRAM, URL_VARIABLE, Home, Ran, Run


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a home as ``init`` makes it, to be copied."""
    folder = tmp_path_factory.mktemp("pristine") / "home"
    homes.create(folder)
    return folder


@pytest.fixture
def home(pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Give a fresh home, which the environment names."""
    shutil.copytree(pristine, tmp_path / "home")
    monkeypatch.setenv("REPORTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REPORTER_DELIVERY__RETRY_BASE_SECONDS", "0.01")
    monkeypatch.setenv(URL_VARIABLE, "http://127.0.0.1:1/ispws")  # nobody is there
    return Home(tmp_path / "home")


@pytest.fixture
def reporter(home: Home, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run the program in this process, in ``home``."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "argv", ["reporter", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as left:
            main.run()
        captured = capfdbinary.readouterr()
        return Ran(int(left.value.code or 0), captured.out, captured.err.decode())

    return run


@pytest.fixture
def spawn(home: Home) -> Run:
    """Run the program as a process of its own, in ``home``; keywords go to ``subprocess.run``."""

    def run(
        *arguments: str | Path, env: dict[str, str] | None = None, prefix: tuple[str, ...] = (), **more: Any
    ) -> Ran:
        ended = subprocess.run(
            [*prefix, PROGRAM, *arguments],
            env={**os.environ, **(env or {})},
            capture_output=True,
            timeout=60,
            **{"stdin": subprocess.DEVNULL, **more} if "input" not in more else more,
        )
        return Ran(ended.returncode, ended.stdout, ended.stderr.decode())

    return run


@pytest.fixture
def double() -> CyberTipline:
    """Give the authority's double."""
    return CyberTipline(SystemClock())


@pytest.fixture
def sandbox(double: CyberTipline, home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[CyberTipline]:
    """Serve the double over HTTP, where ``home`` looks for it."""
    with serve(double) as server:
        monkeypatch.setenv(URL_VARIABLE, server.url)
        yield double


@pytest.fixture
def belongings(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give people a folder of their own for their keys, and a file with the passphrase of every key."""
    shutil.copytree(os.environ["XDG_CONFIG_HOME"], tmp_path / "config")  # what locks the home's keyring is in there
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    write_private(tmp_path / "passphrase", PASSPHRASE.encode() + b"\n")
    monkeypatch.setenv("REPORTER_PASSPHRASE_FILE", str(tmp_path / "passphrase"))
    return tmp_path


@pytest.fixture
def staff(home: Home, belongings: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., People]:
    """
    Put ``home`` on the authority's test system and enrol people: ``staff(robin="administrator", dana="compliance")``.

    Their keys lie where the program looks for them, under a passphrase that it finds in a file.
    """

    def enrol(**roles: str) -> People:
        monkeypatch.delenv(URL_VARIABLE, raising=False)
        home.configure('environment = "sandbox"', 'environment = "test"')
        home.configure('base_url = "http', '# base_url = "http')
        app = open_home(home.folder)
        try:
            people = People(app, {handle: frozenset({Role(role)}) for handle, role in roles.items()})
        finally:
            app.close()
        for handle, key in people.keys.items():
            keep_key(key_file(handle), key, Redacted(PASSPHRASE), cost=2)
        return people

    return enrol
