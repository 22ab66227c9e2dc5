"""``reporter export`` and ``reporter verify`` as people meet them."""

import json
import os
import pty
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from keycustody import age
from reporter.testing.documents import write_case
from reporter.testing.people import People
from tests.e2e.support import DATABASE, MARKER, PROGRAM, Home, Run, plaintext_in

REF = "TEST-000001"
CONTENT = f"{MARKER} harmless bytes ".encode() * 20_000


@pytest.fixture
def recipient(tmp_path: Path) -> age.Identity:
    identity = age.Identity.generate()
    (tmp_path / "agency.age").write_text(identity.recipient)
    return identity


def served(reporter: Run, tmp_path: Path, first: str = "lea", second: str = "sam") -> int:
    """Hand in a case, and have a warrant for it recorded and verified; give its number."""
    assert reporter("case", "add", write_case(tmp_path / "cases", REF, files={"e1": CONTENT}), "--as", "ann").code == 0
    document = {
        "demand_version": 1, "kind": "search_warrant", "requester": "federal", "authority": {"name": "SYNTHETIC"},
        "served_at": "2026-11-20T09:00:00Z", "scope": {"cases": [REF]},
    }  # fmt: skip
    (tmp_path / "warrant.json").write_text(json.dumps(document))
    number = reporter("demand", "add", tmp_path / "warrant.json", "--as", first, "--json").json["demand"]
    words = ("--how", "call_back", "--reason", "SYNTHETIC call")
    assert reporter("demand", "verify", str(number), *words, "--as", second).code == 0
    return int(number)


