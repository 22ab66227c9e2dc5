"""Enrolled people at the command line: who is let in outside the sandbox, and with what proof."""

import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from keycustody.redacted import Redacted
from reporter.actors import proofs
from reporter.actors.policy import RULES
from reporter.cli.acting import key_file
from reporter.testing.documents import write_case
from reporter.testing.people import People
from tests.e2e.support import PASSPHRASE, PROGRAM, URL_VARIABLE, Home, Run

REF = "TEST-000001"
TO, WHY = ("--to", "ncmec"), ("--reason", "SYNTHETIC: checked.")
AT = "2026-11-20T14:05:00Z"
#: For each command that acts, arguments that would do.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "case add": ("case.json",),
    "case import": ("report.xml",),
    "case revise": (REF, "case.json"),
    "case confirm": (REF, "--basis", "SYNTHETIC"),
    "case show": (REF, "--document"),
    "submission preview": (REF, *TO),
    "submission approve": (REF,),
    "submission supplement": (REF, *TO),
    "submission withdraw": (REF, *TO, *WHY),
    "submission record-receipt": (REF, *TO, *WHY, "--reference", "1", "--at", AT),
    "referral add": ("referral.json",),
    "referral show": ("rf:0",),
    "referral decide": ("rf:0", "1", "--out-of-scope", *WHY),
    "referral reopen": ("rf:0", "1", *WHY),
    "referral answer": ("rf:0",),
    "contact add": ("--kind", "staff", "--user", "x"),
    "contact import": ("list.csv",),
    "contact list": (),
    "contact allow": (REF, "p1", *WHY),
    "contact remove": ("0", *WHY),
    "delivery show": (REF, "--words"),
    "delivery resolve": (REF, *TO, *WHY, "--not-accepted"),
    "db quarantine": WHY,
    "db release-quarantine": WHY,
    "alarm ack": ("1",),
    "authority status": ("ncmec",),
    "authority schema": ("ncmec",),
    "authority probe": ("ncmec",),
    "secret set": ("ncmec-password",),
    "secret delete": ("ncmec-password",),
    "evidence open": (f"{REF}/e1", "--purpose", "review"),
    "evidence viewed": (f"{REF}/e1", "--purpose", "review", "--extent", "entire"),
    "evidence request-open": (f"{REF}/e1", "--purpose", "review"),
    "evidence grant-open": ("1",),
    "evidence verify": ("--all",),
    "case destroy": (REF, "--basis", "expired", *WHY),
    "demand add": ("demand.json",),
    "export approve": ("0",),
    "export create": (REF, "--demand", "1", "--field", "incident", "--envelope", "zip"),
    "export receipt": ("0", "--sha256", "0", *WHY),
    "export seal-key": (),
    "export show": ("0",),
    "export withdraw": ("0", *WHY),
    "export write": ("0",),
    "hold reindex": (),
    "request add": (__file__,),  # read before anything else, and here no request
    "secret share": (),
    "task refresh": (),
    "request answer": ("1", *WHY),
    "request list": (),
    "retention adopt-policy": ("--cap", "1", "--until", AT, *WHY),
    "retention confirm": ("1", *WHY),
    "retention decide": (REF, "--review", AT, *WHY),
    "retention end-policy": WHY,
    "retention extend": (REF, "--until", AT, "--review", AT, "--purpose", "SYNTHETIC"),
    "retention propose": (),
    "retention review": ("1", "--again", AT, *WHY),
    "retention rules": ("--apply",),
    "retention withdraw": ("1", *WHY),
    "submission hand-out": (REF, *TO),
    "submission review": (REF, *TO, "--agree", *WHY),
    "task request": ("IR-1", "--from", "nca", "--received", AT),
    "demand destroy": ("1", f"{REF}/e1", *WHY),
    "demand close": ("1", "--outcome", "answered", *WHY),
    "demand renew": ("1", "--at", AT),
    "demand show": ("1", "--words"),
    "demand verify": ("1", "--how", "portal", *WHY),
    "hold place": ("--case", REF, *WHY),
    "hold release": ("1", *WHY),
    "hold review": ("1", *WHY),
    "hold show": ("1", "--words"),
    "task done": ("1", *WHY),
    "task show": ("1", "--words"),
    "evidence destroy": (f"{REF}/e1", *WHY),
    "key rotate": (),
    "key recovery-kit": ("--to", "age1", "--out", "kit"),
    "key protect": ("--machine-secret",),
    "actor enrol": ("REQUEST", "--role", "legal"),
    "actor roles": ("kim", "--role", "legal"),
    "actor enable": ("kim",),
    "actor approve": ("1",),
    "actor suspend": ("dana",),
}


