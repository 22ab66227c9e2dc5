"""A case folder out of a hostile archive, a device in it, a disk that fills up: refused, and nothing is left."""

import hashlib
import json
import os
import resource
import stat
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

from reporter.testing.documents import case_document, write_case
from tests.e2e.support import MARKER, Home, Run

REFERENCE = "TEST-000001"
LARGE = 12 << 20


def naming(*paths: str) -> str:
    items = [
        {"id": f"e{number}", "path": path, "sha256": hashlib.sha256(MARKER.encode()).hexdigest(), "kind": "text"}
        for number, path in enumerate(paths)
    ]
    return json.dumps(case_document(REFERENCE, evidence=items))


def unpack(archive: Path, folder: Path) -> None:
    """Unpack as `unzip` does, links as links."""
    with zipfile.ZipFile(archive) as file:
        for entry in file.infolist():
            target = folder / entry.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            if stat.S_ISLNK(entry.external_attr >> 16):
                target.symlink_to(file.read(entry).decode())
            else:
                target.write_bytes(file.read(entry))


def test_an_archive_of_links(reporter: Run, home: Home, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "e").write_text(MARKER)
    links = {
        "absolute": str(tmp_path / "outside" / "e"),
        "upwards": "../outside/e",
        "folder": "../outside",
        "itself": "itself",
        "keys": str(home.folder / "keys"),
        "device": "/dev/zero",
        "process": "/proc/self/environ",
    }
    with zipfile.ZipFile(tmp_path / "case.zip", "w") as archive:
        archive.writestr("case.json", naming(*links, "folder/e"))
        for name, target in links.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(entry, target)
    unpack(tmp_path / "case.zip", tmp_path / "case")
    kept = home.listing()
    ran = reporter("case", "add", tmp_path / "case", "--remove-source")
    assert ran.code == 1
    for number in range(len(links)):
        assert f"evidence[{number}].path: is a symbolic link; symbolic links are not followed" in ran.err
    assert f"evidence[{len(links)}].path: leads through something that is not a plain folder" in ran.err
    assert home.listing() == kept
    assert (tmp_path / "outside" / "e").read_text() == MARKER


def test_a_farm_of_links(reporter: Run, home: Home, tmp_path: Path) -> None:
    """Thousands of links, chains of them and folders within each other: each is refused, and none is walked along."""
    secret, case, farm = tmp_path / "secret", tmp_path / "case", 2_000
    secret.write_text(MARKER)
    with tarfile.open(tmp_path / "case.tar", "w") as archive:
        for number in range(farm):
            link = tarfile.TarInfo(f"e{number}")
            link.type, link.linkname = tarfile.SYMTYPE, str(secret) if number == 0 else f"e{number - 1}"
            archive.addfile(link)
        round_about = tarfile.TarInfo("around")
        round_about.type, round_about.linkname = tarfile.SYMTYPE, "."
        archive.addfile(round_about)
    with tarfile.open(tmp_path / "case.tar") as archive:
        archive.extractall(case, filter="fully_trusted")
    paths = [*(f"e{number}" for number in range(farm)), "/".join(["around"] * 200 + ["e0"])]
    (case / "case.json").write_text(naming(*paths))
    kept = home.listing()
    ran = reporter("case", "add", case, "--remove-source")
    assert ran.code == 1
    assert ran.err.count("symbolic links are not followed") == farm + 1
    assert home.listing() == kept
    assert secret.read_text() == MARKER


def test_an_archive_that_was_not_unpacked(reporter: Run, home: Home, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "case.zip", "w") as archive:
        archive.writestr("case.json", naming("e"))
    kept = home.listing()
    ran = reporter("case", "add", tmp_path / "case.zip")
    assert ran.code == 1
    assert "refused" in ran.err
    assert home.listing() == kept


def test_a_device_in_the_folder(reporter: Run, home: Home, tmp_path: Path) -> None:
    case = write_case(tmp_path / "cases")
    (case / "case.json").write_text(naming("e"))
    with suppress(PermissionError):  # only root may make one; without it the file is missing, and refused as well
        os.mknod(case / "e", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    kept = home.listing()
    ran = reporter("case", "add", case)
    assert ran.code == 1
    assert "evidence[0].path: is not a regular file" in ran.err or "names no file" in ran.err
    assert home.listing() == kept


def test_a_disk_that_fills_while_a_case_is_sealed(spawn: Run, home: Home, tmp_path: Path) -> None:
    files = {"e1": b"harmless", "e2": os.urandom(LARGE), "e3": b"harmless too"}
    case = write_case(tmp_path / "cases", files=files)
    kept = home.listing()

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGE // 2, LARGE // 2))

    ran = spawn("case", "add", case, "--as", "ann", "--remove-source", preexec_fn=fill)
    assert ran.code == 4
    assert ran.err.count("\n") <= 2
    assert "The object store cannot be written: File too large." in ran.err
    assert home.listing().keys() - kept.keys() <= {f"keystore/case-{REFERENCE}"}
    assert len([path for path in case.rglob("*") if path.is_file()]) == 4
    assert spawn("case", "add", case, "--as", "ann").code == 0
