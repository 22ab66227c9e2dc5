"""The whole life of a case, as its page tells it: each command runs at its date, and says what stands below it."""

import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from keycustody import age
from reporter import bootstrap
from reporter.cli import main
from reporter.testing.clock import FakeClock
from reporter.testing.documents import aware_at, write_case
from reporter.testing.house import House
from tests.docs.test_documents import ROOT, Command, commands, says

PAGE = ROOT / "docs" / "explanation" / "life-of-a-case.md"
FOUND = datetime(2024, 11, 23, 9, tzinfo=UTC)

FILES = {"e1": b"SYNTHETIC harmless bytes"}
INCIDENT = {"type": "csam", "occurred_at": "2024-11-22T09:00:00Z", "summary": "SYNTHETIC TEST CASE."}


class Story:
    """Runs the commands of the page in one house; words in capitals are filled in with what was said before."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.house = House(folder, clock=FakeClock(FOUND))
        self._known: dict[str, str] = {}
        monkeypatch.chdir(folder)
        monkeypatch.setattr(bootstrap, "open_home", self.house.open)
        monkeypatch.setattr(sys, "argv", ["reporter"])
        monkeypatch.setattr(main, "harden", lambda: None)  # it is this process that would keep to itself

    def run(self, command: Command) -> tuple[int, str]:
        text = re.sub(r"\b(EXPORT|BUNDLE|CERTIFICATE)\b", lambda word: self._known[word[0]], command.text)
        code, printed = self._reporter(text) if text.startswith("reporter ") else self._shell(text)
        if found := re.search(r"^Export (\w+) is asked for", printed, re.MULTILINE):
            self._known["EXPORT"] = found[1]
        if found := re.search(r"reporter evidence certificate (\w+)", printed):
            self._known["CERTIFICATE"] = found[1]
        if (bundle := Path("bundle.tar.age")).exists():
            self._known["BUNDLE"] = sha256(bundle.read_bytes()).hexdigest()
        return code, printed

    @staticmethod
    def _reporter(text: str) -> tuple[int, str]:
        line, _, file = re.sub(r"\s# exit \d+$", "", text).partition(" > ")
        sys.argv[:] = shlex.split(line)
        printed = io.StringIO()
        with redirect_stdout(printed), redirect_stderr(printed), pytest.raises(SystemExit) as ended:
            main.run()
        if file:
            Path(file).write_text(printed.getvalue())
        return int(ended.value.code or 0), "" if file else printed.getvalue()

    @staticmethod
    def _shell(text: str) -> tuple[int, str]:
        done = subprocess.run(shlex.split(text), capture_output=True, text=True, timeout=60, env=os.environ)
        return done.returncode, done.stdout + done.stderr


def test_the_whole_life_of_a_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Callable[[str], str]
) -> None:
    for name in ("age", "openssl"):
        program(name)
    agency = age.Identity.generate()
    (tmp_path / "agency.txt").write_text(f"{agency.recipient}\n")
    (tmp_path / "agency.key").write_text(f"{agency.text}\n")
    write_case(tmp_path / "cases", "EX-2024-000301", files=FILES, incident=INCIDENT, **aware_at(FOUND))
    text = PAGE.read_text(encoding="utf-8")
    for name, document in re.findall(r"^```json (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        (tmp_path / name).write_text(document)
    dates = [
        (text.count("\n", 0, found.start()), datetime.fromisoformat(f"{found[1]}+00:00"))
        for found in re.finditer(r"^## (\d{4}-\d\d-\d\d \d\d:\d\d):", text, re.MULTILINE)
    ]
    story = Story(tmp_path, monkeypatch)
    told = list(commands(PAGE, fence="text"))
    assert len(told) > 40
    for command in told:
        story.house.clock.advance_to(max(at for line, at in dates if line < command.line))
        code, printed = story.run(command)
        assert code == command.exit_code, f"{PAGE.name}:{command.line}: {command.text}\n{printed}"
        assert says(command, printed), f"{PAGE.name}:{command.line}: {command.text}\n{printed}"
    assert story.house.clock.now() - FOUND == timedelta(days=367)
