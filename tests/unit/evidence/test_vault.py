import hashlib
import io
import os
import shutil
import stat
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from keycustody.age import CHUNK
from reporter.errors import CustodyError, DocumentError, EnvironmentTroubleError
from reporter.evidence.objects import LocalObjectStore

CASE = "TS-2026-000101"
MARKER = b"SYNTHETIC HARMLESS MARKER "
NAMES = [
    "file-1.bin",
    "a/b/c.bin",
    "./a//b.bin",
    "-rf",
    "two\nlines",
    "spaced name",
    "ünïcode",
    "a\\b",
    "*",
    "~",
    "...",
]


@pytest.mark.parametrize("name", NAMES)
def test_item_opens_to_the_bytes_that_were_handed_in(house, name: str) -> None:
    content = MARKER * 10_000
    house.write(name, content)
    sealed = house.seal(name, digests=frozenset({"md5", "sha1"}))
    assert b"".join(house.vault.open(sealed)) == content
    assert (sealed.reference, sealed.item, sealed.size) == (CASE, "file-1", len(content))
    assert sealed.sha256 == hashlib.sha256(content).hexdigest()
    assert sealed.md5 == hashlib.md5(content).hexdigest()
    assert sealed.sha1 == hashlib.sha1(content).hexdigest()
    house.vault.verify(sealed)


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 1024 * 1024, 3 * 1024 * 1024 + 5])
def test_every_size_comes_back_whole_and_can_be_read_twice(house, size: int) -> None:
    content = os.urandom(size)
    house.write("f", content)
    stream = house.vault.open(house.seal("f"))
    assert b"".join(stream) == content
    assert b"".join(stream) == content
    assert all(stream), "an empty piece would end a chunked upload"


def test_digests_that_nobody_asks_for_are_not_taken(house) -> None:
    house.write("f", MARKER)
    sealed = house.seal("f", digests=frozenset())
    assert (sealed.md5, sealed.sha1) == (None, None)
    house.vault.verify(sealed)


def test_no_plaintext_anywhere_in_the_home(house) -> None:
    house.write("f", MARKER * 100_000)
    sealed = house.seal("f")
    identity = house.keys.identity(CASE, sealed.id, sealed.ciphertext_sha256)
    contents = house.contents()
    assert sorted(contents) == [f"keystore/item-{sealed.id}", f"objects/{sealed.id}"]
    for content in contents.values():
        assert MARKER not in content
        assert identity.encode() not in content


def test_sealed_files_are_private(house) -> None:
    house.write("f", MARKER)
    house.seal("f")
    for path in house.home.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_the_same_file_never_seals_the_same(house) -> None:
    house.write("f", MARKER)
    first, second = house.seal("f"), house.seal("f")
    assert first.id != second.id
    assert first.ciphertext_sha256 != second.ciphertext_sha256
    house.vault.verify(first)
    house.vault.verify(second)


@pytest.mark.skipif(shutil.which("age") is None, reason="the program `age` is not installed")
def test_stock_age_opens_an_item_with_its_unwrapped_identity(house, tmp_path: Path) -> None:
    content = os.urandom(200_000)
    house.write("f", content)
    sealed = house.seal("f")
    key = tmp_path / "identity"
    key.write_text(house.keys.identity(CASE, sealed.id, sealed.ciphertext_sha256) + "\n")
    opened = subprocess.run(
        ["age", "--decrypt", "-i", key, house.home / "objects" / sealed.id], capture_output=True, check=True
    )
    assert opened.stdout == content


def test_discard_leaves_nothing_and_may_be_repeated(house) -> None:
    house.write("f", MARKER)
    sealed = house.seal("f")
    house.vault.discard(sealed)
    house.vault.discard(sealed)
    assert house.contents() == {}
    with pytest.raises(CustodyError):
        list(house.vault.open(sealed))


