"""Every refusal of a file, and that it leaves nothing behind."""

import os
import resource
import socket
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from keycustody.cases import CaseKeys
from keycustody.errors import StorageError
from keycustody.store import FolderKeyStore
from keycustody.wraps import Wrap
from reporter.errors import DocumentError, EnvironmentTroubleError
from reporter.evidence import source
from reporter.evidence.objects import LocalObjectStore
from reporter.evidence.vault import EvidenceVault, Plain

MARKER = b"SYNTHETIC HARMLESS MARKER "
CASE = "TS-2026-000101"
DIGEST = sha256(MARKER).hexdigest()


def refused(house, name: str, rule: str, *, digest: str = DIGEST, field: str = "path") -> DocumentError:
    with pytest.raises(DocumentError) as refusal:
        house.seal(name, digest=digest)
    (finding,) = refusal.value.findings
    assert (finding.path, finding.rule) == (f"evidence[0].{field}", rule)
    assert house.contents() == {}
    return refusal.value


def test_missing_file(house) -> None:
    for name in ("nothing", "no/folder/nothing", "x" * 300, "x/" * 3000 + "x"):
        refused(house, name, "missing")


def test_names_that_name_nothing(house) -> None:
    for name in ("", ".", "./", "a\0b", "half\ud800"):
        refused(house, name, "missing")


