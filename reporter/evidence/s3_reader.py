"""An object of an S3-compatible service as a stream that goes on where a lost connection left off."""

from __future__ import annotations

import io
from typing import Any

from reporter.errors import EnvironmentTroubleError
from reporter.evidence.s3_client import trouble

#: Connections that may be lost without a byte read in between.
_LOSSES = 4
_READING = "The object store cannot be read"


class RemoteObject(io.RawIOBase):
    """The bytes of one object, always of the version that was opened."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client = client
        self._place = {"Bucket": bucket, "Key": key}
        answer = client.get_object(**self._place)
        self._body = answer["Body"]
        self._size, self._offset, self._losses = int(answer["ContentLength"]), 0, 0
        # A resumed read must be of the very same object: another one would be a splice.
        self._same = {"IfMatch": answer["ETag"]}

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """
        Read into ``buffer``; 0 only at the end of the object.

        Raises:
            EnvironmentTroubleError: The service does not give it, or gives another object by now.

        """
        from botocore.exceptions import BotoCoreError
        from urllib3.exceptions import HTTPError

        while self._offset < self._size and len(buffer):
            try:
                piece = self._body.read(min(len(buffer), self._size - self._offset))
            except (BotoCoreError, HTTPError, OSError):
                piece = b""
            if piece:
                buffer[: len(piece)] = piece
                self._offset, self._losses = self._offset + len(piece), 0
                return len(piece)
            self._resume()
        return 0

    def _resume(self) -> None:
        self._losses += 1
        if self._losses > _LOSSES:
            raise EnvironmentTroubleError(f"{_READING}: the connection is lost again and again.")
        self._body.close()
        with trouble(_READING):
            answer = self._client.get_object(**self._place, **self._same, Range=f"bytes={self._offset}-")
        self._body = answer["Body"]

    def close(self) -> None:
        """Let go of the connection."""
        if not self.closed:
            self._body.close()
        super().close()