def damage_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "flipped bit": damage_byte,
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "cut at a chunk": lambda path: path.write_bytes(path.read_bytes()[: -(300_000 - 4 * CHUNK) - 16]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "emptied": lambda path: path.write_bytes(b""),
    "removed": Path.unlink,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_object_is_refused_before_its_last_byte_is_given(house, damage: str) -> None:
    content = os.urandom(300_000)
    house.write("f", content)
    sealed = house.seal("f")
    DAMAGES[damage](house.home / "objects" / sealed.id)
    given = b""
    with pytest.raises(CustodyError):
        for piece in house.vault.open(sealed):
            given += piece
    assert len(given) < len(content)
    assert content.startswith(given)
    with pytest.raises(CustodyError):
        house.vault.verify(sealed)


def test_disk_that_fails_while_an_item_is_read_is_trouble(house) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    class Failed(LocalObjectStore):
        def open(self, key: str) -> BinaryIO:
            with super().open(key) as file:
                return Failing(file.read())

    house.write("f", MARKER)
    sealed = house.seal("f")
    with pytest.raises(EnvironmentTroubleError, match="file-1 of case"):
        list(house.with_objects(Failed(house.home / "objects")).vault.open(sealed))


@pytest.mark.parametrize("damage", ["flipped bit", "cut short", "emptied", "removed"])
def test_damaged_wrap_is_refused(house, damage: str) -> None:
    house.write("f", MARKER)
    sealed = house.seal("f")
    DAMAGES[damage](house.home / "keystore" / f"item-{sealed.id}")
    with pytest.raises(CustodyError, match=f"file-1 of case {CASE}"):
        house.vault.verify(sealed)


@pytest.mark.parametrize("store", ["keystore/item-", "objects/"])
def test_swapped_wraps_and_objects_are_refused(house, store: str) -> None:
    house.write("f", MARKER)
    house.write("g", MARKER * 2)
    first, second = house.seal("f"), house.seal("g")
    (house.home / f"{store}{first.id}").write_bytes((house.home / f"{store}{second.id}").read_bytes())
    with pytest.raises(CustodyError):
        house.vault.verify(first)
    house.vault.verify(second)


@pytest.mark.parametrize(
    "lie",
    [
        {"sha256": "0" * 64},
        {"md5": "0" * 32},
        {"sha1": "0" * 40},
        {"size": 1},
        {"ciphertext_sha256": "0" * 64},
        {"reference": "TS-2026-000999"},
    ],
    ids=str,
)
def test_record_that_says_otherwise_does_not_verify(house, lie: dict[str, object]) -> None:
    house.write("f", MARKER)
    sealed = house.seal("f")
    with pytest.raises(CustodyError):
        house.vault.verify(replace(sealed, **lie))


def test_an_item_that_is_not_what_was_recorded_never_comes_out_whole(house) -> None:
    content = os.urandom(CHUNK * 2)
    house.write("f", content)
    sealed = replace(house.seal("f"), sha256="0" * 64)
    given = b""
    with pytest.raises(CustodyError):
        for piece in house.vault.open(sealed):
            given += piece
    assert given == content[:CHUNK]


def test_source_goes_once_the_seal_is_verified(house) -> None:
    path = house.write("a/f", MARKER)
    sealed = house.seal("a/f")
    house.vault.remove_source(sealed, folder=house.folder, path="a/f", where="evidence[0]")
    assert not path.exists()
    assert b"".join(house.vault.open(sealed)) == MARKER


def test_source_stays_when_the_seal_is_broken(house) -> None:
    path = house.write("f", MARKER)
    sealed = house.seal("f")
    damage_byte(house.home / "objects" / sealed.id)
    with pytest.raises(CustodyError):
        house.vault.remove_source(sealed, folder=house.folder, path="f", where="evidence[0]")
    assert path.read_bytes() == MARKER


def test_source_stays_when_it_is_another_file_by_now(house, tmp_path: Path) -> None:
    path = house.write("f", MARKER)
    sealed = house.seal("f")
    path.write_bytes(MARKER[::-1])
    with pytest.raises(DocumentError):
        house.vault.remove_source(sealed, folder=house.folder, path="f", where="evidence[0]")
    assert path.read_bytes() == MARKER[::-1]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(MARKER)
    path.unlink()
    path.symlink_to(elsewhere)
    with pytest.raises(DocumentError):
        house.vault.remove_source(sealed, folder=house.folder, path="f", where="evidence[0]")
    assert elsewhere.read_bytes() == MARKER
