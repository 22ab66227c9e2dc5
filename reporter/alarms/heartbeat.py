"""The dead-man signal: as long as it comes, a worker gets on with its work. A monitor alarms when it stays away."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reporter.alarms.wire import Way
from reporter.errors import EnvironmentTroubleError

#: A URL is called at most this often.
_URL_EVERY = timedelta(minutes=1)


class Heartbeat:
    """Writes a file and calls a URL, whichever is configured."""

    def __init__(self, file: Path | None, url: Callable[[], str] | None, way: Way) -> None:
        self._file, self._url, self._way = file, url, way
        self._called_at: datetime | None = None

    def beat(self, at: datetime, data: Mapping[str, Any]) -> None:
        """
        Give the signal.

        Raises:
            EnvironmentTroubleError: The file cannot be written, or the URL did not take it.
        """
        data = {"at": at.isoformat(), **data}
        if self._file is not None:
            _replace(self._file, json.dumps(data) + "\n")
        if self._url is not None and (self._called_at is None or at - self._called_at >= _URL_EVERY):
            self._called_at = at
            try:
                self._way.post(self._url(), data)
            except EnvironmentTroubleError as error:
                raise EnvironmentTroubleError(f"alarm.heartbeat_url: {error.message}.") from None


def _replace(file: Path, text: str) -> None:
    """Write a file so that no reader ever sees half of it."""
    try:
        handle, partial = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
        try:
            with os.fdopen(handle, "w") as stream:
                os.fchmod(stream.fileno(), 0o644)  # a monitor is another user, and reads times only
                stream.write(text)
            Path(partial).replace(file)
        except OSError:
            Path(partial).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise EnvironmentTroubleError(f"alarm.heartbeat_file cannot be written: {error.strerror}.") from None
