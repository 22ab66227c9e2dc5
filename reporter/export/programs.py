"""An outside program as a filter: what it is given goes in by a pipe, and what it makes comes out as a stream."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from reporter.errors import EnvironmentTroubleError

_PIECE: Final = 1 << 20
#: How long a short question to a program may take; seconds.
_PATIENCE: Final = 60


def through(command: Sequence[str | Path], pieces: Iterator[bytes]) -> Iterator[bytes]:
    """
    Give what a program makes of ``pieces``; it has succeeded once the iteration ends.

    Nothing that it says is passed on: it may name people. An error of ``pieces`` kills it, and is passed on.

    Raises:
        EnvironmentTroubleError: It is not installed, or fails.
    """
    with _started(command, subprocess.PIPE) as process:
        assert process.stdin and process.stdout  # noqa: S101 (both are pipes)
        feeder = _Feeder(process, process.stdin, pieces)
        feeder.start()
        try:
            while piece := process.stdout.read(_PIECE):
                yield piece
        except BaseException:
            process.kill()
            raise
        finally:
            feeder.join()
        if feeder.error is not None:
            raise feeder.error
        if process.wait():
            raise EnvironmentTroubleError(f"The program {command[0]} failed (exit code {process.returncode}).")


def answer(command: Sequence[str | Path], given: bytes = b"") -> tuple[int, str]:
    """
    Give the exit code and the output of a program that is asked something short.

    Raises:
        EnvironmentTroubleError: It is not installed, or does not end.
    """
    with _started(command, subprocess.PIPE) as process:
        try:
            out, _ = process.communicate(given, _PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise EnvironmentTroubleError(f"The program {command[0]} does not end.") from None
    return process.returncode, out.decode(errors="replace")


class _Feeder(threading.Thread):
    """Writes to a program while somebody else reads from it; ``error`` is why it stopped before the end."""

    def __init__(self, process: subprocess.Popen[bytes], into: IO[bytes], pieces: Iterator[bytes]) -> None:
        super().__init__(name="feeder", daemon=True)
        self._process, self._into, self._pieces = process, into, pieces
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            for piece in self._pieces:
                self._into.write(piece)
            self._into.flush()
        except BrokenPipeError:
            pass  # it ended by itself, and its exit code says how
        except BaseException as error:
            self.error = error
            self._process.kill()  # before its input ends, lest it take a part for the whole
        finally:
            close = getattr(self._pieces, "close", None)
            with suppress(BaseException):
                close and close()
            with suppress(OSError):
                self._into.close()


def _started(command: Sequence[str | Path], pipe: int) -> subprocess.Popen[bytes]:
    surroundings = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    try:
        return subprocess.Popen(  # noqa: S603
            [str(part) for part in command], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=surroundings,
        )  # fmt: skip
    except OSError:
        raise EnvironmentTroubleError(
            f"The program {command[0]} is needed for this, and is not here.", next_step="Install it."
        ) from None
