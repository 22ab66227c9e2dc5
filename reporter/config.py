"""
Configuration: ``$REPORTER_HOME/reporter.toml``, overridden by ``REPORTER_*`` variables.

Nested keys join with two underscores: ``REPORTER_DELIVERY__CONCURRENCY=8``. Secrets are never in either: they stand as
``secret:NAME`` and live in the credential store.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from keycustody.credentials import NAME_PATTERN
from reporter.alarms.settings import SECRET, Alarm, is_secret, secret_name
from reporter.authority import Environment
from reporter.db.engine import sqlite_url
from reporter.errors import ConfigurationError, EnvironmentTroubleError
from reporter.evidence.settings import Objects
from reporter.organisation import Contact, Organisation
from reporter.rules.model import Length
from reporter.weburl import WebUrl

FILE_NAME = "reporter.toml"
#: What may stand in a path of a URL as it is.
_WEB_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
_PREFIX, _NESTED = "REPORTER_", "__"
#: Variables that name the files by which somebody proves who they are; the command line reads them.
_PROOFS = ("key_file", "passphrase_file", "token_file")
#: Pydantic's words for a wrong type, where they would not help.
_RULES = {
    "extra_forbidden": "unknown key",
    "missing": "is missing",
    "model_type": "must be a section",
    "model_attributes_type": "must be a section",
    "dict_type": "must be a section",
}


def home_folder() -> Path:
    """Give the home: ``$REPORTER_HOME``, by default ``~/.local/share/reporter``."""
    chosen = os.environ.get("REPORTER_HOME")
    return Path(chosen).expanduser().absolute() if chosen else Path.home() / ".local" / "share" / "reporter"


_Path = Annotated[Path, AfterValidator(Path.expanduser)]


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


class Keys(_Section):
    """
    Who holds the root key (``provider``), what unlocks it, and where wraps are kept; paths may begin with ``~``.

    ``backup_horizon_days``: for how long copies of the key store are kept, which certificates of destruction state.
    ``credentials``: where credentials lie, in the home or beside the wraps in the database of ``store_url``.
    ``kit_days``: after how many days doctor asks for a new recovery kit.
    """

    provider: Literal["local", "pkcs11", "transit"] = "local"
    passphrase_file: _Path | None = None
    machine_secret_file: _Path | None = None
    module: _Path | None = None
    token: str = ""
    pin_file: _Path | None = None
    url: WebUrl | None = None
    mount: str = Field(default="transit", pattern=_WEB_NAME)
    token_file: _Path | None = None
    ca_file: _Path | None = None
    name: str = Field(default="reporter", pattern=_WEB_NAME)
    store_url: str = ""
    credentials: Literal["folder", "database"] = "folder"
    backup_horizon_days: float | None = Field(default=None, ge=0)
    kit_days: float = Field(default=365.0, gt=0)

    @model_validator(mode="after")
    def _complete(self) -> Keys:
        needed = {"local": (), "pkcs11": ("module", "token"), "transit": ("url", "token_file")}[self.provider]
        if missing := [key for key in needed if not getattr(self, key)]:
            raise ValueError(f"provider {self.provider} needs {' and '.join(missing)}")
        if self.credentials == "database" and not self.store_url:
            raise ValueError("credentials in a database need store_url")
        return self


class Evidence(_Section):
    """
    How many people an opening takes, and after how many days an item is due to be verified again.

    Every ``verify_minutes`` a worker reads about ``verify_mib`` of what is due.
    """

    open_people: int = Field(default=1, ge=1, le=2)
    verify_days: float = Field(default=90.0, gt=0)
    verify_minutes: float = Field(default=10.0, gt=0)
    verify_mib: float = Field(default=512.0, gt=0)


class Retention(_Section):
    """
    The operator's own lengths, in days; none of them shortens what a law sets.

    ``unfiled_days``: what was never filed (not confirmed, rejected, withdrawn, abandoned), from the last that happened
    to it. ``unruled_days``: what was filed where no law that was read sets a length. ``hold_review_days``: a hold
    without an end is looked at so often. ``notice_days``: how long before an end somebody hears of it. ``batch_max``:
    cases in one disposition. ``certificate_years``: how long the certificates of dispositions are kept.
    """

    unfiled_days: int = Field(default=90, ge=1)
    unruled_days: int = Field(default=365, ge=1)
    hold_review_days: int = Field(default=180, ge=1)
    notice_days: int = Field(default=14, ge=0)
    batch_max: int = Field(default=50, ge=1, le=1000)
    certificate_years: int = Field(default=7, ge=1)


class HTTP(_Section):
    """The way out: an egress proxy and a private certificate authority, from here or not at all."""

    proxy: str | None = None
    ca_file: str | None = None


class Audit(_Section):
    """
    The custody log: how often it is signed and verified, where a copy of the signature goes, who time-stamps it.

    ``timestamp_roots`` is a PEM file with the certificates by which the time-stamp authority is believed.
    """

    checkpoint_minutes: float = Field(default=60.0, gt=0)
    checkpoint_file: Path | None = None
    verify_minutes: float = Field(default=10.0, gt=0)
    timestamp_url: WebUrl | None = None
    timestamp_roots: Path | None = None

    @model_validator(mode="after")
    def _never_believed_blindly(self) -> Audit:
        if self.timestamp_url and not self.timestamp_roots:
            raise ValueError("timestamp_url needs timestamp_roots")
        return self


class Targets(_Section):
    """
    The operator's own times for one rule, by urgency, where the law has only words; they are never law.

    ``telephone`` is how soon the authority is telephoned, where the rule asks for that.
    """

    immediate: Length | None = None
    near_future: Length | None = None
    routine: Length | None = None
    telephone: Length | None = None


class Referrals(_Section):
    """
    What becomes of referrals: the share of what was not confirmed that a second person decides too, and targets.

    The hours are the operator's own; no law sets them.
    """

    second_look_share: float = Field(default=0.1, ge=0, le=1)
    decide_hours: float = Field(default=72.0, gt=0)
    second_look_hours: float = Field(default=72.0, gt=0)
    lead_hours: float = Field(default=24.0, gt=0)
    unasked_hours: float = Field(default=24.0, gt=0)


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
        return secret_name(self.password)

    @property
    def settings(self) -> dict[str, Any]:
        """Give the adapter's own keys."""
        return dict(self.model_extra or {})


