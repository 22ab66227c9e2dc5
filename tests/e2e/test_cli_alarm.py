"""``reporter alarm`` as an operator and a monitor use it."""

from __future__ import annotations

import json
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.ncmec.sandbox import CyberTipline
from reporter.testing.documents import aware_at, write_case
from tests.e2e.support import MARKER, PROGRAM, Home, Run

REFERENCE = "TEST-000001"


@pytest.fixture
def inbox(home: Home, tmp_path: Path) -> Path:
    """Give the file to which the alarm command of this home appends."""
    file, program = tmp_path / "inbox", tmp_path / "notify"
    program.write_text(f"#!/bin/sh\ncat >> {file}\n")
    program.chmod(0o700)
    home.configure("[alarm] ", f'[alarm]\ncommand = ["{program}"]\nheartbeat_file = "heartbeat.json"\n#')
    return file


def messages(inbox: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in inbox.read_text().splitlines()] if inbox.exists() else []


def rejected(reporter: Run, sandbox: CyberTipline, folder: Path) -> None:
    """Have a report refused by the authority."""
    sandbox.faults.add("submit:1 code=4100")
    case = write_case(folder / "cases", REFERENCE, files={"e1": MARKER.encode()}, **aware_at(datetime.now(UTC)))
    assert reporter("case", "add", case, "--as", "robin").code == 0
    assert reporter("submission", "approve", REFERENCE, "--as", "dana").code == 0
    assert reporter("deliver", "--until-idle").code == 1


def test_a_refused_report_reaches_a_person_who_says_so(
    reporter: Run, home: Home, sandbox: CyberTipline, inbox: Path, tmp_path: Path
) -> None:
    assert (reporter("alarm", "list").code, messages(inbox)) == (0, [])
    rejected(reporter, sandbox, tmp_path)
    ((message),) = messages(inbox)
    assert (message["kind"], message["reference"], message["environment"]) == ("rejected", REFERENCE, "sandbox")
    assert MARKER not in json.dumps(message)
    ran = reporter("alarm", "list", "--json")
    assert (ran.code, ran.json["unacknowledged"]) == (1, 1)
    (alarm,) = ran.json["alarms"]
    assert (alarm["kind"], alarm["next"]) == ("rejected", f"reporter case show {REFERENCE}")
    assert [(sent["channel"], sent["notices"], sent["trouble"]) for sent in alarm["channels"]] == [("command", 1, "")]
    assert "1 open, 1 not acknowledged" in reporter("doctor").text
    assert reporter("alarm", "ack", str(alarm["id"]), "--as", "lee").text.startswith(
        f"Alarm {alarm['id']} was acknowledged by lee at "
    )
    assert (reporter("alarm", "list").code, reporter("alarm", "check").code) == (0, 0)
    assert "acknowledged by lee" in reporter("alarm", "list").text
    assert reporter("submission", "approve", REFERENCE, "--as", "dana").code == 0
    assert reporter("deliver", "--until-idle").code == 0
    assert reporter("alarm", "list").text == "No alarms.\n"
    assert "over since" in reporter("alarm", "list", "--all").text
    assert len(messages(inbox)) == 1


def test_a_check_from_cron_tells_what_no_worker_could(
    reporter: Run, sandbox: CyberTipline, home: Home, inbox: Path, tmp_path: Path
) -> None:
    rejected(reporter, sandbox, tmp_path)
    inbox.unlink()
    assert (reporter("alarm", "check").code, messages(inbox)) == (1, [])  # told already


def test_a_channel_that_fails_is_told_by_every_command_that_meets_it(
    reporter: Run, home: Home, sandbox: CyberTipline, inbox: Path, tmp_path: Path
) -> None:
    (tmp_path / "notify").write_text(f"#!/bin/sh\necho {MARKER} >&2\nexit 7\n")
    rejected(reporter, sandbox, tmp_path)
    ran = reporter("alarm", "check")
    assert (ran.code, ran.err) == (4, "command: it ended with exit code 7; trying again at the next check\n")
    assert "command failed: it ended with exit code 7" in reporter("alarm", "list").text
    assert "alarm command: it ended with exit code 7" in reporter("doctor").text


