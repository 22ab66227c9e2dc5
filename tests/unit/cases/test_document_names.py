"""An error names the document that was handed in: a demand is no case document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reporter.cases import intake, reader
from reporter.cases.document import parse_kept
from reporter.errors import DocumentError
from reporter.referrals import document as referrals
from reporter.retention import demands

MALFORMED = [b"{", b"\xff", b"[" * 100, b"[" * 100_000, b" " * (reader.MAX_BYTES + 1), b"[" + b"1," * 250_000 + b"1]"]


@pytest.mark.parametrize(
    ("read", "name"), [(parse_kept, "case document"), (referrals.parse, "referral"), (demands.read, "demand")]
)
@pytest.mark.parametrize("data", MALFORMED, ids=["cut", "bytes", "deep", "too deep", "large", "many"])
def test_it_is_named(read: Callable[[bytes], object], name: str, data: bytes) -> None:
    with pytest.raises(DocumentError) as caught:
        read(data)
    message = caught.value.diagnostics()
    assert message.startswith(f"The {name} ")
    assert name == "case document" or "case" not in message


def test_a_file_that_is_too_large_is_named(tmp_path: Path) -> None:
    file = tmp_path / "demand.json"
    file.write_bytes(b" " * (reader.MAX_BYTES + 1))
    with pytest.raises(DocumentError, match=r"^The demand has 16,777,217 bytes; at most 16,777,216 are taken\.$"):
        intake.read_file(file, "demand")
