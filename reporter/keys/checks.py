"""What ``reporter doctor`` looks at where keys are concerned; nothing is changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from keycustody.keyring import LocalKeyring
from reporter.config import Configuration
from reporter.errors import CustodyError
from reporter.evidence.custody import custody_errors
from reporter.keys.opening import Custody, places

_CONTEXT = {"use": "doctor"}


def examine(configuration: Configuration, custody: Custody) -> Iterator[tuple[str, str, str]]:
    """
    Give name, state and words of each finding.

    Raises:
        CustodyError: What was wrapped does not open again.
        EnvironmentTroubleError: The provider or the key store does not answer.
    """
    provider = custody.provider
    with custody_errors():
        key = os.urandom(32)
        wrap = provider.wrap(key, _CONTEXT)
        if provider.unwrap(wrap, _CONTEXT) != key:
            raise CustodyError("What the key provider wrapped does not open to the same.")
        yield "keys", "ok", f"{provider.describe()}, version {wrap.kek_version}"
        count = sum(1 for _ in custody.store.ids())
        yield "key store", "ok", f"{custody.store.describe()}, {count:,} wraps"
    if isinstance(provider, LocalKeyring):
        unlocking = places(configuration.keys)
        for file in (unlocking.machine_secret_of(provider.kek_id), unlocking.passphrase):
            if file is not None and _lies_in(file, configuration.home):
                words = f"{file} lies in the home: every copy of the home has what unlocks its keys; move it out"
                yield "keys", "warn", words


def _lies_in(file: Path, folder: Path) -> bool:
    return file.exists() and file.resolve().is_relative_to(folder.resolve())
