"""A check-up of the whole house: what is wrong, what is missing, and what to do about it. Changes and sends nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Engine, text

from keycustody.credentials import CredentialStore
from keycustody.errors import KeyCustodyError
from keycustody.providers import LocalKeyring
from reporter import config
from reporter.bootstrap import find_adapters
from reporter.config import Configuration
from reporter.db import migrate
from reporter.db.engine import open_engine, transaction
from reporter.delivery.model import lane_name
from reporter.delivery.queue import paused_lanes
from reporter.errors import ReporterError
from reporter.home import Layout
from reporter.submissions.schemas import SchemaShelf

_NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs"})
_LITTLE_SPACE = 1 << 30


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing looked at: ``state`` is ok, warn or fail."""

    name: str
    state: str
    text: str


def examine() -> list[Symptom]:
    """Look at everything; trouble with one thing does not hide the others."""
    try:
        configuration = config.load()
    except ReporterError as error:
        return [Symptom("configuration", "fail", error.diagnostics())]
    symptoms = [Symptom("configuration", "ok", str(configuration.home / config.FILE_NAME))]
    for look in (_home, _keys, _database, _installation, _authorities):
        symptoms += _safely(look, configuration)
    return symptoms


def _safely(look: Callable[[Configuration], Iterator[Symptom]], configuration: Configuration) -> list[Symptom]:
    symptoms: list[Symptom] = []
    try:
        symptoms.extend(look(configuration))
    except ReporterError as error:
        symptoms.append(Symptom(look.__name__.strip("_"), "fail", error.diagnostics()))
    except (KeyCustodyError, OSError) as error:
        symptoms.append(Symptom(look.__name__.strip("_"), "fail", str(error)))
    return symptoms


def _home(configuration: Configuration) -> Iterator[Symptom]:
    home = configuration.home
    if home.stat().st_mode & 0o077:
        yield Symptom("home", "warn", f"{home} can be read by others; chmod 700 {home}")
    free = shutil.disk_usage(home).free
    state = "ok" if free >= _LITTLE_SPACE else "warn"
    yield Symptom("disk", state, f"{free / (1 << 30):.1f} GiB free at {home}")


def _keys(configuration: Configuration) -> Iterator[Symptom]:
    layout = Layout(configuration.home)
    provider = LocalKeyring.open(layout.keyring)
    yield Symptom("keys", "ok", f"local keyring, version {provider.current_version}")
    names = CredentialStore(layout.credentials, provider).names()
    for authority, section in configuration.authority.items():
        kept_for = names.get(section.secret_name)
        if kept_for == section.environment:
            yield Symptom(f"{authority} credential", "ok", f"secret:{section.secret_name} for {section.environment}")
        else:
            found = f"belongs to {kept_for}" if kept_for else "is not set"
            advice = f"secret:{section.secret_name} {found}; run: reporter secret set {section.secret_name}"
            yield Symptom(f"{authority} credential", "fail", advice)


def _database(configuration: Configuration) -> Iterator[Symptom]:
    engine = open_engine(configuration.database)
    migrate.require_current(engine)
    yield Symptom("database", "ok", f"{engine.dialect.name}, revision {migrate.revisions(engine)[0]}")
    yield from _durability(engine)
    if engine.dialect.name == "sqlite":
        kind = _file_system(configuration.home)
        if kind in _NETWORK_FILE_SYSTEMS:
            yield Symptom("database disk", "fail", f"SQLite on {kind} loses data; use a local disk or PostgreSQL")
    for lane, reason in paused_lanes(engine).items():
        yield Symptom(lane, "fail", f"{reason} Then: reporter authority status {lane.split(':')[0]}")


def _durability(engine: Engine) -> Iterator[Symptom]:
    """A commit that a power cut can take back would let a report be filed twice."""
    with transaction(engine) as connection:
        if engine.dialect.name == "sqlite":
            full = connection.execute(text("PRAGMA synchronous")).scalar_one() >= 2
            wanted = "synchronous=FULL"
        else:
            settings = [
                connection.execute(text(f"SHOW {name}")).scalar_one() for name in ("fsync", "synchronous_commit")
            ]
            full = "off" not in settings
            wanted = "fsync and synchronous_commit"
    yield Symptom("durability", "ok" if full else "fail", wanted if full else f"{wanted} is off; turn it on")


def _installation(_configuration: Configuration) -> Iterator[Symptom]:
    place = find_spec("adapters")
    if place is not None and (Path(place.origin or "").parent / "ncmec").is_dir():
        yield Symptom("installation", "ok", f"adapters: {', '.join(sorted(find_adapters()))}")
    else:
        text = "another package called 'adapters' has taken our place; give Reporter an environment of its own"
        yield Symptom("installation", "fail", text)


def _authorities(configuration: Configuration) -> Iterator[Symptom]:
    known = find_adapters()
    shelf, engine = SchemaShelf(), open_engine(configuration.database)
    if not configuration.organisation.reporting_person.emails:
        yield Symptom("organisation", "fail", "organisation.reporting_person.email is missing; reports need it")
    for name, section in configuration.authority.items():
        if name not in known:
            yield Symptom(name, "fail", f"there is no such adapter (installed: {', '.join(sorted(known))})")
            continue
        url = known[name].endpoint_url(section.environment, section.base_url)
        yield Symptom(lane_name(name, section.environment), "ok", url)
        with transaction(engine) as connection:
            schema = shelf.in_force(connection, name, section.environment)
        if schema is None:
            advice = f"not fetched: only the documented rules are checked; run: reporter authority schema {name}"
            yield Symptom(f"{name} schema", "warn", advice)
        else:
            yield Symptom(f"{name} schema", "ok", f"sha256:{schema.sha256[:16]}… fetched {schema.fetched_at:%Y-%m-%d}")


def _file_system(folder: Path) -> str:
    """Give the kind of file system a folder lies on, as far as the system tells."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return ""
    best, kind = "", ""
    for line in mounts.read_text().splitlines():
        _, point, found, *_ = line.split()
        if folder.resolve().is_relative_to(point) and len(point) >= len(best):
            best, kind = point, found
    return kind
