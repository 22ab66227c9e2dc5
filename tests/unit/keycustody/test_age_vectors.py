"""The public age test vectors (tests/data/age) against our reader."""

import hashlib
import io
import zlib
from pathlib import Path

import pytest

from keycustody.age import Identity, decrypt
from keycustody.errors import SealError

VECTORS = sorted(path for path in (Path(__file__).parents[2] / "data" / "age").iterdir() if path.suffix != ".md")


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.name)
def test_reader_agrees_with_the_vector(path: Path) -> None:
    head, _, body = path.read_bytes().partition(b"\n\n")
    about = dict(line.split(": ", 1) for line in head.decode().splitlines())
    if about.get("compressed") == "zlib":
        body = zlib.decompress(body)
    identity = Identity.parse(about["identity"]) if "identity" in about else Identity.generate()
    pieces = decrypt(io.BytesIO(body), identity)
    if about["expect"] == "success":
        assert hashlib.sha256(b"".join(pieces)).hexdigest() == about["payload"]
    else:
        with pytest.raises(SealError):
            list(pieces)


def test_the_vectors_are_there() -> None:
    assert len(VECTORS) > 50
