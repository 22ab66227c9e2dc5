"""A home on disk: where things are kept, and how one is set up."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine

from reporter import config
from reporter.audit.sequencer import Sequencer
from reporter.audit.settings import note_settings
from reporter.authority import Environment
from reporter.clock import Clock, SystemClock
from reporter.config import Configuration
from reporter.db import migrate
from reporter.db.engine import open_engine
from reporter.errors import EnvironmentTroubleError, UsageError
from reporter.evidence.custody import custody_errors
from reporter.keys.opening import create_custody
from reporter.layout import Layout

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

# [authority.nca]                    # United Kingdom: a mock of our own, not the NCA's API (docs/authorities/nca.md)
# environment = "sandbox"            # the only one: the NCA gives its API on registration
# base_url = "http://127.0.0.1:8900/v0"     # reporter sandbox nca
# password = "secret:nca-key"
# registration_id = "MOCKORG-01"     # SI 2026/268 reg 4(1): register before the first report
# registered_on = 2026-04-07
# administrator = {name = "Alex Example", email = "trust-and-safety@forum.example"}     # reg 5(1)
# replacement = {name = "Robin Example", email = "robin@forum.example"}                 # reg 5(2)
# authorised_persons = [{name = "Sam Example", email = "sam@forum.example", until = 2027-03-31}]
# idempotency = true                 # only where a repeated report is known to answer with the first receipt
# look_up = true                     # only where a report is known to be found by our reference
"""


def create(home: Path, keys: Mapping[str, str] | None = None, *, clock: Clock | None = None) -> None:
    """
    Set up a home: database, keys, credentials of the sandbox, and last of all reporter.toml.

    What an earlier attempt left behind is kept and built upon. ``keys`` is what stands in the [keys] section,
    ``clock`` another source of time (tests).

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
        layout.objects.mkdir(exist_ok=True, mode=0o700)
        partial.write_text(_CONFIGURATION + _section("keys", keys or {}), encoding="utf-8")
        configuration = config.load(home, partial.name)
        database = open_engine(configuration.database)
        migrate.upgrade(database)
        note_configuration(database, clock or SystemClock(), configuration)
        Sequencer(database).run()
        database.dispose()
        _make_keys(configuration)
        partial.replace(file)
    except OSError as error:
        raise EnvironmentTroubleError(
            f"{home} cannot be set up: {error.strerror}.", next_step="Choose another home with REPORTER_HOME."
        ) from error


def note_configuration(database: Engine, clock: Clock, configuration: Configuration) -> None:
    """
    Record in the custody log that this machine's configuration is not the one it was last seen with, if so.

    Raises:
        EnvironmentTroubleError: The database does not work.
    """
    machine = f"{socket.gethostname()}:{configuration.home}"
    note_settings(database, clock.now(), machine, configuration.told(), "reporter")


def _make_keys(configuration: Configuration) -> None:
    with closing(create_custody(configuration)) as custody, custody_errors():
        for name in SANDBOX_SECRETS.keys() - custody.credentials.names().keys():
            custody.credentials.set(name, SANDBOX_SECRETS[name], Environment.SANDBOX)


def _section(name: str, values: Mapping[str, str]) -> str:
    """Write a section of TOML, whose basic strings are those of JSON (TOML 1.0.0, "String")."""
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(["", f"[{name}]", *lines, ""]) if lines else ""