@pytest.fixture
def staffed(staff: Callable[..., People]) -> People:
    return staff(robin="administrator", dana="compliance", kim="escalation_lead", lee="analyst", ada="auditor")


@pytest.mark.parametrize("verb", sorted(RULES.keys() - {"actor found"}))
def test_no_command_acts_for_somebody_who_is_not_enrolled_or_may_not(
    reporter: Run, home: Home, staffed: People, tmp_path: Path, verb: str
) -> None:
    arguments = [*verb.split(), *ARGUMENTS[verb]]
    if verb == "actor enrol":
        arguments[2] = str(proofs.ask("new", proofs.ProofKind.KEY, proofs.new_key()))
    if verb == "actor approve":
        assert reporter("actor", "roles", "lee", "--role", "legal", "--as", "dana").code == 0
        arguments[2] = "5"
    kept = home.listing()
    somebody_else = "lee" if "auditor" in RULES[verb].roles else "ada"
    for name in ("mallory", somebody_else, "root"):
        ran = reporter(*arguments, "--as", name, stdin=b"SYNTHETIC")
        assert (ran.code, ran.out) == (3, b""), ran.err
        assert f"{name} may not run" in ran.err or f"{name} is not enrolled" in ran.err
    assert home.listing() == kept


def test_two_people_file_a_case_outside_the_sandbox(reporter: Run, staffed: People, tmp_path: Path) -> None:
    case = write_case(tmp_path, REF)
    assert reporter("case", "add", case, "--as", "lee").code == 0
    assert reporter("submission", "approve", REF, "--as", "lee").code == 3
    approved = reporter("submission", "approve", REF, "--as", "kim", "--json")
    assert (approved.code, approved.json["submissions"][0]["state"]) == (0, "approved")
    checked = reporter("actor", "verify", "--json")
    assert (checked.code, checked.json["troubles"]) == (0, [])
    told = reporter("audit", "list", REF, "--json").json["entries"]
    assert [entry["actor"] for entry in told if entry["kind"] == "act_proven"] == ["lee", "kim"]


def test_a_second_name_needs_its_own_proof(reporter: Run, home: Home, staffed: People, tmp_path: Path) -> None:
    assert reporter("case", "add", write_case(tmp_path, REF), "--as", "kim").code == 0
    kept = home.listing()
    for proof in (("--key", key_file("kim")), ("--passphrase-file", tmp_path / "mine")):
        if proof[0] == "--passphrase-file":
            proofs.write_private(tmp_path / "mine", b"SYNTHETIC but not dana's")
        ran = reporter(*proof, "submission", "approve", REF, "--as", "dana")
        assert (ran.code, ran.out) == (3, b"")
        assert "no proof of dana's" in ran.err or "passphrase does not open" in ran.err
    assert home.listing() == kept


def test_the_ceremony(reporter: Run, belongings: Path, tmp_path: Path) -> None:
    request = {}
    for handle in ("robin", "dana"):
        file = key_file(handle)
        proofs.keep_key(file, key := proofs.new_key(), Redacted(PASSPHRASE), cost=2)
        request[handle] = str(proofs.ask(handle, proofs.ProofKind.KEY, key))
    roles = ("--role", "robin=administrator", "--role", "dana=compliance")
    wrong = reporter("actor", "found", *request.values(), "--role", "robin=administrator", "--as", "robin")
    assert (wrong.code, "names each of the two" in wrong.err) == (2, True)
    assert reporter("actor", "found", *request.values(), *roles, "--as", "mallory").code == 3
    proposed = reporter("actor", "found", *request.values(), *roles, "--as", "robin", "--json")
    assert proposed.json == {"change": 1, "people_missing": 1}
    assert reporter("actor", "list", "--json").json["waiting"][0]["proposed_by"] == "robin"
    assert reporter("actor", "approve", "1", "--as", "robin").code == 3
    assert reporter("actor", "approve", "1", "--as", "dana").code == 0
    people = reporter("actor", "list", "--json").json["people"]
    assert [(entry["handle"], entry["roles"]) for entry in people] == [
        ("dana", ["compliance"]), ("robin", ["administrator"])
    ]  # fmt: skip
    # from now on the handles are protected in the sandbox, too
    case = write_case(tmp_path, REF)
    assert reporter("case", "add", case, "--as", "robin").code == 3
    assert reporter("case", "add", case, "--as", "anybody").code == 0
    assert reporter("submission", "approve", REF, "--as", "dana").code == 0


