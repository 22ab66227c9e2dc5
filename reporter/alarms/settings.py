"""The section ``[alarm]``: how alarms reach a person, and when."""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from reporter.weburl import is_acceptable, is_loopback

#: How a value begins that points into the credential store.
SECRET = "secret:"  # noqa: S105


def is_secret(value: str) -> bool:
    """Whether a value points into the credential store."""
    return value.startswith(SECRET)


def secret_name(value: str) -> str:
    """Give the name of the credential that a value points to, empty when it is empty."""
    return value.removeprefix(SECRET)


def _argv(value: Any) -> Any:
    try:
        return shlex.split(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("quotes do not match") from None


def _url(value: str | None) -> str | None:
    if value is None or is_secret(value) or is_acceptable(value):
        return value
    raise ValueError("must be https:// (or http:// to this machine), without a password in it, or secret:NAME")


def _one_or_more(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mail(_Section):
    """A relay that takes alarms as mail; ``password`` points into the credential store."""

    to: Annotated[
        tuple[str, ...] | str,
        BeforeValidator(_one_or_more),
        Field(min_length=1),
    ]
    sender: str = Field(alias="from")
    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    username: str = ""
    password: str = ""
    starttls: bool = True

    @model_validator(mode="after")
    def _never_in_clear(self) -> Mail:
        if self.username and not self.starttls and not is_loopback(self.host):
            raise ValueError("a login needs starttls")
        return self


class Alarm(_Section):
    """How alarms reach a person, and when; ``webhook`` and ``heartbeat_url`` may be ``secret:NAME``."""

    command: Annotated[tuple[str, ...] | str, BeforeValidator(_argv)] = ()
    webhook: Annotated[str | None, AfterValidator(_url)] = None
    mail: Mail | None = None
    urgent_minutes: float = Field(default=15.0, gt=0)
    silent_minutes: float = Field(default=5.0, gt=0)
    repeat_minutes: float = Field(default=30.0, gt=0)
    due_minutes: float = Field(default=30.0, ge=0)
    expiry_days: float = Field(default=14.0, ge=0)
    heartbeat_file: Path | None = None
    heartbeat_url: Annotated[str | None, AfterValidator(_url)] = None

    @property
    def expires_early(self) -> timedelta:
        """Give how long before its end a credential is told of."""
        return timedelta(days=self.expiry_days)

    @property
    def reaches_somebody(self) -> bool:
        """Whether any channel is configured."""
        return bool(self.command or self.webhook or self.mail)

    @property
    def secrets(self) -> dict[str, str]:
        """Give the keys that point into the credential store, each with the name of its credential."""
        values = {
            "alarm.webhook": self.webhook,
            "alarm.heartbeat_url": self.heartbeat_url,
            "alarm.mail.password": self.mail.password if self.mail else None,
        }
        return {key: secret_name(value) for key, value in values.items() if value and is_secret(value)}
