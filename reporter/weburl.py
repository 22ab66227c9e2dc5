"""Which web addresses of reporter.toml may be used at all."""

from __future__ import annotations

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_acceptable(url: str) -> bool:
    """Whether anything may go to ``url``: https, or http to this machine, and no name or password in it."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
        fits = url.isascii() and url.isprintable() and " " not in url and parts.port != 0
    except ValueError:
        return False
    return bool(fits and parts.hostname and "@" not in parts.netloc and (parts.scheme == "https" or plain))


def _usable(url: str) -> str:
    if is_acceptable(url):
        return url
    raise ValueError("must be https:// (or http:// to this machine), without a password in it")


#: A key of a section that holds such an address.
WebUrl = Annotated[str, AfterValidator(_usable)]
