"""
A check-up of the whole house: what is wrong, what is missing, and what to do about it.

Changes nothing, but for a probe object in a bucket, and sends nothing to an authority.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Engine, text

from keycustody import files
from keycustody.cases import CaseKeys
from keycustody.errors import KeyCustodyError
from reporter import config
from reporter.abilities import Examined, Handoff
from reporter.actors import register
from reporter.actors.model import Role
from reporter.actors.policy import RULES, conflicts
from reporter.alarms import service as alarms
from reporter.authority import Environment
from reporter.bootstrap import find_adapters
from reporter.cases.records import CaseState
from reporter.cases.store import CaseStore
from reporter.clock import SystemClock
from reporter.config import Configuration
from reporter.db import migrate
from reporter.db.engine import open_engine, transaction
from reporter.delivery.authorities import standing_still
from reporter.delivery.forgotten import standing
from reporter.delivery.generations import Generations
from reporter.delivery.model import lane_name
from reporter.desks import connect, desk_of
from reporter.errors import ReporterError
from reporter.evidence.bodies import BodyVault
from reporter.evidence.custody import custody_errors
from reporter.evidence.leftovers import Leftovers
from reporter.evidence.objects import ObjectStore
from reporter.evidence.stores import examine_objects, object_store
from reporter.handouts import settings as by_hand
from reporter.jobs import service as jobs
from reporter.keys import checks
from reporter.keys.opening import Custody, open_custody
from reporter.layout import Layout
from reporter.submissions.duties import Duties
from reporter.submissions.routing import router
from reporter.submissions.schemas import SchemaShelf

_NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs"})
_LITTLE_SPACE = 1 << 30
#: As many cases are opened to see whether their tasks are as the rules ask: enough to notice, and soon done.
_LOOKED_AT = 100
_WAITING = (CaseState.PENDING, CaseState.CONFIRMED)
_STRAYS = "docs/howto/restore-a-backup.md"


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
    custody = cache(partial(open_custody, configuration))  # a person asked for a passphrase is asked once
    looks: list[tuple[str, Callable[[], Iterator[Symptom]]]] = [
        ("variables", partial(_variables, configuration)),
        ("home", partial(_home, configuration)),
        ("keys", partial(_keys, configuration, custody)),
        ("database", partial(_database, configuration, custody)),
        ("installation", partial(_installation, configuration)),
        ("organisation", partial(_organisation, configuration)),
        ("objects", partial(_objects, configuration, custody)),
        ("alarm", partial(_alarm, configuration, custody)),
        ("credentials", partial(_expiry, configuration, custody)),
        *((name, partial(_authority, name, configuration, custody)) for name in configuration.authority),
    ]
    found = [Symptom("configuration", "ok", str(configuration.home / config.FILE_NAME))]
    return found + [symptom for name, look in looks for symptom in _safely(name, look)]


def _safely(name: str, look: Callable[[], Iterator[Symptom]]) -> list[Symptom]:
    symptoms: list[Symptom] = []
    try:
        symptoms.extend(look())
    except ReporterError as error:
        symptoms.append(Symptom(name, "fail", error.diagnostics()))
    except OSError as error:
        symptoms.append(Symptom(name, "fail", f"{error.filename or 'the disk'}: {error.strerror}"))
    return symptoms


def _variables(_configuration: Configuration) -> Iterator[Symptom]:
    for name in config.stray_variables(find_adapters()):
        yield Symptom("variables", "warn", f"{name} is no key of the configuration and changes nothing")


def _home(configuration: Configuration) -> Iterator[Symptom]:
    home = configuration.home
    if home.stat().st_mode & 0o077:
        yield Symptom("home", "warn", f"{home} can be read by others; chmod 700 {home}")
    if not os.access(home, os.W_OK):
        yield Symptom("home", "fail", f"{home} cannot be written: a read-only disk, or somebody else's folder")
    free = shutil.disk_usage(home).free
    state = "ok" if free >= _LITTLE_SPACE else "warn"
    yield Symptom("disk", state, f"{free / (1 << 30):.1f} GiB free at {home}")


def _keys(configuration: Configuration, custody: Callable[[], Custody]) -> Iterator[Symptom]:
    layout = Layout(configuration.home)
    for folder in (layout.credentials, layout.objects):
        yield from _safely(folder.name, partial(_private, folder))
    for state, words in checks.examine_provider(configuration, custody()):
        yield Symptom("keys", state, words)
    yield from _safely("keystore", partial(_keystore, custody))


def _keystore(custody: Callable[[], Custody]) -> Iterator[Symptom]:
    for state, words in checks.examine_store(custody()):
        yield Symptom("keystore", state, words)


def _private(folder: Path) -> Iterator[Symptom]:
    with custody_errors(), files.trouble(f"{folder} cannot be used"):
        files.require_private(folder)
    yield from ()


def _database(configuration: Configuration, custody: Callable[[], Custody]) -> Iterator[Symptom]:
    engine = open_engine(configuration.database)
    try:
        migrate.require_current(engine)
        yield Symptom("database", "ok", f"{engine.dialect.name}, revision {migrate.revisions(engine)[0]}")
        yield _durability(engine)
        if engine.dialect.name == "sqlite":
            kind = _file_system(configuration.home)
            if kind in _NETWORK_FILE_SYSTEMS:
                yield Symptom("database disk", "fail", f"SQLite on {kind} loses data; use a local disk or PostgreSQL")
        yield from _people(configuration, engine)
        for lane, advice in standing_still(engine, configuration.authority).items():
            yield Symptom(lane, "fail", f"stands still: {advice}")
        yield from _schemas(configuration, engine)
        yield from _alarms(engine)
        yield from _jobs(engine)
        yield from _safely("memory", partial(_memory, configuration, engine, custody))
        yield from _safely("cases", partial(_cases, custody, engine))
        yield from _safely("tasks", partial(_tasks, configuration, custody, engine))
        yield from _safely("recovery kit", partial(_kit, configuration, custody, engine))
        yield from _safely("strays", partial(_strays, configuration, custody, engine))
    finally:
        engine.dispose()


def _people(configuration: Configuration, engine: Engine) -> Iterator[Symptom]:
    """Say where the people enrolled cannot do together what takes two, or one of them is too many."""
    with engine.connect() as connection:
        people = [person for person in register.people(connection) if not person.suspended]
    for person in people:
        for conflict in conflicts(person.roles):
            yield Symptom("people", "warn", f"{person.handle} is {conflict}")
    if all(section.environment is Environment.SANDBOX for section in configuration.authority.values()):
        return
    approve, prepare = RULES["submission approve"].roles, RULES["case add"].roles
    able = [person for person in people if person.roles & (approve | prepare)]
    wanted = configuration.approval.people
    if len(able) < wanted or not any(person.roles & approve for person in able):
        yield Symptom("people", "fail", f"nothing can be approved: it takes {wanted} enrolled people (reporter actor)")
    if not any(Role.CUSTODIAN in person.roles for person in people):
        yield Symptom("people", "warn", "nobody is custodian, so nobody can set credentials or rotate the root key")


def _durability(engine: Engine) -> Symptom:
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
    return Symptom("durability", "ok" if full else "fail", wanted if full else f"{wanted} is off; turn it on")


def _schemas(configuration: Configuration, engine: Engine) -> Iterator[Symptom]:
    adapters = find_adapters()
    for name, section in configuration.authority.items():
        if isinstance(adapters.get(name), Examined | Handoff):
            continue
        with transaction(engine) as connection:
            schema = SchemaShelf().in_force(connection, name, section.environment)
        if schema is None:
            advice = f"not fetched: only the documented rules are checked; run: reporter authority schema {name}"
            yield Symptom(f"{name} schema", "warn", advice)
        else:
            yield Symptom(f"{name} schema", "ok", f"sha256:{schema.sha256[:16]}… fetched {schema.fetched_at:%Y-%m-%d}")


def _alarms(engine: Engine) -> Iterator[Symptom]:
    with transaction(engine) as connection:
        standing = alarms.standing(connection)
    for trouble in sorted({(sent.channel, sent.trouble) for alarm in standing for sent in alarm.sendings}):
        if trouble[1]:
            yield Symptom(f"alarm {trouble[0]}", "warn", f"{trouble[1]}; try it with: reporter alarm test")
    if standing:
        waiting = sum(alarm.calls for alarm in standing)
        yield Symptom("alarms", "warn", f"{len(standing)} open, {waiting} not acknowledged; see: reporter alarm list")
    else:
        yield Symptom("alarms", "ok", "none")


def _jobs(engine: Engine) -> Iterator[Symptom]:
    with transaction(engine) as connection:
        wrong = [matter.about for matter in jobs.troubled(connection, SystemClock().now())]
    if wrong:
        words = f"{', '.join(wrong)}: failed, or did not run for long; see: reporter job list"
        yield Symptom("jobs", "fail", words)
    else:
        yield Symptom("jobs", "ok", "none failed; when each ran: reporter job list")


def _memory(configuration: Configuration, engine: Engine, custody: Callable[[], Custody]) -> Iterator[Symptom]:
    """A database that was restored from the past has forgotten what it filed."""
    with transaction(engine) as connection:
        held = standing(connection)
    advice = "see docs/howto/restore-a-backup.md and: reporter db status"
    if held is not None:
        yield Symptom("memory", "fail", f"deliveries are quarantined: {held.reason} What to do: {advice}")
    elif not Generations(engine, _store(configuration, custody)).agree():
        text = "the object store remembers a later time than this database, which was restored; the next worker will"
        yield Symptom("memory", "fail", f"{text} quarantine deliveries. What to do: {advice}")
    else:
        yield Symptom("memory", "ok", "the database remembers all that the object store does")


def _cases(custody: Callable[[], Custody], engine: Engine) -> Iterator[Symptom]:
    """Open the newest case: that fails where keys and database do not belong together."""
    store = CaseStore(BodyVault(CaseKeys(custody().provider, custody().store)))
    with transaction(engine) as connection:
        cases = store.summaries(connection)
        if kept := [case for case in cases if case.state is not CaseState.DESTROYED]:
            store.load(connection, kept[-1].reference)
    yield Symptom("cases", "ok", f"{len(cases):,} on record{', the newest opens' if kept else ''}")


def _tasks(configuration: Configuration, custody: Callable[[], Custody], engine: Engine) -> Iterator[Symptom]:
    """Hold the tasks of the newest cases that are not over against what the rules ask of them today."""
    environments = {name: section.environment for name, section in configuration.authority.items()}
    duties = Duties(router(configuration), environments, SystemClock())
    try:
        store = CaseStore(BodyVault(CaseKeys(custody().provider, custody().store)))
        with transaction(engine) as connection:
            waiting = [case for case in store.summaries(connection) if case.state in _WAITING]
            newest = [store.load(connection, case.reference).case for case in waiting[-_LOOKED_AT:]]
            stale = any(duties.stale(connection, case) for case in newest)
    except ReporterError:
        return  # other looks say so
    if stale:
        yield Symptom("tasks", "warn", "not what rules, targets and authorities ask today; run: reporter task refresh")


def _kit(configuration: Configuration, custody: Callable[[], Custody], engine: Engine) -> Iterator[Symptom]:
    """A sandbox can be made again; what is real cannot."""
    if all(section.environment is Environment.SANDBOX for section in configuration.authority.values()):
        return
    with transaction(engine) as connection:
        for state, words in checks.examine_kit(configuration, custody(), connection, SystemClock().now()):
            yield Symptom("recovery kit", state, words)


def _strays(configuration: Configuration, custody: Callable[[], Custody], engine: Engine) -> Iterator[Symptom]:
    """Count sealed objects that no record explains: they may be what a restored database forgot."""
    try:
        keys, store = CaseKeys(custody().provider, custody().store), _store(configuration, custody)
        strays = Leftovers(engine, SystemClock(), keys, store, lambda: None).strays()
        first = next(strays, None)
    except ReporterError:
        return  # other looks say so
    if first is not None:
        count = 1 + sum(1 for _ in strays)
        text = f"{count:,} sealed objects are on no record here, such as {first}; what to do: {_STRAYS}"
        yield Symptom("strays", "warn", text)


def _installation(_configuration: Configuration) -> Iterator[Symptom]:
    place = find_spec("adapters")
    if place is not None and (Path(place.origin or "").parent / "ncmec").is_dir():
        yield Symptom("installation", "ok", f"adapters: {', '.join(sorted(find_adapters()))}")
    else:
        text = "another package called 'adapters' has taken our place; give Reporter an environment of its own"
        yield Symptom("installation", "fail", text)


def _organisation(configuration: Configuration) -> Iterator[Symptom]:
    if not configuration.organisation.reporting_person.emails:
        yield Symptom("organisation", "fail", "organisation.reporting_person.email is missing; reports need it")
    if not configuration.authority:
        yield Symptom("organisation", "fail", "no authority is configured; add an [authority.NAME] section")


def _objects(configuration: Configuration, custody: Callable[[], Custody]) -> Iterator[Symptom]:
    for state, words in examine_objects(configuration, _store(configuration, custody)):
        yield Symptom("objects", state, words)


def _store(configuration: Configuration, custody: Callable[[], Custody]) -> ObjectStore:
    return object_store(configuration, lambda: custody().credentials, SystemClock())


def _alarm(configuration: Configuration, custody: Callable[[], Custody]) -> Iterator[Symptom]:
    alarm = configuration.alarm
    if not alarm.reaches_somebody:
        yield Symptom("alarm", "warn", "nobody hears of trouble: set command, webhook or mail in the [alarm] section")
    if alarm.heartbeat_file and not os.access((configuration.home / alarm.heartbeat_file).parent, os.W_OK):
        yield Symptom("alarm", "warn", "alarm.heartbeat_file: its folder is missing or cannot be written")
    if not alarm.secrets:
        return
    with custody_errors():
        kept = custody().credentials.names()
    for key, name in alarm.secrets.items():
        if name not in kept:
            yield Symptom("alarm", "warn", f"{key}: secret:{name} is not set; run: reporter secret set {name}")


def _expiry(configuration: Configuration, custody: Callable[[], Custody]) -> Iterator[Symptom]:
    now, patience = SystemClock().now(), timedelta(days=configuration.alarm.expiry_days)
    try:
        expiries = custody().credentials.expiries()
    except (ReporterError, KeyCustodyError):
        return  # other looks say so
    for name, at in expiries.items():
        if at - patience <= now:
            words = f"secret:{name} {'has expired' if at <= now else f'expires on {at:%Y-%m-%d}'}"
            yield Symptom("credentials", "fail" if at <= now else "warn", f"{words}; run: reporter secret set {name}")


def _authority(name: str, configuration: Configuration, custody: Callable[[], Custody]) -> Iterator[Symptom]:
    """Go as far as sending: section, URL, credential, proxy and certificates are what a delivery needs."""
    section = configuration.authority[name]
    desk = desk_of(name, configuration, find_adapters(), SchemaShelf())
    if isinstance(desk.adapter, Handoff):
        key = by_hand.recipient_key(desk.settings, configuration.home, SystemClock().now())
        sealed = f"sealed to {key.fingerprint}" if key else "in the clear"
        yield Symptom(lane_name(name, section.environment), "ok", f"people tell it ({desk.adapter.means}), {sealed}")
        return
    with connect(name, configuration, desk, custody().credentials):
        url = desk.adapter.endpoint_url(section.environment, section.base_url)
        known_as = f" as {section.username}" if section.username else ""
        yield Symptom(lane_name(name, section.environment), "ok", f"{url}{known_as}")
    if isinstance(desk.adapter, Examined):
        for symptom in desk.adapter.examine(desk.settings, desk.organisation, SystemClock().now().date()):
            yield Symptom(*symptom)


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
