"""
The credential store: passwords and tokens, sealed under the root KEK, each bound to its name and environment.

A credential of one environment is never given to another (sandbox, test and production never mix): the environment is
part of the associated data, so a file edited to say otherwise does not open.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import rfc8785

from keycustody import files
from keycustody.errors import MissingKeyError, SealError, WrongEnvironmentError
from keycustody.providers import KeyProvider
from keycustody.redacted import Redacted
from keycustody.wraps import Wrap

NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_SUFFIX = ".secret"


@dataclass(frozen=True, slots=True)
class CredentialStore:
    """A private folder with one sealed file for each credential."""

    folder: Path
    provider: KeyProvider

    def set(self, name: str, secret: str, environment: str) -> None:
        """
        Keep a secret, in place of any of that name.

        Raises:
            ValueError: The name is not 1 to 64 lower-case letters, digits, '.', '_' or '-'.
            StorageError: The folder cannot be written, or others may read it.

        """
        path = self._path(name)
        wrap = self.provider.wrap(secret.encode(), credential_context(name, environment))
        with files.trouble("The credential store cannot be written"):
            files.require_private(self.folder)
            with files.held(self.folder):
                files.replace(path, _content(environment, wrap))

    def get(self, name: str, environment: str) -> Redacted:
        """
        Give a secret to the environment it was stored for.

        Raises:
            MissingKeyError: There is none of that name.
            WrongEnvironmentError: It belongs to another environment.
            SealError: Its file was altered.
            StorageError: The folder cannot be read.

        """
        owner, wrap = self.sealed(name)
        if owner != environment:
            raise WrongEnvironmentError(f"The credential {name} is for {owner}, not for {environment}.")
        return Redacted(self.provider.unwrap(wrap, credential_context(name, environment)).decode())

    def names(self) -> dict[str, str]:
        """
        Give the name of every credential, with the environment it is for.

        Raises:
            SealError: A file of the store was altered.
            StorageError: The folder cannot be read.

        """
        return {name: self.sealed(name)[0] for name in self.files()}

    def files(self) -> list[str]:
        """
        Give the name of every credential, in order; its file is not looked into.

        Raises:
            StorageError: The folder cannot be read.

        """
        with files.trouble("The credential store cannot be read"):
            found = sorted(path.stem for path in self.folder.iterdir() if path.suffix == _SUFFIX)
        return [name for name in found if NAME_PATTERN.fullmatch(name)]

    def delete(self, name: str) -> None:
        """
        Remove a credential; one that is gone already is no error.

        Raises:
            StorageError: The folder cannot be written.

        """
        path = self._path(name)
        with files.trouble("The credential store cannot be written"), files.held(self.folder):
            files.remove(path)

    def replace(self, name: str, old: Wrap, new: Wrap) -> bool:
        """
        Put ``new`` in the place of ``old``; False, and nothing done, where ``old`` was changed or removed.

        Raises:
            SealError: The file was altered.
            StorageError: The folder cannot be written.

        """
        path = self._path(name)
        with files.trouble("The credential store cannot be written"), files.held(self.folder):
            try:
                environment, wrap = self.sealed(name)
            except MissingKeyError:
                return False
            if wrap != old:
                return False
            files.replace(path, _content(environment, new))
        return True

    def restore(self, name: str, environment: str, wrap: Wrap) -> None:
        """
        Keep a credential as ``sealed`` gave it.

        Raises:
            ValueError: The name is none.
            StorageError: The folder cannot be written.

        """
        path = self._path(name)
        with files.trouble("The credential store cannot be written"), files.held(self.folder):
            files.replace(path, _content(environment, wrap))

    def sealed(self, name: str) -> tuple[str, Wrap]:
        """
        Give the environment of a credential, and the credential as it is sealed.

        Raises:
            MissingKeyError: There is none of that name.
            SealError: Its file was altered.
            StorageError: The folder cannot be read.

        """
        path = self._path(name)
        with files.trouble("The credential store cannot be read"):
            files.require_private(self.folder)
            try:
                with files.read(path) as file:
                    text = file.read()
            except FileNotFoundError as error:
                raise MissingKeyError(f"There is no credential {name}.") from error
        try:
            content = json.loads(text)
            return str(content["environment"]), Wrap.from_json(json.dumps(content["wrap"]).encode())
        except (ValueError, KeyError, TypeError) as error:
            raise SealError(f"The file of the credential {name} was altered or cut short.") from error

    def _path(self, name: str) -> Path:
        if not NAME_PATTERN.fullmatch(name):
            raise ValueError("a credential's name is 1 to 64 lower-case letters, digits, '.', '_' or '-'")
        return self.folder / f"{name}{_SUFFIX}"


def credential_context(name: str, environment: str) -> dict[str, str]:
    """Give what the wrap of a credential is bound to."""
    return {"credential": name, "environment": environment}


def _content(environment: str, wrap: Wrap) -> bytes:
    return rfc8785.dumps({"environment": environment, "wrap": json.loads(wrap.to_json())})
