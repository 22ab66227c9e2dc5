"""What is done to a bundle shows: to whoever runs VERIFY.txt, and to ``reporter verify``, which names it."""

import hashlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import bagit
import pytest

from reporter.errors import CustodyError
from reporter.export.gathering import Gathered, gather
from reporter.export.reading import files_of
from reporter.export.sealing import made
from reporter.export.verification import Verdict, verify
from tests.integration.export_authority import StampAuthority, serving
from tests.integration.export_office import Office


@dataclass(frozen=True)
class Stranger:
    """Somebody with a bundle, and with certificates from elsewhere."""

    bag: Path
    seal_ca: Path
    tsa_ca: Path
    tar: bytes = field(repr=False)

    def beside(self, suffix: str) -> Path:
        return self.bag.with_name(f"{self.bag.name}.{suffix}")

    def runs_verify_txt(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", f"{self.bag.name}/VERIFY.txt", self.bag.name, str(self.seal_ca), str(self.tsa_ca)],
            cwd=self.bag.parent, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def verifies(self, bundle: Path | None = None) -> Verdict:
        return verify(bundle or self.bag, seal_ca=self.seal_ca, tsa_ca=self.tsa_ca)

    def makes_lists_anew(self) -> None:
        """Write every list so that it fits the files again, as whoever tampers would."""
        for digest in ("sha256", "sha512"):
            for name, paths in (
                (f"manifest-{digest}.txt", self.bag.glob("data/**/*")),
                (f"tagmanifest-{digest}.txt", self.bag.rglob("*")),
            ):
                kept = sorted(
                    path.relative_to(self.bag).as_posix() for path in paths
                    if path.is_file() and not path.name.startswith("tagmanifest-")
                )  # fmt: skip
                if name.startswith("tag"):
                    kept = [path for path in kept if not path.startswith("data/")]
                lines = [f"{hashlib.new(digest, (self.bag / path).read_bytes()).hexdigest()}  {path}" for path in kept]
                (self.bag / name).write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    """Give a bundle of two items with seal and time-stamp, and another one beside it."""
    folder = tmp_path_factory.mktemp("office")
    office = Office(folder)
    with serving(StampAuthority(folder / "tsa")) as authority:
        authority.folder.mkdir()
        authority.make()
        office.stamped_by(authority.url, authority.root)
        written = office.write(office.approved(office.asked(content=["e1", "e2"], fields=["incident"])), "one")
        office.unpacked(office.write(office.approved(), "two"), "other")
    ca = folder / "ca.pem"
    ca.write_bytes(office.room.seal_key.sealer(office.house.clock.now()).certificates)
    tar = office.opened(written)
    (folder / "one.tar").write_bytes(tar)
    return Stranger(office.unpacked(written, "one.d"), ca, authority.root, tar)


@pytest.fixture
def stranger(good: Stranger, tmp_path: Path, program: Callable[[str], str]) -> Stranger:
    """Give somebody with a copy of the good bundle, which they may spoil."""
    program("openssl")
    shutil.copytree(good.bag.parent, tmp_path / "copy")
    return Stranger(tmp_path / "copy" / good.bag.name, good.seal_ca, good.tsa_ca, good.tar)


def test_a_good_bundle_holds_for_everybody(stranger: Stranger, good: Stranger, tmp_path: Path) -> None:
    ran = stranger.runs_verify_txt()
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("Time stamp: ")
    assert ran.stdout.endswith("\nALL-OK\n")
    assert bagit.Bag(str(stranger.bag)).validate()
    (tmp_path / "bundle.tar").write_bytes(stranger.tar)
    for bundle in (stranger.bag, tmp_path / "bundle.tar"):
        verdict = stranger.verifies(bundle)
        assert (verdict.holds, verdict.faults, verdict.doubts) == (True, (), ())
        assert (verdict.files, verdict.name) == (3, stranger.bag.name)
        assert verdict.stamped_at is not None
        assert verdict.entries > 10


def test_stock_tar_unpacks_it_to_the_same_files(stranger: Stranger, program: Callable[[str], str]) -> None:
    folder = stranger.bag.parent / "by-tar"
    folder.mkdir()
    subprocess.run([program("tar"), "-xf", "-", "-C", str(folder)], input=stranger.tar, check=True)
    assert stranger.verifies(folder / stranger.bag.name).holds


def test_whoever_has_no_certificate_from_elsewhere_is_left_in_doubt(stranger: Stranger) -> None:
    verdict = verify(stranger.bag)
    assert (verdict.holds, verdict.faults) == (False, ())
    assert len(verdict.doubts) == 2


# --- tampering ------------------------------------------------------------------------------------------------------


def changed_payload(stranger: Stranger) -> str:
    path = sorted((stranger.bag / "data/objects").iterdir())[0]
    path.write_bytes(b"X" + path.read_bytes()[1:])
    return f"data/objects/{path.name} is not what manifest-sha256.txt says"


def missing_payload(stranger: Stranger) -> str:
    path = sorted((stranger.bag / "data/objects").iterdir())[0]
    path.unlink()
    return f"data/objects/{path.name} is missing"


def extra_payload(stranger: Stranger) -> str:
    (stranger.bag / "data/objects/extra.bin").write_bytes(b"extra")
    return "data/objects/extra.bin is in no list"


def extra_link(stranger: Stranger) -> str:
    (stranger.bag / "data/objects/extra.bin").symlink_to("/etc/hostname")
    return "something that is no file"


def extra_tag_file(stranger: Stranger) -> str:
    (stranger.bag / "meta/note.txt").write_text("extra")
    return "meta/note.txt is in no list"


def made_lists_anew(stranger: Stranger) -> str:
    changed_payload(stranger)
    stranger.makes_lists_anew()
    return "The seal is not over this bundle"


def swapped_seal(stranger: Stranger) -> str:
    """Seal the bundle by a key of one's own, whose certificate says the same name."""
    made_lists_anew(stranger)
    from datetime import UTC, datetime

    sealer = made("Example Forum Ltd", datetime.now(UTC))
    stranger.beside("p7s").write_bytes(sealer.seal((stranger.bag / "tagmanifest-sha512.txt").read_bytes()))
    stranger.beside("anchors.pem").write_bytes(sealer.certificates)
    return "The seal is not over this bundle"


def seal_of_another_bundle(stranger: Stranger) -> str:
    (other,) = (stranger.seal_ca.parent / "other").glob("*.p7s")
    shutil.copy(other, stranger.beside("p7s"))
    return "The seal is not over this bundle"


def missing_seal(stranger: Stranger) -> str:
    stranger.beside("p7s").unlink()
    return "The seal is missing"


def swapped_time_stamp(stranger: Stranger) -> str:
    (other,) = (stranger.seal_ca.parent / "other").glob("*.tsr")
    shutil.copy(other, stranger.beside("tsr"))
    return "The time-stamp does not hold"


def missing_time_stamp(stranger: Stranger) -> str:
    stranger.beside("tsr").unlink()
    return "The time-stamp is missing"


def denied_time_stamp(stranger: Stranger) -> str:
    info = stranger.bag / "bag-info.txt"
    info.write_text(info.read_text().replace("Time-Stamped: yes", "Time-Stamped: no"))
    stranger.beside("tsr").unlink()
    return "bag-info.txt is not what tagmanifest-sha256.txt says"


def reordered_custody_log(stranger: Stranger) -> str:
    log = stranger.bag / "meta/custody.jsonl"
    first, second, *rest = log.read_text().splitlines(keepends=True)
    log.write_text("".join([second, first, *rest]))
    return "stands out of order"


def edited_custody_log(stranger: Stranger) -> str:
    log = stranger.bag / "meta/custody.jsonl"
    log.write_text(log.read_text().replace("preparer", "somebody"))
    return "is not in the log that was signed"


def edited_certificate(stranger: Stranger) -> str:
    path = stranger.bag / "certificate-902.txt"
    path.write_text(path.read_text().replace("regular practice", "rare practice"))
    return "certificate-902.txt is not what tagmanifest-sha512.txt says"


def cut_list(stranger: Stranger) -> str:
    """Leave a file out of the lists that no seal is over."""
    path = stranger.bag / "tagmanifest-sha256.txt"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    return "is in no list (tagmanifest-sha256.txt)"


def list_that_reaches_outside(stranger: Stranger) -> str:
    path = stranger.bag / "manifest-sha256.txt"
    digest = hashlib.sha256(Path("/etc/hostname").read_bytes()).hexdigest()
    path.write_text(f"{path.read_text()}{digest}  data/../../../../../etc/hostname\n")
    return "manifest-sha256.txt is not what"


@pytest.mark.parametrize(
    "tamper",
    [
        changed_payload, missing_payload, extra_payload, extra_link, extra_tag_file, made_lists_anew, swapped_seal,
        seal_of_another_bundle, missing_seal, swapped_time_stamp, missing_time_stamp, denied_time_stamp,
        reordered_custody_log, edited_custody_log, edited_certificate, cut_list, list_that_reaches_outside,
    ],
    ids=lambda tamper: tamper.__name__,
)  # fmt: skip
def test_what_was_done_to_a_bundle_shows(stranger: Stranger, tamper: Callable[[Stranger], str]) -> None:
    wrong = tamper(stranger)
    ran = stranger.runs_verify_txt()
    assert ran.returncode != 0
    assert "ALL-OK" not in ran.stdout
    assert ran.stderr.startswith("NOT OK: ")
    verdict = stranger.verifies()
    assert not verdict.holds
    assert any(wrong in fault for fault in verdict.faults), verdict.faults


@pytest.mark.parametrize("left", [0.2, 0.5, 0.9, 0.97])
def test_a_tar_that_was_cut_shows(stranger: Stranger, tmp_path: Path, left: float) -> None:
    file = tmp_path / "cut.tar"
    file.write_bytes(stranger.tar[: int(len(stranger.tar) * left)])
    verdict = stranger.verifies(file)
    assert not verdict.holds
    assert any("cut short" in fault for fault in verdict.faults)
    folder = tmp_path / "cut"
    with suppress(tarfile.ReadError), tarfile.open(file) as archive:
        archive.extractall(folder, filter="data")
    ran = Stranger(folder / stranger.bag.name, stranger.seal_ca, stranger.tsa_ca, b"").runs_verify_txt()
    assert ran.returncode != 0
    assert "ALL-OK" not in ran.stdout


@pytest.mark.parametrize(
    ("name", "kind"), [("../outside", tarfile.REGTYPE), ("/outside", tarfile.REGTYPE), ("x/link", tarfile.SYMTYPE)]
)
def test_a_tar_that_reaches_outside_is_refused(stranger: Stranger, tmp_path: Path, name: str, kind: bytes) -> None:
    file = tmp_path / "odd.tar"
    with tarfile.open(file, "w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/hostname"
        archive.addfile(info, io.BytesIO())
    assert any("lies outside" in fault for fault in stranger.verifies(file).faults)


def test_two_files_of_one_path_are_refused(stranger: Stranger, tmp_path: Path) -> None:
    file = tmp_path / "twice.tar"
    file.write_bytes(stranger.tar)
    with tarfile.open(file, "a") as archive:
        archive.addfile(tarfile.TarInfo(f"{stranger.bag.name}/bagit.txt"), io.BytesIO())
    assert "The bundle holds two files of one path." in stranger.verifies(file).faults


def _headed(kind: bytes, body: bytes, size: int | None = None) -> bytes:
    """Give a header of that kind over ``body``, and a file behind it."""
    info = tarfile.TarInfo("B/x")
    info.type, info.size = kind, len(body) if size is None else size
    return (
        info.tobuf(tarfile.GNU_FORMAT) + body + bytes(-len(body) % 512) + tarfile.TarInfo("B/x").tobuf() + bytes(1024)
    )


@pytest.mark.parametrize(
    "tar",
    [
        _headed(tarfile.REGTYPE, b"", -5),
        _headed(tarfile.XHDTYPE, b"20 size=-1000000000\n"),
        _headed(tarfile.XHDTYPE, b"21 hdrcharset=\xff\xfe\xff\xfe\n"),
        _headed(tarfile.XHDTYPE, b"24 GNU.sparse.map=1,2,x\n"),
        _headed(tarfile.XHDTYPE, b"x" * (1 << 17)),
        _headed(tarfile.GNUTYPE_LONGNAME, b"x" * (1 << 17)),
        _headed(tarfile.XHDTYPE, b"11 path=B/y\n")[:1024] * 2000,
    ],
    ids=["negative", "negative by pax", "no text", "sparse", "long", "long name", "nested"],
)
def test_a_tar_that_says_what_it_cannot_is_refused_in_few_bytes(tmp_path: Path, tar: bytes) -> None:
    file = tmp_path / "odd.tar"
    file.write_bytes(tar)
    with pytest.raises(CustodyError):
        gather(files_of(file), Gathered())


def test_what_is_hidden_behind_the_end_of_a_tar_shows(stranger: Stranger, tmp_path: Path) -> None:
    """A lone empty block ends a tar for some programs and not for others."""
    file, end = tmp_path / "hidden.tar", len(stranger.tar.rstrip(b"\0"))
    end += -end % 512
    hidden = tarfile.TarInfo(f"{stranger.bag.name}/hidden").tobuf()
    file.write_bytes(stranger.tar[:end] + bytes(512) + hidden + bytes(1024))
    assert "Something follows the end of the bundle." in stranger.verifies(file).faults


def test_a_file_beside_the_bag_that_is_none_of_ours_shows(stranger: Stranger, tmp_path: Path) -> None:
    file = tmp_path / "more.tar"
    file.write_bytes(stranger.tar)
    with tarfile.open(file, "a") as archive:
        archive.addfile(tarfile.TarInfo(f"{stranger.bag.name}.READ-ME.exe"), io.BytesIO())
    assert any("belongs to no bundle" in fault for fault in stranger.verifies(file).faults)
    stranger.bag.with_name(f"{stranger.bag.name}.tar.age").write_bytes(b"where it was unpacked is the stranger's own")
    assert stranger.verifies().holds


def test_certificates_that_are_none_hide_no_other_fault(stranger: Stranger) -> None:
    changed_payload(stranger)
    stranger.beside("anchors.pem").unlink()
    assert any("is not what" in fault for fault in verify(stranger.bag).faults)
    stranger.beside("anchors.pem").write_text("none")
    assert "The certificates in the bundle are none." in verify(stranger.bag).faults
