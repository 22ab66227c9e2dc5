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
        wrap = self.provider.wrap(secret.encode(), _context(name, environment))
        content = {"environment": environment, "wrap": json.loads(wrap.to_json())}
        with files.trouble("The credential store cannot be written"):
            files.require_private(self.folder)
            files.replace(path, rfc8785.dumps(content))

    def get(self, name: str, environment: str) -> Redacted:
        """
        Give a secret to the environment it was stored for.

        Raises:
            MissingKeyError: There is none of that name.
            WrongEnvironmentError: It belongs to another environment.
            SealError: Its file was altered.
            StorageError: The folder cannot be read.

        """
        owner, wrap = self._read(name)
        if owner != environment:
            raise WrongEnvironmentError(f"The credential {name} is for {owner}, not for {environment}.")
        return Redacted(self.provider.unwrap(wrap, _context(name, environment)).decode())

    def names(self) -> dict[str, str]:
        """
        Give the name of every credential, with the environment it is for.

        Raises:
            SealError: A file of the store was altered.
            StorageError: The folder cannot be read.

        """
        with files.trouble("The credential store cannot be read"):
            found = sorted(path.stem for path in self.folder.iterdir() if path.suffix == _SUFFIX)
        return {name: self._read(name)[0] for name in found if NAME_PATTERN.fullmatch(name)}

    def delete(self, name: str) -> None:
        """
        Remove a credential; one that is gone already is no error.

        Raises:
            StorageError: The folder cannot be written.

        """
        with files.trouble("The credential store cannot be written"):
            files.remove(self._path(name))

    def _read(self, name: str) -> tuple[str, Wrap]:
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


def _context(name: str, environment: str) -> dict[str, str]:
    return {"credential": name, "environment": environment}
