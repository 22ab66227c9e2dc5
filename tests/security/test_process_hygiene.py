"""What a running process shows: no core file, nothing to a neighbour, no secret in its arguments or its children."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("reporter")
SECRET = "Quixotic-Marker-secret"
PROBE = """\
import json, os, resource, ctypes
from reporter.cli.hygiene import harden
harden()
print(json.dumps({
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0),
    "umask": os.umask(0),
    "owner": os.stat("/proc/self/environ").st_uid,
}))
"""


def core_limit(process: int) -> list[str]:
    lines = Path(f"/proc/{process}/limits").read_text(encoding="utf-8").splitlines()
    return next(line.split()[-3:] for line in lines if line.startswith("Max core file size"))


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_no_core_file_and_nobody_else_looks_in() -> None:
    said = json.loads(subprocess.run([sys.executable, "-c", PROBE], capture_output=True, check=True, text=True).stdout)
    assert said["core"] == [0, 0]
    assert said["dumpable"] == 0
    assert said["umask"] == 0o077
    assert said["owner"] == 0  # not dumpable: the kernel shows it to root alone


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_the_program_itself_is_hardened_and_its_arguments_hold_no_secret(tmp_path: Path) -> None:
    home = tmp_path / "home"
    surroundings = {"PATH": os.environ["PATH"], "REPORTER_HOME": str(home), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    subprocess.run([PROGRAM, "init"], env=surroundings, check=True, capture_output=True)
    with subprocess.Popen(
        [PROGRAM, "secret", "set", "ncmec-password"],
        env=surroundings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as running:  # fmt: skip
        assert running.stdin is not None
        while core_limit(running.pid) != ["0", "0", "bytes"] and running.poll() is None:
            pass  # it is still starting
        assert core_limit(running.pid) == ["0", "0", "bytes"]
        assert SECRET.encode() not in Path(f"/proc/{running.pid}/cmdline").read_bytes()
        said, _ = running.communicate(SECRET.encode())
    assert running.returncode == 0, said
    assert SECRET.encode() not in said


def test_an_alarm_command_gets_nothing_of_our_surroundings(tmp_path: Path) -> None:
    home, seen = tmp_path / "home", tmp_path / "seen"
    command = tmp_path / "notify"
    command.write_text(f"#!/bin/sh\nenv > '{seen}'\ncat > /dev/null\n", encoding="utf-8")
    command.chmod(0o700)
    surroundings = {
        "PATH": os.environ["PATH"],
        "REPORTER_HOME": str(home),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "REPORTER_ALARM__COMMAND": str(command),
    }
    subprocess.run([PROGRAM, "init"], env=surroundings, check=True, capture_output=True)
    surroundings["SECRET_OF_THE_HOUSE"] = SECRET
    subprocess.run([PROGRAM, "alarm", "test"], env=surroundings, capture_output=True, check=True)
    assert SECRET not in seen.read_text(encoding="utf-8")
    assert "REPORTER_HOME" not in seen.read_text(encoding="utf-8")
