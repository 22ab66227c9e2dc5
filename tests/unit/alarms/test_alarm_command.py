"""The command channel: real programs, no shell, one line of JSON, nothing of our surroundings."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from reporter.alarms.channels import CommandChannel
from reporter.errors import EnvironmentTroubleError
from tests.unit.alarms.notices import MARKER, NOTICE


def script(folder: Path, body: str) -> str:
    file = folder / "notify"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o700)
    return str(file)


def test_the_program_gets_one_line_of_json_and_its_arguments_as_they_are(tmp_path: Path) -> None:
    out = tmp_path / "out"
    program = script(tmp_path, f'cat > {out}; printf "%s|" "$@" >> {out}.arguments')
    CommandChannel((program, "a b", "$(id)", "*")).send(NOTICE)
    text = out.read_text()
    assert text.endswith("\n") and text.count("\n") == 1
    assert json.loads(text) == NOTICE.data()
    assert Path(f"{out}.arguments").read_text() == "a b|$(id)|*|"


def test_the_program_sees_nothing_of_our_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTER_DATABASE_URL", MARKER)
    out = tmp_path / "out"
    CommandChannel((script(tmp_path, f"env > {out}; pwd >> {out}"),)).send(NOTICE)
    text = out.read_text()
    assert MARKER not in text
    names = {line.partition("=")[0] for line in text.splitlines() if "=" in line}
    assert names <= {"PATH", "LANG", "PWD", "SHLVL", "_", "OLDPWD"}
    assert text.endswith("/\n")


def test_a_program_that_does_not_read_is_no_trouble(tmp_path: Path) -> None:
    CommandChannel((script(tmp_path, "exec 0<&-; exit 0"),)).send(NOTICE)


@pytest.mark.parametrize(
    ("body", "says"),
    [("exit 7", "it ended with exit code 7"), (f"echo {MARKER} >&2; exit 1", "it ended with exit code 1")],
)
def test_a_program_that_fails_is_said_to_without_its_words(tmp_path: Path, body: str, says: str) -> None:
    with pytest.raises(EnvironmentTroubleError) as trouble:
        CommandChannel((script(tmp_path, body),)).send(NOTICE)
    assert str(trouble.value) == says


def test_a_missing_program_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentTroubleError, match="it cannot be started: No such file or directory"):
        CommandChannel((str(tmp_path / MARKER),)).send(NOTICE)


def _lives(process: int) -> bool:
    """Whether a process is there, and has not ended without anybody having asked how."""
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat")
        return not state.exists() or state.read_text().split()[2] not in ("Z", "X")
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_program_that_does_not_end_is_ended_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    program = script(tmp_path, f"sleep 600 & echo $! > {pids}; wait")
    with pytest.raises(EnvironmentTroubleError, match=r"did not end within 0\.5 seconds"):
        CommandChannel((program,), timeout_seconds=0.5).send(NOTICE)
    child, deadline = int(pids.read_text()), time.monotonic() + 30
    while _lives(child):
        assert time.monotonic() < deadline, "it lives on"