def _contact(value: Any) -> Any:
    """Read ``email`` and ``phone``, one or several, in the short form that reporter.toml allows."""
    if not isinstance(value, dict):
        return value
    contact = dict(value)
    for short, long, key in (
        ("email", "emails", "address"),
        ("phone", "phones", "number"),
        ("address", "addresses", ""),
    ):
        entries = [*_listed(contact.pop(short, [])), *_listed(contact.pop(long, []))]
        contact[long] = tuple({key: entry} if key and isinstance(entry, str) else entry for entry in entries)
    return contact


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class _Organisation(Organisation):
    reporting_person: Annotated[Contact, BeforeValidator(_contact)] = Contact()
    law_enforcement_contact: Annotated[Contact | None, BeforeValidator(_contact)] = None


class Configuration(BaseSettings):
    """The whole configuration of one home."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter=_NESTED, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    home: Path = Field(default_factory=home_folder)
    database_url: str = ""
    organisation: _Organisation
    approval: Approval = Approval()
    delivery: Delivery = Delivery()
    keys: Keys = Keys()
    evidence: Evidence = Evidence()
    http: HTTP = HTTP()
    alarm: Alarm = Alarm()
    audit: Audit = Audit()
    objects: Objects = Objects()
    retention: Retention = Retention()
    referrals: Referrals = Referrals()
    targets: dict[str, Targets] = Field(default_factory=dict)
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

    def told(self) -> dict[str, str]:
        """Give every key in force with its value as text, but for where the home and the database are."""
        data = self.model_dump(mode="json", exclude={"home", "database_url"})
        return {key: json.dumps(value, sort_keys=True) for key, value in _flat(data)}


def _flat(data: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def load(home: Path | None = None, file_name: str = FILE_NAME) -> Configuration:
    """
    Read and check the configuration of a home.

    Raises:
        ConfigurationError: There is no home there, the file is no TOML, or a key is wrong (named, never its value).
        EnvironmentTroubleError: The file cannot be read.
    """
    home = home or home_folder()
    file = home / file_name
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ConfigurationError(
            f"There is no Reporter home at {home}.", next_step="Set one up: reporter init"
        ) from error
    except OSError as error:
        raise EnvironmentTroubleError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not UTF-8 text: byte {error.start} does not fit.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file} is not valid TOML: {error}.") from error
    try:
        configuration = Configuration(**data).model_copy(update={"home": home})
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        lines = [f"{_place(problem['loc'])}: {_rule(problem['type'], problem['msg'])}" for problem in problems]
        raise ConfigurationError(f"{file}: {'; '.join(lines)}.") from error
    except SettingsError as error:
        name = "".join(re.findall(r'field "(\w+)"', str(error))).upper()
        raise ConfigurationError(
            f"{_PREFIX}{name} is a section and cannot be read from one variable.",
            next_step=f"Give its keys one by one: {_PREFIX}{name}{_NESTED}KEY",
        ) from error
    _refuse_secrets(configuration, in_file=data)
    return configuration


def stray_variables(others: Collection[str] = ()) -> list[str]:
    """Give the ``REPORTER_*`` variables that no key answers to; ``others`` begin names that are none of ours."""
    known = {*Configuration.model_fields, *_PROOFS, *others}
    names = (name for name in os.environ if name.startswith(_PREFIX))
    return sorted(
        name
        for name in names
        if (key := name.removeprefix(_PREFIX).lower()).split(_NESTED)[0] not in known
        and not any(key.startswith(f"{other}_") for other in others)
    )


def _refuse_secrets(configuration: Configuration, in_file: dict[str, Any]) -> None:
    passwords = {f"authority.{name}.password": section.password for name, section in configuration.authority.items()}
    if configuration.alarm.mail:
        passwords["alarm.mail.password"] = configuration.alarm.mail.password
    if configuration.objects.secret_access_key:
        passwords["objects.secret_access_key"] = configuration.objects.secret_access_key
    for key, password in passwords.items():
        if password and not is_secret(password):
            *_, owner, field = key.split(".")
            name = f"{owner}-{'password' if field == 'password' else 'key'}"
            raise ConfigurationError(
                f"{key}: a secret never stands in the configuration.",
                next_step=f'Write {field} = "secret:{name}" and run: reporter secret set {name}',
            )
    named = {key: secret_name(password) for key, password in passwords.items() if password}
    for key, name in {**named, **configuration.alarm.secrets}.items():
        if not NAME_PATTERN.fullmatch(name):
            raise ConfigurationError(
                f"{key}: what follows {SECRET} must be 1 to 64 lower-case letters, digits, '.', '_' or '-'."
            )
    whole = "Give the whole URL in the variable {}."
    keys = in_file.get("keys")
    for key, url, advice in (
        ("http.proxy", configuration.http.proxy, "Use a proxy that knows this machine without a password."),
        ("database_url", in_file.get("database_url"), whole.format("REPORTER_DATABASE_URL")),
        ("keys.store_url", keys.get("store_url") if keys else None, whole.format("REPORTER_KEYS__STORE_URL")),
    ):
        if url and _names_a_password(url):
            raise ConfigurationError(f"{key}: a secret never stands in the configuration.", next_step=advice)


def _names_a_password(url: Any) -> bool:
    try:
        return urlsplit(str(url)).password is not None
    except ValueError:
        return False


def _rule(kind: str, message: str) -> str:
    return _RULES.get(kind, message).removeprefix("Value error, ")


def _place(location: tuple[int | str, ...]) -> str:
    """Name a key as it stands in the file, or the variable that overrules it."""
    variable = _PREFIX + _NESTED.join(str(part) for part in location).upper()
    return variable if variable in os.environ else ".".join(str(part) for part in location)
