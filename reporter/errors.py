"""
Every error of the program, in one tree.

    ReporterError                 (exit code)
    ├── UsageError                2  the command cannot be carried out as given
    │   └── ConfigurationError    2  reporter.toml or a REPORTER_* variable is wrong
    ├── DocumentError             1  a document handed in breaks its contract (carries findings)
    ├── ConflictError             1  the same reference is on record with other content
    ├── NotReadyError             1  an authority's rules are not met yet (carries findings)
    ├── NeedsPersonError          1  somebody has to look before anything goes on
    ├── NotFoundError             2  no such case, item, authority or secret
    ├── PolicyError               3  a law of the house or the approval policy forbids it
    ├── CustodyError              4  a key, a seal or a stored object is not what it must be
    │   └── LogDamagedError       4  the custody log is not what it was
    ├── EnvironmentTroubleError   4  disk, database, clock or installation
    └── AuthorityTroubleError     4  the authority cannot be reached or refuses our credentials

The text of an error can be acted on by a person and never holds content, personal data or a secret:
it names paths, rules, ids and next steps only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or missing, in the case document's own path (``people[0].person.age``)."""

    path: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ReporterError(Exception):
    """Root of the tree; ``exit_code`` is what the command line answers with."""

    exit_code = 4

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def diagnostics(self) -> str:
        """Give the text shown to a person: what happened, and what to do about it."""
        return f"{self.message} {self.next_step}".strip()


class FindingsError(ReporterError):
    """An error that lists the places it is about."""

    def __init__(self, message: str, findings: Sequence[Finding] = (), *, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.findings = tuple(findings)

    def diagnostics(self) -> str:
        """Give the message followed by one line for each finding."""
        lines = [super().diagnostics(), *(f"  {finding}" for finding in self.findings)]
        return "\n".join(lines)


class UsageError(ReporterError):
    """The command cannot be carried out as given."""

    exit_code = 2


class ConfigurationError(UsageError):
    """The configuration is wrong; the text names the key."""


class NotFoundError(UsageError):
    """Nothing of that name is on record here."""


class DocumentError(FindingsError):
    """A document handed in breaks its contract."""

    exit_code = 1


class ConflictError(FindingsError):
    """The same reference is on record with other content; findings name what differs."""

    exit_code = 1


class NotReadyError(FindingsError):
    """The rules of an authority are not met yet."""

    exit_code = 1


class NeedsPersonError(FindingsError):
    """Somebody has to look before anything goes on."""

    exit_code = 1


class PolicyError(ReporterError):
    """A law of the house or the configured policy forbids it; the text names the rule."""

    exit_code = 3


class CustodyError(ReporterError):
    """A key, a seal or a stored object is not what it must be."""


class LogDamagedError(CustodyError):
    """The custody log is not what it was; the text says what does not fit."""


class EnvironmentTroubleError(ReporterError):
    """Disk, database, clock or installation stand in the way."""


class AuthorityTroubleError(ReporterError):
    """The authority cannot be reached or refuses our credentials."""
