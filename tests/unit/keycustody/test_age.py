import io
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from keycustody import bech32
from keycustody.age import CHUNK, Identity, decrypt, encrypt
from keycustody.errors import SealError

SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7]

needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="the program `age` is not installed")


def sealed(plaintext: bytes, identity: Identity) -> bytes:
    return b"".join(encrypt([plaintext], identity.recipient))


def opened(file: bytes, identity: Identity) -> bytes:
    return b"".join(decrypt(io.BytesIO(file), identity))


@pytest.mark.parametrize("size", SIZES)
def test_round_trip_whatever_the_pieces_it_comes_in(size: int) -> None:
    identity, plaintext = Identity.generate(), os.urandom(size)
    cuts = sorted(random.Random(size).choices(range(size + 1), k=9))
    pieces = [plaintext[a:b] for a, b in zip([0, *cuts], [*cuts, size], strict=True)]
    assert opened(b"".join(encrypt(pieces, identity.recipient)), identity) == plaintext


@pytest.mark.parametrize("size", SIZES)
def test_pyrage_opens_ours_and_we_open_its(size: int) -> None:
    identity, plaintext = Identity.generate(), os.urandom(size)
    theirs = pyrage.x25519.Identity.from_str(identity.text)
    assert str(theirs.to_public()) == identity.recipient
    assert pyrage.decrypt(sealed(plaintext, identity), [theirs]) == plaintext
    assert opened(pyrage.encrypt(plaintext, [theirs.to_public()]), identity) == plaintext


@needs_age
@pytest.mark.parametrize("size", SIZES)
def test_stock_age_opens_ours_and_we_open_its(size: int, tmp_path: Path) -> None:
    identity, plaintext = Identity.generate(), os.urandom(size)
    key = tmp_path / "key"
    key.write_text(identity.text + "\n")
    theirs = subprocess.run(
        ["age", "-d", "-i", key], input=sealed(plaintext, identity), capture_output=True, check=True
    )
    assert theirs.stdout == plaintext
    ours = subprocess.run(["age", "-r", identity.recipient], input=plaintext, capture_output=True, check=True)
    assert opened(ours.stdout, identity) == plaintext


def test_one_of_several_recipients_is_enough() -> None:
    identity = Identity.generate()
    others = [pyrage.x25519.Identity.generate().to_public() for _ in range(3)]
    mine = pyrage.x25519.Recipient.from_str(identity.recipient)
    assert opened(pyrage.encrypt(b"harmless", [*others, mine]), identity) == b"harmless"


def test_another_identity_is_refused() -> None:
    with pytest.raises(SealError, match="not sealed to this identity"):
        opened(sealed(b"harmless", Identity.generate()), Identity.generate())


@pytest.mark.parametrize("size", [0, 10, CHUNK, 2 * CHUNK, 2 * CHUNK + 9])
def test_cut_anywhere_raises_before_the_iteration_ends(size: int) -> None:
    identity = Identity.generate()
    whole = sealed(os.urandom(size), identity)
    header = whole.index(b"\n", whole.index(b"---")) + 1 + 16
    boundaries = range(header, len(whole), CHUNK + 16)
    for length in {0, 1, header - 20, header - 1, len(whole) - 1, len(whole) - 16, *boundaries}:
        with pytest.raises(SealError):
            opened(whole[:length], identity)


def test_every_flipped_bit_of_a_small_file_raises() -> None:
    identity = Identity.generate()
    whole = sealed(b"harmless", identity)
    for place in range(len(whole)):
        with pytest.raises(SealError):
            opened(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :], identity)


def test_moved_repeated_or_added_chunks_raise() -> None:
    identity = Identity.generate()
    whole = sealed(os.urandom(3 * CHUNK), identity)
    start = len(whole) - 3 * (CHUNK + 16)
    head, chunks = whole[:start], [whole[at : at + CHUNK + 16] for at in range(start, len(whole), CHUNK + 16)]
    for order in ([1, 0, 2], [0, 2], [0, 1, 1, 2], [0, 1, 2, 2], [2]):
        with pytest.raises(SealError):
            opened(head + b"".join(chunks[number] for number in order), identity)
    with pytest.raises(SealError):
        opened(whole + b"\0", identity)


def test_nothing_of_an_altered_last_chunk_is_given() -> None:
    identity, plaintext = Identity.generate(), os.urandom(2 * CHUNK)
    whole = sealed(plaintext, identity)
    pieces = decrypt(io.BytesIO(whole[:-1]), identity)
    assert next(pieces) == plaintext[:CHUNK]
    with pytest.raises(SealError):
        next(pieces)


@pytest.mark.parametrize(
    "header",
    [
        b"age-encryption.org/v1\n" + b"-> X25519 " + b"A" * 100_000 + b"\n",
        b"age-encryption.org/v1\n" + b"-> a\n\n" * 100_000,
        b"age-encryption.org/v1\n" + b"-> a\n" + (b"A" * 64 + b"\n") * 10_000,
        b"age-encryption.org/v1\n-> X25519 \xff\n",
        b"age-encryption.org/v1\n-> X25519 AAAA\n\xc3\xa4\n",
        b"age-encryption.org/v1\n",
        b"age-encryption.org/v2\n",
        b"-----BEGIN AGE ENCRYPTED FILE-----\n",
    ],
    ids=["long line", "many stanzas", "long body", "not ascii", "body not ascii", "nothing else", "v2", "armour"],
)
def test_malformed_and_oversized_headers_raise(header: bytes) -> None:
    with pytest.raises(SealError):
        opened(header, Identity.generate())


def test_sealing_holds_a_few_chunks_only() -> None:
    drawn = 0

    def source() -> Iterator[bytes]:
        nonlocal drawn
        for _ in range(8):
            drawn += 1
            yield bytes(CHUNK)

    identity = Identity.generate()
    given = 0
    for number, _ in enumerate(encrypt(source(), identity.recipient)):
        given = number
        assert drawn <= given + 2
    assert given == 8


@pytest.mark.parametrize(
    "text",
    ["", "AGE-SECRET-KEY-1", "AGE-SECRET-KEY-1QQQQ", "age1qqqq", "AGE-SECRET-KEY-1\N{LATIN SMALL LETTER DOTLESS I}"],
)
def test_a_text_that_is_no_identity_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(SealError) as refusal:
        Identity.parse(text)
    assert not text or text not in str(refusal.value)


def test_a_mistyped_identity_is_refused() -> None:
    text = Identity.generate().text
    wrong = text[:-1] + ("Q" if text[-1] != "Q" else "P")
    for other in (wrong, text[:30] + text[31:], text[:20] + text[20:].lower()):
        with pytest.raises(SealError):
            Identity.parse(other)
    assert Identity.parse(text).text == text
    assert Identity.parse(text.lower()).text == text


def test_a_recipient_that_is_none_is_refused() -> None:
    for recipient in ("age1nothing", Identity.generate().text, bech32.encode("age", bytes(32))):
        with pytest.raises(SealError):
            list(encrypt([b"harmless"], recipient))


def test_an_identity_does_not_show_itself() -> None:
    identity = Identity.generate()
    assert identity.text[15:] not in repr(identity)
    assert "X25519" not in repr(identity)