def test_a_key_is_made_for_its_owner_alone(reporter: Run, home: Home, tmp_path: Path) -> None:
    proofs.write_private(tmp_path / "passphrase", PASSPHRASE.encode())
    options = ("--key", tmp_path / "robin.key", "--passphrase-file", tmp_path / "passphrase")
    made = reporter(*options, "actor", "key", "robin", "--json")
    assert (made.code, made.json["file"]) == (0, str(tmp_path / "robin.key"))
    assert (tmp_path / "robin.key").stat().st_mode & 0o777 == 0o600
    assert proofs.read_request(made.json["request"]).handle == "robin"
    again = reporter(*options, "actor", "key", "robin")
    assert (again.code, "not touched" in again.err) == (2, True)


def test_nobody_is_asked_where_nobody_sits(reporter: Run, home: Home, tmp_path: Path) -> None:
    ran = reporter("--key", tmp_path / "robin.key", "actor", "key", "robin")
    assert (ran.code, ran.out) == (2, b"")
    assert "nobody can be asked here" in ran.err
    assert not (tmp_path / "robin.key").exists()


def test_a_person_at_a_terminal_is_asked_and_not_overheard(staffed: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REPORTER_PASSPHRASE_FILE")
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, "db", "quarantine", *WHY, "--as", "kim"],
        stdin=follower, stderr=follower, stdout=subprocess.PIPE, env=os.environ.copy(), start_new_session=True,
    ) as process:  # fmt: skip
        os.close(follower)
        asked = b""
        while b"Passphrase of" not in asked or not asked.endswith(b": "):  # the last space comes once nothing is echoed
            asked += os.read(leader, 1000)
        os.write(leader, PASSPHRASE.encode() + b"\n")
        assert process.stdout is not None
        said = process.stdout.read()
    rest = os.read(leader, 1000)
    os.close(leader)
    assert (process.returncode, said) == (0, b"Deliveries are quarantined now.\n")
    assert PASSPHRASE.encode() not in asked + rest


def test_a_token_is_shown_once_and_acts_for_a_program(
    reporter: Run, home: Home, staffed: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = reporter("actor", "key", "robot", "--token", "--json").json
    assert reporter("actor", "enrol", made["request"], "--role", "analyst", "--as", "robin").code == 0
    assert reporter("actor", "approve", "5", "--as", "dana").code == 0
    assert made["token"] not in repr(home.rows())
    proofs.write_private(tmp_path / "token", made["token"].encode())
    monkeypatch.setenv("REPORTER_TOKEN_FILE", str(tmp_path / "token"))
    assert reporter("case", "add", write_case(tmp_path, REF)).code == 0
    assert reporter("case", "show", REF, "--json").json["prepared_by"] == "robot"
    ran = reporter("case", "confirm", REF, "--basis", "SYNTHETIC")
    assert (ran.code, "a token is not enough" in ran.err) == (3, True)
    ran = reporter("case", "show", REF, "--document", "--as", "kim")
    assert (ran.code, "no proof of kim's" in ran.err) == (3, True)
    both = reporter("--key", key_file("kim"), "case", "show", REF, "--document")
    assert (both.code, "not both" in both.err) == (2, True)
    (tmp_path / "token").chmod(0o644)
    assert reporter("case", "add", tmp_path / REF).code == 4


def test_nothing_is_signed_for_a_sandbox_name(reporter: Run, home: Home, tmp_path: Path) -> None:
    assert URL_VARIABLE in os.environ
    assert reporter("case", "add", write_case(tmp_path, REF), "--as", "anybody").code == 0
    assert not any('INSERT INTO "signed_statement"' in row for row in home.rows())
