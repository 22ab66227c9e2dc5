"""
The documents are true: their commands run, their links lead somewhere, and what they list is what the code has.

A fenced block marked ``console`` is run, one marked anything else is not. In it, ``$ `` begins a command and ``> ``
continues it; the lines after a command are its expected output, where ``…`` stands for anything, and a command without
such lines may print what it likes. ``# exit N`` behind a command is the exit code it must have. The blocks of one page
are one session in an empty home, beside the example cases in ``tests/data``. ``reporter sandbox … &`` is waited for,
and its port 8911 becomes a free one throughout the page.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
SANDBOX_PORT = "8911"


@dataclass(frozen=True)
class Command:
    line: int
    text: str
    exit_code: int
    output: str


def commands(page: Path, fence: str = "console") -> Iterator[Command]:
    """Give the commands of a page in order."""
    text = page.read_text(encoding="utf-8")
    for block in re.finditer(rf"^```{fence}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        first = text.count("\n", 0, block.start(1)) + 1
        assert block[1].startswith("$ "), f"{page.name}:{first}: a {fence} block begins with `$ `"
        for part in re.finditer(r"^\$ (.*(?:\n> .*)*)\n((?:(?!\$ ).*\n)*)", block[1], re.MULTILINE):
            command = part[1].replace("\n> ", "\n")
            expected = re.search(r"\s# exit (\d+)$", command)
            line = first + block[1].count("\n", 0, part.start())
            yield Command(line, command, int(expected[1]) if expected else 0, part[2])


def says(command: Command, printed: str) -> bool:
    """Say whether a command printed what stands below it."""
    wanted = re.escape(command.output.strip()).replace("…", ".*")
    shown = "\n".join(line.rstrip() for line in printed.strip().splitlines())
    return not wanted or re.fullmatch(wanted, shown, re.DOTALL) is not None


class Session:
    """Runs one command after another, each where the last one left off."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state = folder / ".state"
        self._servers: list[subprocess.Popen[str]] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = str(probe.getsockname()[1])
        environment = {
            "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PWD": str(folder),
            "REPORTER_AUTHORITY__NCMEC__BASE_URL": f"http://127.0.0.1:{self._port}/ispws",
            "LANG": "C.UTF-8",
        }
        self._state.write_text("\n".join(f"export {name}='{value}'" for name, value in environment.items()))

    def run(self, command: Command) -> tuple[int, str]:
        """Give the exit code and what was printed, errors included."""
        text = command.text.replace(SANDBOX_PORT, self._port)
        if text.startswith("reporter sandbox") and text.endswith("&"):
            return 0, self._serve(text.removesuffix("&")).replace(self._port, SANDBOX_PORT)
        script = f'{self._resumed(text)}\ncode=$?; export -p > "{self._state}"; exit $code'
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self._folder,
            env={},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout.replace(self._port, SANDBOX_PORT)

    def close(self) -> None:
        """Stop the sandboxes."""
        for server in self._servers:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=30)

    def _serve(self, text: str) -> str:
        script = self._resumed(f"exec {text} --port {self._port}")
        server = subprocess.Popen(["bash", "-c", script], cwd=self._folder, env={}, stdout=subprocess.PIPE, text=True)
        self._servers.append(server)
        assert server.stdout is not None
        return server.stdout.readline()

    def _resumed(self, text: str) -> str:
        return f'. "{self._state}"; cd "$PWD"\n{text}'


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(commands(page))], ids=lambda page: str(page.relative_to(ROOT))
)
def test_the_commands_of_a_page_do_what_it_says(page: Path, tmp_path: Path) -> None:
    for case in (ROOT / "tests" / "data").glob("EX-*"):
        shutil.copytree(case, tmp_path / "tests" / "data" / case.name)
    session = Session(tmp_path)
    try:
        for command in commands(page):
            exit_code, printed = session.run(command)
            where = f"{page.name}:{command.line}: {command.text}\n{printed}"
            assert exit_code == command.exit_code, where
            assert says(command, printed), where
    finally:
        session.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    local = [target for target in targets if target and "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_every_page_can_be_reached_from_the_first() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        text = page.read_text(encoding="utf-8")
        waiting += [page.parent / target.partition("#")[0] for target in re.findall(r"\]\(([^)\s:]+)\)", text)]
    assert {page for page in PAGES if page.resolve() not in seen} == set()
