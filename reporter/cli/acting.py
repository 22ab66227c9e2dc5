"""
Who acts through the command line, and how they prove it: one way for every command.

The proof stands before the command (``reporter --key FILE case add …``), in a variable that names its file, or in its
usual place; a secret is never an argument or the value of a variable.
"""

from __future__ import annotations

import os
import pwd
import re
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from keycustody.redacted import Redacted
    from reporter.actors.model import Person, Sign
    from reporter.actors.service import Presence
    from reporter.bootstrap import App

#: What a statement may hold: printable ASCII without spaces and without the sign of an address.
_CODE = re.compile(r"[!-?A-~]{1,128}")
#: The command under way; typer gives it to callbacks only.
_UNDER_WAY: ContextVar[typer.Context] = ContextVar("under way")


def _take(context: typer.Context, name: str | None) -> str | None:
    _UNDER_WAY.set(context)
    return name


As = Annotated[
    str | None,
    typer.Option("--as", metavar="NAME", callback=_take, help="Who acts; by default the operating-system user."),
]
Key = Annotated[Path | None, typer.Option("--key", metavar="FILE", envvar="REPORTER_KEY_FILE", help="Your key's file.")]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", envvar="REPORTER_PASSPHRASE_FILE", help="A file with the key's passphrase."),
]
TokenFile = Annotated[
    Path | None, typer.Option(metavar="FILE", envvar="REPORTER_TOKEN_FILE", help="A token's file, for a program.")
]


@dataclass(frozen=True, slots=True)
class Means:
    """What a person gave to prove who they are."""

    key: Path | None = None
    passphrase_file: Path | None = None
    token_file: Path | None = None


def actor(name: str | None, app: App) -> str:
    """
    Give who runs the present command, once they have proved it and signed what they do, as far as they must.

    Raises:
        UsageError: The name is none, or the proof cannot be read.
        PolicyError: They are not enrolled, may not do this, or do not prove that it is they.
    """
    who = present(name, app)
    return who.act(_subject()) if who.signs else who.handle


def present(name: str | None, app: App, founders: Mapping[str, Person] | None = None) -> Presence:
    """
    Give who runs the present command, admitted to it; each thing they then do is signed by ``Presence.state``.

    Raises:
        UsageError: The name is none, or the proof cannot be read.
        PolicyError: They are not enrolled, may not do this, or do not prove that it is they.
    """
    from reporter.actors.model import ProofKind
    from reporter.actors.policy import FREE
    from reporter.actors.proofs import open_token, public_key, signer
    from reporter.actors.service import Presence
    from reporter.errors import PolicyError, UsageError

    verb, means = _command(), means_given(_UNDER_WAY.get())
    handle = _system_user() if name is None else name.strip()
    if not handle or not handle.isprintable():
        raise UsageError("--as needs a name, in one line.")
    if verb in FREE:  # proved in another way; the name is no proof, and outside the sandbox nobody chooses it
        return Presence(app.actors, verb, _system_user() if app.actors.required else handle)
    token = open_token(means.token_file) if means.token_file else None
    if token is not None and name is None:
        handle = app.actors.holder(public_key(token)) or handle
    candidate = (founders or {}).get(handle)
    person = candidate or app.actors.person(handle)
    if person is None:
        if not app.actors.required and founders is None:
            return Presence(app.actors, verb, handle)
        raise PolicyError(
            f"{handle} is not enrolled, and outside the sandbox only enrolled people act."
            if founders is None
            else f"{handle} is none of the two.",
            next_step="See: reporter actor --help, and docs/howto/people-and-roles.md",
        )
    app.actors.authorise(person, verb, person.kind_of(public_key(token)) if token is not None else ProofKind.KEY)
    sign = signer(token) if token is not None else _sign_by_key(handle, means)
    return Presence(app.actors, verb, handle, sign, candidate)


def key_file(handle: str) -> Path:
    """Give where somebody's key lies unless they say otherwise."""
    folder = os.environ.get("XDG_CONFIG_HOME")
    base = Path(folder) if folder else Path.home() / ".config"
    return base / "reporter" / "actors" / f"{handle}.key"


def passphrase(question: str, file: Path | None, *, confirm: bool = False) -> Redacted:
    """
    Give a passphrase, from a file, or from a person where one sits at a terminal.

    Raises:
        UsageError: There is neither.
    """
    from keycustody.redacted import Redacted
    from reporter.actors.proofs import read_passphrase
    from reporter.errors import UsageError

    if file is not None:
        return read_passphrase(file)
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"{question} is needed, and nobody can be asked here.",
            next_step="Give it in a private file: reporter --passphrase-file FILE …",
        )
    return Redacted(typer.prompt(question, hide_input=True, confirmation_prompt=confirm, err=True))


def _sign_by_key(handle: str, means: Means) -> Sign:
    from reporter.actors.proofs import open_key, signer

    file = means.key or key_file(handle)
    return signer(open_key(file, lambda: passphrase(f"Passphrase of {file}", means.passphrase_file)))


def means_given(context: typer.Context) -> Means:
    """
    Give what was given before the command to prove who acts.

    Raises:
        UsageError: It is too much.
    """
    from reporter.errors import UsageError

    means = context.find_object(Means) or Means()
    if means.key and means.token_file:
        raise UsageError("Give a key or a token, not both (REPORTER_KEY_FILE and REPORTER_TOKEN_FILE count).")
    return means


def _command() -> str:
    """Give the present command's name, without the program's."""
    return _UNDER_WAY.get().command_path.partition(" ")[2]


def _subject() -> dict[str, str]:
    """
    Give what the present command is about, as far as its row in the table says that it is signed.

    Raises:
        UsageError: A value is no reference, id or code; words, names and addresses are never kept like this.
    """
    from reporter.actors.policy import RULES
    from reporter.errors import UsageError

    rule, parameters = RULES.get(_command()), _UNDER_WAY.get().params
    given = {name: parameters[name] for name in (rule.signs if rule else ()) if parameters.get(name) not in (None, "")}
    subject = {name: str(value) for name, value in given.items()}
    for name, value in subject.items():
        if not _CODE.fullmatch(value):
            raise UsageError(f"The value of {name} can be no reference, id, code or time.")
    return subject


def _system_user() -> str:
    """Give the user whom the operating system vouches for; variables such as LOGNAME are anybody's."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # as in a container with a number for a user
        return f"uid-{number}"
