"""
Time-stamps on checkpoints (RFC 3161): a third party says that a checkpoint existed at a time.

Needs the extra ``timestamp``. Nothing but the checkpoint's SHA-256 reaches the authority.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from cryptography.x509 import Certificate, load_pem_x509_certificates

from reporter.audit import openssl_stamps
from reporter.errors import ConfigurationError, CustodyError

#: RFC 3161, section 3.4.
_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"
#: Posts a body of a media type to a URL, and gives the answer's body if it has the other media type.
Exchange = Callable[[str, bytes, str, str], bytes]


class TimestampAuthority:
    """One authority that is asked, and the roots it is believed by."""

    def __init__(self, url: str, roots: Path, exchange: Exchange) -> None:
        self._url, self._roots, self._exchange = url, roots, exchange

    def stamp(self, message: bytes) -> bytes:
        """
        Ask for a time-stamp, and give the authority's answer once it has been verified.

        Raises:
            ConfigurationError: The extra is not installed, or the roots cannot be read.
            EnvironmentTroubleError: The authority cannot be reached.
            CustodyError: Its answer does not hold.
        """
        rfc3161 = _library()
        request = (
            rfc3161.TimestampRequestBuilder()
            .data(message)
            .hash_algorithm(rfc3161.HashAlgorithm.SHA256)
            .nonce(nonce=True)
            .build()
        )
        answer = self._exchange(self._url, request.as_bytes(), _QUERY, _REPLY)
        self.verify(answer, message, request=request)
        return answer

    def verify(self, answer: bytes, message: bytes, *, request: Any = None) -> datetime:
        """
        Give the time at which ``message`` existed, by an answer (to ``request``) that one of the roots vouches for.

        What the library cannot read, such as an answer with unsorted extra certificates, the program openssl decides.

        Raises:
            ConfigurationError: The extra is not installed, or the roots cannot be read.
            CustodyError: The answer does not hold.
            EnvironmentTroubleError: It takes openssl, which is not installed.
        """
        rfc3161 = _library()
        builder = rfc3161.VerifierBuilder(roots=self._trusted(), nonce=request.nonce if request else None)
        try:
            response = rfc3161.decode_timestamp_response(answer)
        except ValueError:
            query = request.as_bytes() if request else None
            return openssl_stamps.verify(answer, message, self._roots, query=query)
        try:
            builder.build().verify_message(response, message)
        except (rfc3161.VerificationError, ValueError):
            raise CustodyError("The time-stamp does not hold.") from None
        at: datetime = response.tst_info.gen_time
        return at

    def _trusted(self) -> list[Certificate]:
        try:
            return list(load_pem_x509_certificates(self._roots.read_bytes()))
        except (OSError, ValueError):
            raise ConfigurationError("audit.timestamp_roots cannot be read as PEM certificates.") from None


def _library() -> ModuleType:
    try:
        import rfc3161_client
    except ModuleNotFoundError:
        raise ConfigurationError(
            "Time-stamps need their library.", next_step="Install it with: pip install 'reporter[timestamp]'"
        ) from None
    return rfc3161_client
