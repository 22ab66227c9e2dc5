"""A home on disk: where things are kept, and how one is set up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from keycustody.credentials import CredentialStore
from keycustody.providers import LocalKeyring
from reporter import config
from reporter.authority import Environment
from reporter.db import migrate
from reporter.db.engine import open_engine
from reporter.errors import EnvironmentTroubleError, UsageError
from reporter.evidence.custody import custody_errors

#: What the built-in sandbox accepts; of no use anywhere else.
SANDBOX_SECRETS = {"ncmec-password": "pswd456"}

_CONFIGURATION = """\
# Reporter. Every key can be overridden: REPORTER_DELIVERY__CONCURRENCY=8 and so on.
# Secrets never stand here: "secret:NAME" points into the credential store (reporter secret set NAME).

[organisation]
name = "Example Forum Ltd"
established_in = "US"                # ISO 3166-1; decides which law binds
serves = ["US"]
# legal_url = "https://forum.example/terms"
# terms_of_service = "…"

[organisation.reporting_person]      # who stands in every report; an e-mail address is required
first_name = "Alex"
last_name = "Example"
email = "trust-and-safety@forum.example"

[approval]
people = 2                           # distinct people in all, the preparer included; 1 allows self-approval

[delivery]
concurrency = 4

[alarm]                              # who hears of trouble; try it with: reporter alarm test
# command = ["/usr/local/bin/notify-on-call"]      # gets one line of JSON on standard input
# webhook = "https://hooks.forum.example/reporter" # or "secret:NAME", where knowing the URL is enough to use it
# mail = {to = ["on-call@forum.example"], from = "reporter@forum.example", host = "mail.forum.example"}
# heartbeat_file = "heartbeat.json"                # touched by a worker that gets on with its work

[authority.ncmec]
environment = "sandbox"              # sandbox | test | production
base_url = "http://127.0.0.1:8911/ispws"    # sandbox only; test and production hosts are built in
username = "usr123"
password = "secret:ncmec-password"
industry_classification = false      # true only with the signed MOU of the Industry Hash Sharing Platform
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a home keeps what."""

    home: Path

    @property
    def keyring(self) -> Path:
        """Root keys."""
        return self.home / "keys"

    @property
    def wraps(self) -> Path:
        """The key store: case keys and item identities, wrapped; apart from database and objects."""
        return self.home / "keystore"

    @property
    def credentials(self) -> Path:
        """Sealed credentials of authorities."""
        return self.home / "credentials"

    @property
    def objects(self) -> Path:
        """Sealed evidence, one age file for each item."""
        return self.home / "objects"


def create(home: Path) -> None:
    """
    Set up a home: keys, credentials of the sandbox, database, and last of all reporter.toml.

    What an earlier attempt left behind is kept and built upon.

    Raises:
        UsageError: There is a home already; it is not touched.
        EnvironmentTroubleError: The disk or the database does not let us.
        CustodyError: The keys that are there already cannot be used.
    """
    file = home / config.FILE_NAME
    partial = file.with_suffix(".partial")
    layout = Layout(home)
    try:
        if home.exists() and not home.is_dir():
            raise UsageError(f"{home} is a file.", next_step="Choose another home with REPORTER_HOME.")
        if file.exists():
            raise UsageError(
                f"{home} is a Reporter home already; nothing was changed.", next_step="See: reporter doctor"
            )
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (layout.wraps, layout.credentials, layout.objects):
            folder.mkdir(exist_ok=True, mode=0o700)
        with custody_errors():
            _make_keys(layout)
        partial.write_text(_CONFIGURATION, encoding="utf-8")
        database = open_engine(config.load(home, partial.name).database)
        migrate.upgrade(database)
        database.dispose()
        partial.replace(file)
    except OSError as error:
        raise EnvironmentTroubleError(
            f"{home} cannot be set up: {error.strerror}.", next_step="Choose another home with REPORTER_HOME."
        ) from error


def _make_keys(layout: Layout) -> None:
    provider = LocalKeyring.open(layout.keyring) if layout.keyring.exists() else LocalKeyring.create(layout.keyring)
    credentials = CredentialStore(layout.credentials, provider)
    for name in SANDBOX_SECRETS.keys() - credentials.names().keys():
        credentials.set(name, SANDBOX_SECRETS[name], Environment.SANDBOX)