def test_a_test_message_goes_through_every_channel(reporter: Run, home: Home, inbox: Path) -> None:
    ran = reporter("alarm", "test")
    assert (ran.code, ran.text) == (0, "command: handed over\n")
    assert [message["kind"] for message in messages(inbox)] == ["test"]
    assert reporter("alarm", "list").text == "No alarms.\n"


def test_a_test_fails_where_a_channel_does_and_the_others_still_get_theirs(
    reporter: Run, home: Home, inbox: Path
) -> None:
    home.configure("[alarm]\n", '[alarm]\nwebhook = "secret:alarm-hook"\n')
    ran = reporter("alarm", "test", "--json")
    assert ran.code == 4
    assert {entry["channel"]: bool(entry["trouble"]) for entry in ran.json["channels"]} == {
        "command": False,
        "webhook": True,
    }
    assert "reporter secret set alarm-hook" in ran.err
    assert "secret:alarm-hook is not set" in reporter("doctor").text
    ran = reporter("secret", "set", "alarm-hook", stdin=f"https://127.0.0.1:1/{MARKER}".encode())
    assert (ran.code, ran.text) == (0, "Secret alarm-hook is sealed for alarms.\n")
    assert "secret:alarm-hook" not in reporter("doctor").text
    assert "webhook: the server refused the connection" in reporter("alarm", "test").err


def test_without_a_channel_a_test_fails_and_doctor_warns(reporter: Run, home: Home) -> None:
    ran = reporter("alarm", "test")
    assert (ran.code, "No channel is configured" in ran.err) == (4, True)
    assert "nobody hears of trouble" in reporter("doctor").text


@pytest.mark.parametrize("number", ["7", "seven", "-1"])
def test_an_alarm_that_is_none(reporter: Run, home: Home, number: str) -> None:
    assert reporter("alarm", "ack", number).code == 2


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f'webhook = "http://hooks.example/{MARKER}"', "alarm.webhook: must be https://"),
        (f'heartbeat_url = "ftp://{MARKER}"', "alarm.heartbeat_url: must be https://"),
        (f"command = \"notify '{MARKER}\"", "alarm.command: quotes do not match"),
        (f'mail = {{to = "a@b.example", from = "c@d.example", host = "h", password = "{MARKER}"}}', "mail.password: a"),
        (
            'mail = {to = "a@b.example", from = "c@d.example", host = "h", username = "u", starttls = false}',
            "alarm.mail: a login needs starttls",
        ),
        ('mail = {host = "h"}', "alarm.mail.to: is missing; alarm.mail.from: is missing"),
        ("repeat_minutes = 0", "alarm.repeat_minutes"),
    ],
)  # fmt: skip
def test_a_wrong_alarm_section_is_named_by_key_and_never_by_value(
    reporter: Run, home: Home, line: str, says: str
) -> None:
    home.configure("[alarm] ", f"[alarm]\n{line}\n#")
    ran = reporter("alarm", "list")
    assert (ran.code, ran.out) == (2, b"")
    assert says in ran.err


def test_a_worker_gives_its_sign_of_life_and_stops_in_order(
    reporter: Run, home: Home, sandbox: CyberTipline, inbox: Path
) -> None:
    process = subprocess.Popen([PROGRAM, "worker"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"Working ncmec:sandbox")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    beat = json.loads((home.folder / "heartbeat.json").read_text())
    assert set(beat) == {"at", "worker", "oldest_due_seconds"}
    (row,) = (row for row in home.rows() if row.startswith('INSERT INTO "worker_seen"'))
    assert beat["worker"] in row
    assert "NULL" not in row