def test_path_that_leaves_the_folder(house, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(MARKER)
    house.write("a/f", MARKER)
    for name in ("../secret", "a/../../secret", "a/../a/f", "..", str(tmp_path / "secret"), "//etc/hostname", "/"):
        refused(house, name, "inside")


def test_symbolic_link_anywhere_along_the_path(house, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_bytes(MARKER)
    house.write("real/f", MARKER)
    (house.folder / "link").symlink_to(outside / "f")
    (house.folder / "inner").symlink_to(house.folder / "real" / "f")
    (house.folder / "folder").symlink_to(outside)
    (house.folder / "real" / "deep").symlink_to(outside)
    (house.folder / "dangling").symlink_to(tmp_path / "nothing")
    (house.folder / "loop").symlink_to(house.folder / "loop")
    for name in ("link", "inner", "folder/f", "real/deep/f", "dangling", "loop", "loop/f"):
        refused(house, name, "inside")


def test_the_case_folder_itself_may_be_reached_by_a_link(house, tmp_path: Path) -> None:
    house.write("f", MARKER)
    (tmp_path / "alias").symlink_to(house.folder)
    house.vault.seal_all(
        CASE, [Plain("file-1", "f", DIGEST, "evidence[0]")], folder=tmp_path / "alias", digests=frozenset()
    )


def test_what_is_no_regular_file(house) -> None:
    os.mkfifo(house.folder / "fifo")
    (house.folder / "folder").mkdir()
    house.write("file", MARKER)
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(house.folder)  # a socket's path may be 108 bytes long
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
        for name in ("fifo", "folder", "socket"):
            refused(house, name, "regular")
    refused(house, "file/f", "inside")


def test_empty_file(house) -> None:
    house.write("f", b"")
    error = refused(house, "f", "empty", digest=sha256(b"").hexdigest())
    assert "is empty (0 bytes)" in error.diagnostics()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_file_that_may_not_be_read(house) -> None:
    house.write("f", MARKER).chmod(0)
    refused(house, "f", "readable")


def test_digest_that_differs(house) -> None:
    house.write("f", MARKER * 200_000)
    refused(house, "f", "sha256", field="sha256")


def test_errors_never_repeat_the_name_or_the_content(house) -> None:
    house.write("a-name-of-somebody", MARKER)
    for name in ("a-name-of-somebody", "a-name-of-somebody-else"):
        with pytest.raises(DocumentError) as refusal:
            house.seal(name, digest="0" * 64)
        assert "somebody" not in refusal.value.diagnostics()


@pytest.mark.parametrize("change", ["append", "truncate", "rewrite", "replace", "remove"])
def test_file_that_changes_while_it_is_read(house, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = MARKER * 200_000
    path = house.write("f", content)
    read = os.read
    changes = {
        "append": lambda: path.write_bytes(content + b"more"),
        "truncate": lambda: os.truncate(path, 10),
        "rewrite": lambda: os.utime(path, ns=(1, 1)),
        "replace": lambda: house.write("g", content).replace(path),
        "remove": path.unlink,
    }
    waiting = [changes[change]]

    def reading(descriptor: int, size: int) -> bytes:
        block = read(descriptor, size)
        if waiting and len(block) == size:
            waiting.pop()()
        return block

    monkeypatch.setattr(source.os, "read", reading)
    digest = sha256(content).hexdigest()
    refused(house, "f", "unchanged", digest=digest)
    assert not waiting


def test_file_that_never_stops_growing(house, monkeypatch: pytest.MonkeyPatch) -> None:
    house.write("f", MARKER)
    monkeypatch.setattr(source.os, "read", lambda descriptor, size: b"x" * size)
    refused(house, "f", "unchanged")


def test_source_disk_that_fails(house, monkeypatch: pytest.MonkeyPatch) -> None:
    house.write("f", MARKER)

    def failing(descriptor: int, size: int) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(source.os, "read", failing)
    with pytest.raises(EnvironmentTroubleError, match=r"evidence\[0\]"):
        house.seal("f")
    assert house.contents() == {}


def test_disk_full_in_the_middle_of_an_object(house) -> None:
    content = MARKER * 200_000
    house.write("f", content)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(EnvironmentTroubleError, match="object store"):
            house.seal("f")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert house.contents() == {}
    house.vault.verify(house.seal("f"))


@pytest.mark.parametrize("fits", [0, 1, 2])
def test_disk_full_for_the_keys(house, fits: int) -> None:
    class FullKeyStore(FolderKeyStore):
        def put(self, key_id: str, wrap: Wrap) -> None:
            if len(list(self.folder.iterdir())) >= fits:
                raise StorageError("The key store cannot be written: No space left on device.")
            super().put(key_id, wrap)

    house.write("f", MARKER)
    keys = CaseKeys(house.keys._provider, FullKeyStore(house.home / "keystore"))
    vault = EvidenceVault(keys, house.objects, house.vault.clock)
    plain = [Plain(f"file-{number}", "f", DIGEST, f"evidence[{number}]") for number in range(2)]
    with pytest.raises(EnvironmentTroubleError, match="No space left"):
        vault.seal_all(CASE, plain, folder=house.folder, digests=frozenset())
    assert house.contents() == {}


def test_one_refused_file_refuses_all_and_every_one_is_named(house) -> None:
    house.write("good", MARKER)
    house.write("empty", b"")
    names = ["good", "empty", "good", "../good", "nothing"]
    plain = [Plain(f"file-{number}", name, DIGEST, f"evidence[{number}]") for number, name in enumerate(names)]
    with pytest.raises(DocumentError) as refusal:
        house.vault.seal_all(CASE, plain, folder=house.folder, digests=frozenset())
    assert [finding.path for finding in refusal.value.findings] == [f"evidence[{number}].path" for number in (1, 3, 4)]
    assert list((house.home / "keystore").iterdir()) == list((house.home / "objects").iterdir()) == []


def test_interruption_in_the_middle(house) -> None:
    class Interrupted(LocalObjectStore):
        def put(self, key: str, pieces: Iterable[bytes]) -> None:
            def cut() -> Iterator[bytes]:
                yield next(iter(pieces))
                raise KeyboardInterrupt

            super().put(key, cut())

    house.write("f", MARKER)
    with pytest.raises(KeyboardInterrupt):
        house.with_objects(Interrupted(house.home / "objects")).seal("f")
    assert house.contents() == {}


def test_descriptors_are_closed_whatever_happens(house) -> None:
    def open_now() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    house.write("a/b/f", MARKER)
    os.mkfifo(house.folder / "a" / "fifo")
    sealed = house.seal("a/b/f")
    before = open_now()
    for name in ("a/b/nothing", "a/fifo", "a/b/f"):
        with pytest.raises(DocumentError):
            house.seal(name, digest="0" * 64)
    stream = iter(house.vault.open(sealed))
    next(stream)
    del stream
    assert open_now() == before
