"""
A home put together from a kit and copies: beside its place at first, and moved there once its keys open.

Whatever fails before that leaves nothing but the machine secret, which is of no use alone.
"""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from keycustody import files
from keycustody.credentials import CredentialStore, SealedSecret
from keycustody.errors import SealError
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.rewrapping import RootWraps, Step
from reporter import config
from reporter.config import FILE_NAME, Configuration
from reporter.db import migrate
from reporter.db.engine import open_engine
from reporter.errors import ConfigurationError, CustodyError, EnvironmentTroubleError, UsageError
from reporter.evidence.custody import custody_errors
from reporter.keys.kit import Kit
from reporter.keys.opening import open_custody
from reporter.layout import Layout

_CHUNK = 1 << 20
_DATABASE = "reporter.sqlite3"
#: https://www.sqlite.org/fileformat.html, 1.3.1
_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Copies:
    """Where the copies are; None where the configuration names a server that holds the thing itself."""

    keystore: Path | None
    database: Path | None
    objects: Path | None


def rebuild(
    kit: Kit, copies: Copies, home: Path, hold: Callable[[Path], None], passphrase_file: Path | None = None
) -> list[Step]:
    """
    Make the home, and give the wraps that its root key does not open.

    ``hold`` is given the home before it is moved to its place, so that none is ever there that may deliver at once.
    A local root key is locked with a secret of this machine, or with the passphrase in ``passphrase_file``.

    Raises:
        UsageError: The home is not empty, or a copy is missing, of no use, or too many.
        CustodyError: No wrap of the key store opens with this kit.
        EnvironmentTroubleError: A disk or the database does not let us.
    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise UsageError(f"{home} is not empty; nothing was changed.", next_step="Choose another place with --home.")
    beside = home.with_name(f".{home.name}.recovering")
    try:
        with custody_errors(), files.trouble(f"{home} cannot be made"):
            shutil.rmtree(beside, ignore_errors=True)  # of an attempt that was killed
            files.make_folder(beside)
            unopened = _build(kit, copies, Layout(beside), passphrase_file)
            hold(beside)
            beside.rename(home)
            files.sync_folder(home.parent)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return unopened


def _build(kit: Kit, copies: Copies, layout: Layout, passphrase_file: Path | None) -> list[Step]:
    toml = kit.reporter_toml if passphrase_file is None else _with_passphrase(kit.reporter_toml, passphrase_file)
    files.create(layout.home / FILE_NAME, [toml.encode()])
    configuration = config.load(layout.home)
    _require_fit(kit, copies, configuration)
    for folder in (layout.wraps, layout.credentials, layout.objects):
        files.make_folder(folder)
    if kit.provider == "local":
        places = Places(configuration.keys.machine_secret_file, passphrase_file)
        try:
            LocalKeyring.restore(layout.keyring, places, kit.kek_id, kit.root())
        except ValueError as error:
            raise UsageError(f"--passphrase-file: {error}.") from error
    if copies.keystore:
        _copy(copies.keystore, layout.wraps)
    if copies.objects:
        _copy(copies.objects, layout.objects)
    if copies.database:
        _copy_database(copies.database, layout.home / _DATABASE)
    database = open_engine(configuration.database)
    migrate.upgrade(database)
    database.dispose()
    with closing(open_custody(configuration)) as custody:
        wraps = RootWraps(custody.provider, custody.store, custody.credentials)
        unopened = list(wraps.unopened())
        if unopened and len(unopened) == wraps.count():
            raise CustodyError(
                f"None of {len(unopened)} wrapped keys opens with this kit: {unopened[0].why}",
                next_step="Is the key store of the same home, and was the kit made after the last rotation?",
            )
        _put_credentials(kit, custody.credentials)
    return unopened


def _require_fit(kit: Kit, copies: Copies, configuration: Configuration) -> None:
    if configuration.keys.provider != kit.provider:
        raise ConfigurationError(
            f"The kit is of a home whose root key was in: {kit.reach}.",
            next_step=f"Set REPORTER_KEYS__PROVIDER={kit.provider} and what it needs, as that home had it.",
        )
    for option, given, elsewhere in (
        ("--keystore", copies.keystore, "keys.store_url" if configuration.keys.store_url else ""),
        ("--database", copies.database, "REPORTER_DATABASE_URL" if configuration.database_url else ""),
        ("--objects", copies.objects, "" if configuration.objects.kind == "folder" else "[objects]"),
    ):
        if given and elsewhere:
            raise UsageError(f"{option} is not for a home that has it by {elsewhere}.")
        if not given and not elsewhere:
            raise UsageError(f"{option} is needed.")


def _put_credentials(kit: Kit, credentials: CredentialStore) -> None:
    there = set(credentials.files())  # in a database of its own, which may be newer than the kit
    for name, text in kit.credentials.items():
        if name in there:
            continue
        try:
            credentials.restore(name, SealedSecret.from_json(text.encode()))
        except (ValueError, KeyError, TypeError, SealError) as error:
            raise CustodyError("The recovery kit is damaged.") from error


def _copy(source: Path, target: Path) -> None:
    """Copy the files of a flat folder, each readable by its owner alone and flushed."""
    if not source.is_dir():
        raise UsageError(f"{source} is no folder.")
    if source.resolve().is_relative_to(target.parent.resolve()):
        raise UsageError(f"{source} lies where the home is made.")
    for path in sorted(source.iterdir()):
        if path.name.startswith(files.PARTIAL):
            continue
        if path.is_symlink() or not path.is_file():
            raise UsageError(f"{path} is no plain file: {source} is not a copy of the home's folder.")
        with path.open("rb") as file:
            files.create(target / path.name, _pieces(file))


def _copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database, with the write-ahead log of one that was copied while it was in use."""
    if not source.is_file():
        raise UsageError(f"{source} is no file.")
    with source.open("rb") as opened:
        magic = opened.read(len(_SQLITE))
    if magic != _SQLITE:
        raise UsageError(
            f"{source} is no SQLite database.",
            next_step="Restore a PostgreSQL dump into a server, and name it in REPORTER_DATABASE_URL.",
        )
    for suffix in ("", "-wal"):
        part = source.with_name(source.name + suffix)
        if part.is_file():
            with part.open("rb") as file:
                files.create(target.with_name(target.name + suffix), _pieces(file))


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_CHUNK):
        yield piece


def _with_passphrase(toml: str, file: Path) -> str:
    """Give the configuration with ``keys.passphrase_file`` set, and nothing else changed."""
    name = str(file.absolute())
    if not re.search(r"(?m)^\[keys\]", toml):
        toml += "\n[keys]\n"
    before, header, keys = re.split(r"(?m)^(\[keys\][^\n]*\n)", toml, maxsplit=1)
    keys = re.sub(r"\A((?:(?!\[).*\n)*?)passphrase_file[ \t]*=.*\n", r"\1", keys)
    changed = f"{before}{header}passphrase_file = {json.dumps(name, ensure_ascii=False)}\n{keys}"
    wanted = tomllib.loads(toml)
    wanted["keys"]["passphrase_file"] = name
    with suppress(tomllib.TOMLDecodeError):
        if tomllib.loads(changed) == wanted:
            return changed
    raise EnvironmentTroubleError(
        "keys.passphrase_file cannot be written into the configuration of this home.",
        next_step="Recover without --passphrase-file; then: reporter key protect --passphrase-file FILE",
    )
