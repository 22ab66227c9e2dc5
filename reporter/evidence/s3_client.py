"""
A client of an S3-compatible service that takes nothing from its surroundings.

No variable (``AWS_*``, proxies), no file in a home and no metadata service changes where it goes or who it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import certifi

from reporter.errors import ConfigurationError, EnvironmentTroubleError

#: Seconds to connect, and that a call may stand still.
CONNECT_SECONDS, READ_SECONDS = 10, 60
#: Tries of one call, the first included; in between waits botocore, 20 seconds at the most.
TRIES = 4
_CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Where objects are kept (``[objects]`` of the configuration); with ``retain_days`` each is locked from birth."""

    bucket: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str | None = None
    endpoint_url: str | None = None
    prefix: str = ""
    retain_days: float | None = None
    proxy: str | None = None
    ca_file: str | None = None
    tries: int = TRIES


def require_extra() -> None:
    """
    See that what S3 needs is installed; importing it takes a quarter of a second and is left to the first use.

    Raises:
        ConfigurationError: It is not.

    """
    if find_spec("botocore") is None:
        raise ConfigurationError(
            "objects.kind: s3 needs more than is installed.", next_step="Install it: pip install 'reporter[s3]'"
        )


def connect(settings: S3Settings) -> Any:
    """
    Give a client; nothing is sent yet, and threads may share it.

    Raises:
        ConfigurationError: The extra is not installed, or a setting is wrong.

    """
    require_extra()
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    # Each variable of a session is read from a file, a variable of the environment or its default: only the last here.
    defaults = {name: (None, None, *rest) for name, (_, _, *rest) in Session.SESSION_VARIABLES.items()}
    options: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "retries": {"mode": "standard", "total_max_attempts": settings.tries},
        "max_pool_connections": _CONNECTIONS,
        "proxies": {"http": settings.proxy, "https": settings.proxy} if settings.proxy else {},
        "s3": {"addressing_style": "path" if settings.endpoint_url else "auto"},
        "signature_version": "s3v4",
        "request_checksum_calculation": "when_required",  # we take SHA-256 ourselves
        "response_checksum_validation": "when_required",  # age tells of every altered byte
        "ignore_configured_endpoint_urls": True,
    }
    try:
        return Session(session_vars=defaults).create_client(
            "s3",
            region_name=settings.region or "us-east-1",
            endpoint_url=settings.endpoint_url,
            aws_access_key_id=settings.access_key_id,
            aws_secret_access_key=settings.secret_access_key,
            verify=settings.ca_file or certifi.where(),
            config=Config(**options),
        )
    except (BotoCoreError, ValueError) as error:
        raise ConfigurationError(
            f"objects: the store cannot be used as configured ({type(error).__name__})."
        ) from error


@contextmanager
def trouble(what: str) -> Iterator[None]:
    """
    Run a block in which every failure of the service or of the way to it means ``what``.

    Raises:
        EnvironmentTroubleError: With the service's code or the kind of failure, never its words.

    """
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ClientError as error:
        raise EnvironmentTroubleError(f"{what}: it answers {code_of(error)}.") from error
    except (BotoCoreError, HTTPError) as error:
        raise EnvironmentTroubleError(
            f"{what}: {type(error).__name__}.", next_step="See objects.* in the configuration and: reporter doctor"
        ) from error


def code_of(error: Any) -> str:
    """Give the code of a service's error, such as ``NoSuchBucket``, or its HTTP status where it has no other."""
    return str(error.response.get("Error", {}).get("Code", "no code"))


def status_of(error: Any) -> int:
    """Give the HTTP status of a service's error."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
