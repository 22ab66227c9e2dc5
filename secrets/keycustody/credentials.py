"""
The credential store: passwords and tokens, sealed under the root KEK, each bound to its name and environment.

A credential of one environment is never given to another (sandbox, test and production never mix): the environment is
part of the associated data, so a file edited to say otherwise does not open.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime

import rfc8785

from keycustody.errors import MissingKeyError, SealError, WrongEnvironmentError
from keycustody.providers import KeyProvider
from keycustody.redacted import Redacted
from keycustody.shelves import Shelf
from keycustody.wraps import Wrap

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A credential as the store has it; environment and expiry are bound to the wrap."""

    environment: str
    expires_at: datetime | None
    wrap: Wrap

    def context(self, name: str) -> dict[str, str]:
        """Give what the wrap is bound to, under a name."""
        return credential_context(name, self.environment, self.expires_at)

    def to_json(self) -> bytes:
        """Write it as one JSON object."""
        return rfc8785.dumps({**_beside(self.environment, self.expires_at), "wrap": json.loads(self.wrap.to_json())})

    @classmethod
    def from_json(cls, text: bytes) -> SealedSecret:
        """
        Read it back.

        Raises:
            ValueError, KeyError, TypeError: It is none.
            SealError: Its wrap is none.

        """
        fields = json.loads(text)
        expires_at = datetime.fromisoformat(fields["expires_at"]) if "expires_at" in fields else None
        return cls(str(fields["environment"]), expires_at, Wrap.from_json(json.dumps(fields["wrap"]).encode()))


def credential_context(name: str, environment: str, expires_at: datetime | None) -> dict[str, str]:
    """Give what the wrap of a credential is bound to."""
    return {"credential": name, **_beside(environment, expires_at)}


def _beside(environment: str, expires_at: datetime | None) -> dict[str, str]:
    return {"environment": environment, **({"expires_at": expires_at.isoformat()} if expires_at else {})}


@dataclass(frozen=True, slots=True)
class CredentialStore:
    """Credentials on a shelf, each sealed for its name and environment."""

    shelf: Shelf
    provider: KeyProvider

    def set(self, name: str, secret: str, environment: str, expires_at: datetime | None = None) -> None:
        """
        Keep a secret, in place of any of that name; ``expires_at``, with its zone, is kept beside it.

        Raises:
            ValueError: The name is not 1 to 64 lower-case letters, digits, '.', '_' or '-'.
            StorageError: The store cannot be written, or others may read it.

        """
        wrap = self.provider.wrap(secret.encode(), credential_context(_sound(name), environment, expires_at))
        self.restore(name, SealedSecret(environment, expires_at, wrap))

    def get(self, name: str, environment: str) -> Redacted:
        """
        Give a secret to the environment it was stored for.

        Raises:
            MissingKeyError: There is none of that name.
            WrongEnvironmentError: It belongs to another environment.
            SealError: It was altered.
            StorageError: The store cannot be read.

        """
        kept = self.sealed(name)
        if kept.environment != environment:
            raise WrongEnvironmentError(f"The credential {name} is for {kept.environment}, not for {environment}.")
        return Redacted(self.provider.unwrap(kept.wrap, kept.context(name)).decode())

    def names(self) -> dict[str, str]:
        """
        Give the name of every credential, with the environment it is for.

        Raises:
            SealError: One was altered.
            StorageError: The store cannot be read.

        """
        return {name: self.sealed(name).environment for name in self.files()}

    def expiries(self) -> dict[str, datetime]:
        """
        Give when credentials expire, of those where that is known.

        Raises:
            SealError: One was altered.
            StorageError: The store cannot be read.

        """
        dated = ((name, self.sealed(name).expires_at) for name in self.files())
        return {name: expires_at for name, expires_at in dated if expires_at is not None}

    def stamp(self, name: str) -> str:
        """
        Give what changes whenever a credential is set, and is empty while there is none.

        Raises:
            StorageError: The store cannot be read.

        """
        try:
            return hashlib.sha256(self._text(name)).hexdigest()
        except MissingKeyError:
            return ""

    def files(self) -> list[str]:
        """
        Give the name of every credential, in order; what is kept is not looked into.

        Raises:
            StorageError: The store cannot be read.

        """
        return [name for name in self.shelf.names() if NAME_PATTERN.fullmatch(name)]

    def delete(self, name: str) -> None:
        """
        Remove a credential; one that is gone already is no error.

        Raises:
            StorageError: The store cannot be written.

        """
        self.shelf.delete(_sound(name))

    def replace(self, name: str, old: Wrap, new: Wrap) -> bool:
        """
        Put ``new`` in the place of ``old``; False, and nothing done, where ``old`` was changed or removed.

        Raises:
            SealError: It was altered.
            StorageError: The store cannot be written.

        """
        text = self.shelf.read(_sound(name))
        if text is None:
            return False
        kept = _parsed(name, text)
        return kept.wrap == old and self.shelf.swap(name, text, dataclasses.replace(kept, wrap=new).to_json())

    def restore(self, name: str, sealed: SealedSecret) -> None:
        """
        Keep a credential as ``sealed`` gave it.

        Raises:
            ValueError: The name is none.
            StorageError: The store cannot be written.

        """
        self.shelf.write(_sound(name), sealed.to_json())

    def sealed(self, name: str) -> SealedSecret:
        """
        Give a credential as it is sealed.

        Raises:
            MissingKeyError: There is none of that name.
            SealError: It was altered.
            StorageError: The store cannot be read.

        """
        return _parsed(name, self._text(name))

    def _text(self, name: str) -> bytes:
        text = self.shelf.read(_sound(name))
        if text is None:
            raise MissingKeyError(f"There is no credential {name}.")
        return text


def _parsed(name: str, text: bytes) -> SealedSecret:
    try:
        return SealedSecret.from_json(text)
    except (ValueError, KeyError, TypeError) as error:
        raise SealError(f"The sealed text of the credential {name} was altered or cut short.") from error


def _sound(name: str) -> str:
    if not NAME_PATTERN.fullmatch(name):
        raise ValueError("a credential's name is 1 to 64 lower-case letters, digits, '.', '_' or '-'")
    return name
