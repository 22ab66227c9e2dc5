"""Where plaintext goes: standard output, or a viewer's standard input. Never a file, never a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress

from reporter.errors import EnvironmentTroubleError, UsageError

Consume = Callable[[Iterable[bytes]], None]
#: What a viewer needs to find a screen and its own settings; nothing of Reporter's goes with it.
_SURROUNDINGS = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TERM", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR",
)  # fmt: skip
#: How long a viewer has to leave once it is told to.
_PATIENCE_SECONDS = 5.0


def to_output(pieces: Iterable[bytes]) -> None:
    """
    Write to standard output; where the reader goes away, leave the stream so that nothing is tried again at the end.

    Raises:
        BrokenPipeError: Whoever read it has had enough.
    """
    try:
        sys.stdout.flush()
        for piece in pieces:
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def to_viewer(command: str) -> Consume:
    """
    Give what hands plaintext to the viewer that a command line names, and returns once it has ended.

    Raises:
        UsageError: It is no command line, or names no program here.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        raise UsageError("--viewer: quotes do not match.") from None
    program = shutil.which(words[0]) if words else None
    if program is None:
        raise UsageError("--viewer names no program here.", next_step="Give a program that reads standard input.")
    arguments = [os.path.abspath(program), *words[1:]]  # noqa: PTH100 (links stay as they are: some programs look at their name)

    def consume(pieces: Iterable[bytes]) -> None:
        _feed(arguments, pieces)

    return consume


def _feed(arguments: list[str], pieces: Iterable[bytes]) -> None:
    surroundings = {name: os.environ[name] for name in _SURROUNDINGS if name in os.environ}
    try:
        viewer = subprocess.Popen(  # noqa: S603 (the person's own program, no shell)
            arguments, stdin=subprocess.PIPE, env=surroundings, cwd="/"
        )
    except OSError as error:
        raise EnvironmentTroubleError(f"The viewer cannot be started: {error.strerror}.") from error
    entry = viewer.stdin
    try:
        if entry is not None:
            for piece in pieces:
                entry.write(piece)
                entry.flush()
            entry.close()
        code = viewer.wait()
    except BrokenPipeError:
        viewer.wait()
        raise
    except BaseException:  # nothing more is coming, and what came must not pass for the whole
        viewer.terminate()
        raise
    finally:
        _end(viewer)
    if code:
        raise EnvironmentTroubleError(f"The viewer ended with exit code {code}; what was seen is not taken as whole.")


def _end(viewer: subprocess.Popen[bytes]) -> None:
    if viewer.stdin is not None:
        with suppress(OSError):
            viewer.stdin.close()
    try:
        viewer.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        viewer.kill()
        viewer.wait()
