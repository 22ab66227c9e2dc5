"""Secrets in memory."""

from __future__ import annotations

from typing import NoReturn


class Redacted:
    """A secret that says nothing of itself, printed, serialised, pickled or copied; only ``reveal`` gives it."""

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def reveal(self) -> str:
        """Give the secret."""
        return self._secret

    def __repr__(self) -> str:
        return "Redacted()"

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret is neither pickled nor copied")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is neither pickled nor copied")
