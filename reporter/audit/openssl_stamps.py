"""Time-stamps by the program openssl (``openssl ts``), which reads answers that a strict reader of DER refuses."""

from __future__ import annotations

import re
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from reporter.errors import CustodyError, EnvironmentTroubleError

_TIME = re.compile(r"^Time stamp: (\w{3} +\d+ [\d:]{8})(?:\.\d+)? (\d{4}) GMT$", re.MULTILINE)
#: What is asked of openssl is done in milliseconds; seconds.
_PATIENCE = 30


def verify(answer: bytes, message: bytes, roots: Path, *, query: bytes | None = None) -> datetime:
    """
    Give the time at which ``message`` existed, by an answer (to ``query``) that a certificate in ``roots`` vouches for.

    Raises:
        CustodyError: The answer does not hold.
        EnvironmentTroubleError: openssl is not installed, or does not end.
    """
    with tempfile.TemporaryDirectory() as folder:
        token, data, asked = Path(folder, "token"), Path(folder, "data"), Path(folder, "query")
        token.write_bytes(answer)
        data.write_bytes(message)
        _openssl("-verify", "-in", token, "-data", data, "-CAfile", roots.absolute())
        if query is not None:  # which holds the nonce
            asked.write_bytes(query)
            _openssl("-verify", "-in", token, "-queryfile", asked, "-CAfile", roots.absolute())
        return _time_in(_openssl("-reply", "-in", token, "-text"))


def _time_in(text: str) -> datetime:
    found = _TIME.search(text)
    if found is None:
        raise CustodyError("The time-stamp does not hold.")
    return datetime.strptime(f"{found[1]} {found[2]}", "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)


def _openssl(*arguments: str | Path) -> str:
    try:
        ended = subprocess.run(  # noqa: S603
            ["openssl", "ts", *map(str, arguments)],  # noqa: S607
            capture_output=True, timeout=_PATIENCE, check=False, text=True, errors="replace",
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        raise EnvironmentTroubleError("The program openssl is needed for this, and does not run.") from None
    if ended.returncode:
        raise CustodyError("The time-stamp does not hold.")
    return ended.stdout
