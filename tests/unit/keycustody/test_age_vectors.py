"""
The public age test vectors against our reader.

They are the Community Cryptography Test Vectors' `age/testdata`, which the npm package `cctv-age` carries; CI unpacks
them and names their folder in REPORTER_AGE_VECTORS. Those of X25519 recipients, the header and the payload concern us;
passphrases, armour and other recipients are not read here.
"""

import hashlib
import io
import os
import zlib
from pathlib import Path

import pytest

from keycustody.age import Identity, decrypt
from keycustody.errors import SealError

VARIABLE = "REPORTER_AGE_VECTORS"
FOLDER = os.environ.get(VARIABLE)
OTHERS = ("armor", "hybrid", "scrypt_")


def vectors() -> list[Path]:
    paths = sorted(Path(FOLDER).iterdir()) if FOLDER else []
    return [path for path in paths if not path.name.startswith(OTHERS) and path.name != "scrypt"]


@pytest.mark.parametrize("path", vectors() or [None], ids=lambda path: path.name if path else "none")
def test_reader_agrees_with_the_vector(path: Path | None) -> None:
    if path is None:
        pytest.skip(f"{VARIABLE} is not set")
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
    if not FOLDER:
        pytest.skip(f"{VARIABLE} is not set")
    assert len(vectors()) > 50