def asked(reporter: Run, tmp_path: Path, number: int, *more: str, who: str = "lea") -> str:
    ran = reporter(
        "export", "create", REF, "--demand", str(number), "--content", "e1", "--field", "incident", *more, "--as", who,
        "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    return str(ran.json["id"])


def at_a_terminal(*arguments: str | Path) -> tuple[bytes, Any]:
    """Run the program for somebody who looks; give what they see, and the answer in JSON."""
    master, terminal = pty.openpty()
    with subprocess.Popen([PROGRAM, *arguments], stderr=terminal, stdout=subprocess.PIPE) as process:
        os.close(terminal)
        shown = b""
        try:
            while piece := os.read(master, 4096):
                shown += piece
        except OSError:  # the other end is closed
            pass
        os.close(master)
        assert process.stdout
        return shown, json.loads(process.stdout.read())


def test_the_whole_way_to_the_recipients_word(
    reporter: Run, home: Home, tmp_path: Path, recipient: age.Identity
) -> None:
    number = served(reporter, tmp_path)
    export = asked(reporter, tmp_path, number, "--to-key", str(tmp_path / "agency.age"))
    assert reporter("export", "write", export, "--as", "lea").code == 3
    assert reporter("export", "approve", export, "--as", "lea").code == 3
    assert reporter("export", "show", export, "--as", "sam").text.count("content: e1") == 1
    assert reporter("export", "approve", export, "--as", "sam").code == 0
    out = tmp_path / "bundle.tar.age"
    shown, written = at_a_terminal("export", "write", export, "--out", out, "--as", "lea", "--json")
    assert b"writing" in shown
    assert reporter("export", "write", export, "--out", out, "--as", "lea").code == 2
    with out.open("rb") as file:
        (tmp_path / "bundle.tar").write_bytes(b"".join(age.decrypt(file, recipient)))
    (tmp_path / "ca.pem").write_bytes(reporter("export", "certificate").out)
    doubt = reporter("verify", tmp_path / "bundle.tar")
    assert (doubt.code, doubt.text.splitlines()[0][:5]) == (1, "DOUBT")
    good = reporter("verify", tmp_path / "bundle.tar", "--seal-ca", tmp_path / "ca.pem", "--json")
    assert (good.code, good.json["faults"], good.json["files"]) == (0, [], 2)
    assert reporter("verify", out, "--seal-ca", tmp_path / "ca.pem").code == 2  # it is encrypted still
    receipt = ("export", "receipt", export, "--reason", "SYNTHETIC call", "--as", "lea")
    assert reporter(*receipt, "--sha256", "0" * 64).code == 1
    assert reporter(*receipt, "--sha256", written["sha256"]).code == 0
    (listed,) = reporter("export", "list", REF, "--json").json["exports"]
    assert (listed["state"], listed["copies"][0]["received"]["by"]) == ("received", "lea")
    assert plaintext_in(home, MARKER) == []


@pytest.mark.filterwarnings("ignore:PBKDF2 without:DeprecationWarning")  # the ZIP scheme fixes both
def test_somebody_without_a_key_gets_a_zip_and_its_passphrase_by_another_way(
    reporter: Run, tmp_path: Path, program: Callable[[str], str]
) -> None:
    seven_zip = program("7z")
    export = asked(reporter, tmp_path, served(reporter, tmp_path), "--envelope", "zip")
    reporter("export", "approve", export, "--as", "sam")
    out, secret = tmp_path / "bundle.zip", tmp_path / "passphrase.txt"
    refused = reporter("export", "write", export, "--out", str(out), "--as", "lea")
    assert (refused.code, out.exists()) == (2, False)
    ran = reporter("export", "write", export, "--out", str(out), "--passphrase-to", str(secret), "--as", "lea")
    assert ran.code == 0, ran.err
    passphrase = secret.read_text().strip()
    assert passphrase not in ran.text + ran.err
    assert secret.stat().st_mode & 0o077 == 0
    subprocess.run([seven_zip, "t", f"-p{passphrase}", str(out)], check=True, capture_output=True)


def test_outside_the_sandbox_both_people_sign_what_leaves(
    reporter: Run, home: Home, tmp_path: Path, staff: Callable[..., People], recipient: age.Identity
) -> None:
    staff(robin="administrator", dana="compliance", ann="analyst", lea="legal", sam="legal")
    number = served(reporter, tmp_path)
    key = ("--to-key", str(tmp_path / "agency.age"))
    create = ("export", "create", REF, "--demand", str(number), "--content", "e1", *key)
    assert reporter(*create, "--as", "ann").code == 3
    assert reporter(*create, "--as", "nobody").code == 3
    export = asked(reporter, tmp_path, number, *key)
    assert reporter("export", "approve", export, "--as", "lea").code == 3
    with closing(sqlite3.connect(home.folder / DATABASE)) as database:  # an approval that nobody signed
        database.execute("UPDATE export_request SET approved_by = 'sam', approved_at = asked_at")
        database.commit()
    slipped = reporter("export", "write", export, "--out", tmp_path / "bundle", "--as", "lea")
    assert (slipped.code, "signature" in slipped.err) == (3, True)
    with closing(sqlite3.connect(home.folder / DATABASE)) as database:
        database.execute("UPDATE export_request SET approved_by = NULL, approved_at = NULL")
        database.commit()
    assert reporter("export", "approve", export, "--as", "dana").code == 0
    assert reporter("export", "write", export, "--out", tmp_path / "bundle", "--as", "lea").code == 0


def test_an_organisation_seals_with_its_own_key(reporter: Run, tmp_path: Path, program: Callable[[str], str]) -> None:
    made = reporter("export", "certificate", "--json").json["sha256"]
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=SYNTHETIC",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    key, cert = (tmp_path / "key.pem").read_bytes(), (tmp_path / "cert.pem").read_bytes()
    for wrong in (b"", key, cert, b"words"):
        assert reporter("export", "seal-key", "--as", "cara", stdin=wrong).code == 2
    assert reporter("export", "seal-key", "--as", "cara", stdin=key + cert).code == 0
    now = reporter("export", "certificate", "--json").json
    assert now["sha256"] != made
    assert now["pem"].encode() == cert
    assert reporter("secret", "list", "--json").json["expires"].keys() == {"export-seal-key"}
    assert "export_seal_key_set" in reporter("audit", "list", "--json").text
