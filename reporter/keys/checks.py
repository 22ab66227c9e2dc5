"""What ``reporter doctor`` looks at where keys are concerned; nothing is changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from keycustody.keyring import LocalKeyring
from reporter.audit import service as audit
from reporter.config import Configuration
from reporter.errors import CustodyError
from reporter.evidence.custody import custody_errors
from reporter.keys.opening import Custody, places

_CONTEXT = {"use": "doctor"}


def examine_provider(configuration: Configuration, custody: Custody) -> Iterator[tuple[str, str]]:
    """
    Give state and words of each finding about who holds the root key.

    Raises:
        CustodyError: What was wrapped does not open again.
        EnvironmentTroubleError: The provider does not answer.
    """
    provider = custody.provider
    with custody_errors():
        key = os.urandom(32)
        wrap = provider.wrap(key, _CONTEXT)
        if provider.unwrap(wrap, _CONTEXT) != key:
            raise CustodyError("What the key provider wrapped does not open to the same.")
        yield "ok", f"{provider.describe()}, version {wrap.kek_version}"
    if isinstance(provider, LocalKeyring):
        unlocking = places(configuration.keys)
        for file in (unlocking.machine_secret_of(provider.kek_id), unlocking.passphrase):
            if file is not None and _lies_in(file, configuration.home):
                yield "warn", f"{file} lies in the home: every copy of the home has what unlocks its keys; move it out"


def examine_store(custody: Custody) -> Iterator[tuple[str, str]]:
    """
    Give state and words of each finding about the key store.

    Raises:
        EnvironmentTroubleError: It does not answer, or others may read it.
    """
    with custody_errors():
        count = sum(1 for _ in custody.store.ids())
        yield "ok", f"{custody.store.describe()}, {count:,} wraps"


def examine_kit(
    configuration: Configuration, custody: Custody, connection: Connection, now: datetime
) -> Iterator[tuple[str, str]]:
    """
    Give state and words of each finding about the recovery kit, as the custody log tells of it.

    Raises:
        EnvironmentTroubleError: The provider does not answer.
    """
    make = "make one: reporter key recovery-kit"
    made = audit.latest(connection, ["recovery_kit_made"])
    if made is None:
        yield "warn", f"there is none: a machine that is lost takes everything with it; {make}"
        return
    with custody_errors():
        kek_id, version = custody.provider.kek_id, custody.provider.current_version
    changed = audit.latest(connection, ["credential_set", "credential_deleted"])
    days = configuration.keys.kit_days
    if made.detail.split()[:2] != [kek_id, str(version)]:
        yield "warn", f"that of {made.at:%Y-%m-%d} is from before the root key was rotated; {make}"
    elif changed is not None and changed.at > made.at:
        yield "warn", f"that of {made.at:%Y-%m-%d} is from before a credential was changed; {make}"
    elif now - made.at > timedelta(days=days):
        yield "warn", f"that of {made.at:%Y-%m-%d} is older than keys.kit_days ({days:g}): try whether it opens; {make}"
    else:
        yield "ok", f"made on {made.at:%Y-%m-%d}"


def _lies_in(file: Path, folder: Path) -> bool:
    return file.exists() and file.resolve().is_relative_to(folder.resolve())
