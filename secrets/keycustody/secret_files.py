"""
Passphrases, PINs and tokens: from a file that the configuration names, or from a person at a terminal.

Never from an argument or a variable: both can be read by other processes, and variables are inherited by children.
"""

from __future__ import annotations

import os
import stat
import sys
from getpass import getpass
from pathlib import Path

from keycustody import files
from keycustody.errors import StorageError
from keycustody.redacted import Redacted

#: Bytes at most; a file that is longer is not the one that was meant.
_LONGEST = 8192


def read(file: Path, what: str) -> Redacted:
    """
    Read a secret from the first line of a file that only its owner, or root for a group, may hand out.

    Raises:
        StorageError: It cannot be read, others may read it, or it is not one line of text.

    """
    with files.trouble(f"The {what} in {file} cannot be used"), file.open("rb") as opened:
        about = os.fstat(opened.fileno())
        # systemd's credentials belong to root, and are open to the service by an access list shown as group bits.
        lent = about.st_uid == 0 != os.geteuid()
        forbidden = stat.S_IRWXO | stat.S_IWGRP | (0 if lent else stat.S_IRWXG)
        if about.st_uid not in (0, os.geteuid()):
            raise PermissionError("it belongs to another user")
        if about.st_mode & forbidden:
            raise PermissionError(f"it is open to others; run: chmod go-rwx '{file}'")
        content = opened.read(_LONGEST + 1).rstrip(b"\r\n")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = ""
    if not text or len(content) > _LONGEST or not text.isprintable():
        raise StorageError(f"{file} does not hold the {what} as one line of text.")
    return Redacted(text)


def ask(what: str, setting: str) -> Redacted:
    """
    Ask the person at the terminal.

    Raises:
        StorageError: Nobody is there to be asked, or the answer is empty; ``setting`` could name a file.

    """
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()):
        raise StorageError(f"The {what} is needed, and there is no terminal to ask at: name its file in {setting}.")
    answer = getpass(f"The {what}: ", stream=sys.stderr)
    if not answer:
        raise StorageError(f"Without the {what} nothing opens.")
    return Redacted(answer)
