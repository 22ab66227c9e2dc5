"""
Configuration: ``$REPORTER_HOME/reporter.toml``, overridden by ``REPORTER_*`` variables.

Nested keys join with two underscores: ``REPORTER_DELIVERY__CONCURRENCY=8``. Secrets are never in either: they stand as
``secret:NAME`` and live in the credential store.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from reporter.authority import Contact, Environment, Organisation
from reporter.db.engine import sqlite_url
from reporter.errors import ConfigurationError

FILE_NAME = "reporter.toml"


def home_folder() -> Path:
    """Give the home: ``$REPORTER_HOME``, by default ``~/.local/share/reporter``."""
    chosen = os.environ.get("REPORTER_HOME")
    return Path(chosen).absolute() if chosen else Path.home() / ".local" / "share" / "reporter"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Approval(_Section):
    """``people``: how many distinct people in all, the preparer included; 1 allows self-approval."""

    people: int = Field(default=2, ge=1, le=5)


class Delivery(_Section):
    """How deliveries are worked: times in seconds."""

    lease_seconds: float = Field(default=180.0, gt=0)
    timeout_seconds: float = Field(default=60.0, gt=0)
    retry_base_seconds: float = Field(default=2.0, gt=0)
    retry_max_seconds: float = Field(default=3600.0, gt=0)
    concurrency: int = Field(default=4, ge=1, le=64)


class HTTP(_Section):
    """The way out: an egress proxy and a private certificate authority, from here or not at all."""

    proxy: str | None = None
    ca_file: str | None = None


class Authority(BaseModel):
    """One ``[authority.NAME]`` section; further keys are the adapter's own."""

    model_config = ConfigDict(extra="allow", frozen=True)

    environment: Environment = Environment.SANDBOX
    base_url: str | None = None
    username: str = ""
    password: str = ""

    @property
    def secret_name(self) -> str:
        """Give the name of the credential that ``password`` points to, empty when none is set."""
        return self.password.removeprefix("secret:")

    @property
    def settings(self) -> dict[str, Any]:
        """Give the adapter's own keys."""
        return dict(self.model_extra or {})


def _contact(value: Any) -> Any:
    """Read ``email`` and ``phone``, one or several, in the short form that reporter.toml allows."""
    if not isinstance(value, dict):
        return value
    contact = dict(value)
    for short, long in (("email", "emails"), ("phone", "phones"), ("address", "addresses")):
        if short in contact:
            given = contact.pop(short)
            contact[long] = given if isinstance(given, list) else [given]
    contact["emails"] = [{"address": entry} if isinstance(entry, str) else entry for entry in contact.get("emails", [])]
    contact["phones"] = [{"number": entry} if isinstance(entry, str) else entry for entry in contact.get("phones", [])]
    return {key: tuple(entry) if isinstance(entry, list) else entry for key, entry in contact.items()}


class _Organisation(Organisation):
    reporting_person: Annotated[Contact, BeforeValidator(_contact)] = Contact()
    law_enforcement_contact: Annotated[Contact | None, BeforeValidator(_contact)] = None


class Configuration(BaseSettings):
    """The whole configuration of one home."""

    model_config = SettingsConfigDict(
        env_prefix="REPORTER_", env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    home: Path = Field(default_factory=home_folder)
    database_url: str = ""
    organisation: _Organisation
    approval: Approval = Approval()
    delivery: Delivery = Delivery()
    http: HTTP = HTTP()
    authority: dict[str, Authority] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment overrule the file."""
        return env_settings, init_settings

    @property
    def database(self) -> str:
        """Give the database URL in force."""
        return self.database_url or sqlite_url(self.home / "reporter.sqlite3")


def load(home: Path | None = None) -> Configuration:
    """
    Read and check the configuration of a home.

    Raises:
        ConfigurationError: There is no home there, the file is no TOML, or a key is wrong (named, never its value).
    """
    home = home or home_folder()
    file = home / FILE_NAME
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"There is no Reporter home at {home}.", next_step="Set one up: reporter init"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {type(error).__name__}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file} is not valid TOML: {error}.") from error
    try:
        configuration = Configuration(**data)
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in problem['loc'])}: {_rule(problem['type'], problem['msg'])}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigurationError(f"{file}: " + "; ".join(lines) + ".") from error
    configuration = configuration.model_copy(update={"home": home})
    for name, section in configuration.authority.items():
        if section.password and not section.password.startswith("secret:"):
            raise ConfigurationError(
                f"authority.{name}.password: a secret never stands in the configuration.",
                next_step=f'Write password = "secret:{name}-password" and run: reporter secret set {name}-password',
            )
    return configuration


def _rule(kind: str, message: str) -> str:
    return "unknown key" if kind == "extra_forbidden" else message
