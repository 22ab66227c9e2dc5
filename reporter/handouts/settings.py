"""What the configuration may say of an authority that people tell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from reporter.abilities import Handoff
from reporter.authority import Adapter, Environment
from reporter.config import Authority
from reporter.errors import ConfigurationError
from reporter.export.envelopes import Key, examined, kind_of

#: Keys of ``[authority.NAME]`` that the house itself understands there, as paths that begin in the home.
KEYS = frozenset({"font", "recipient_key"})


def keys_of(adapter: Adapter | Handoff) -> frozenset[str]:
    """Give the keys that the house understands for one authority besides its adapter's own."""
    return KEYS if isinstance(adapter, Handoff) else frozenset()


def require_a_way(section: Authority, adapter: Adapter | Handoff) -> None:
    """
    See that there is a way to the authority: an address, or people, who need nothing that only a machine does.

    Raises:
        ConfigurationError: The address does not belong to the environment, or people were given one.
    """
    if not isinstance(adapter, Handoff):
        adapter.endpoint_url(section.environment, section.base_url)
        return
    if section.base_url or section.username or section.password:
        raise ConfigurationError(
            "people tell this authority: it has no address and no credential.",
            next_step="Remove base_url, username and password.",
        )
    if section.environment is Environment.TEST:
        raise ConfigurationError(
            "people tell this authority: it has no test system.", next_step='Set environment = "sandbox" to practise.'
        )
    for key in KEYS & section.settings.keys():
        if not isinstance(section.settings[key], str):
            raise ConfigurationError(f"{key} must be the path of a file.")


def file_of(settings: Mapping[str, Any], key: str, home: Path) -> Path | None:
    """Give the file that a key names, if it is set."""
    return home / Path(settings[key]).expanduser() if settings.get(key) else None


def recipient_key(settings: Mapping[str, Any], home: Path, now: datetime) -> Key | None:
    """
    Give the key to which what leaves is sealed, examined; None where none is configured.

    Raises:
        ConfigurationError: The file cannot be read, or is no public key.
        UsageError: It is another kind of key than it looks.
        PolicyError: It is expired, revoked, or not for encryption.
        EnvironmentTroubleError: The program that it takes is not installed.
    """
    path = file_of(settings, "recipient_key", home)
    if path is None:
        return None
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"recipient_key: the file cannot be read: {error.strerror}.") from error
    kind = kind_of(content)
    if kind is None:
        raise ConfigurationError(
            "recipient_key: the file holds no public key that is known here.",
            next_step="Give the authority's OpenPGP key, its certificate (PEM) or its age recipient.",
        )
    return examined(kind, content, now)
