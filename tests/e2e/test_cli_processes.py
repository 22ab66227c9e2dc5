"""Real processes: closed pipes, odd locales, full and read-only disks, many at once, and kill -9."""

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from adapters._double import Reply
from adapters.ncmec.sandbox import CyberTipline
from reporter.clock import SystemClock
from reporter.sandbox.server import serve
from reporter.testing.documents import write_case
from tests.e2e.support import MARKER, PROGRAM, URL_VARIABLE, Home, Run, plaintext_in

REFERENCE = "TEST-000001"
#: Nothing here waits this long unless it hangs.
HANGS = 60


def add(reporter: Run, folder: Path, reference: str = REFERENCE, size: int = 1) -> None:
    """Add and approve a case with two files of that many kB."""
    content = f"{MARKER} {reference} ".encode()
    content *= size * 1000 // len(content) + 1
    case = write_case(folder, reference, files={"e1": content, "e2": b"harmless two"})
    assert reporter("case", "add", case, "--as", "ann").code == 0
    assert reporter("submission", "approve", reference, "--as", "bob").code == 0


def state(reporter: Run, reference: str = REFERENCE) -> str:
    (submission,) = reporter("case", "show", reference, "--json").json["submissions"]
    return str(submission["state"])


def states(double: CyberTipline) -> list[str]:
    return sorted(str(report.state) for report in double.reports.values())


# --- surroundings -----------------------------------------------------------------------------------------------


@contextmanager
def closed_pipe() -> Iterator[int]:
    """Give the writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


def to(stdout: int, *arguments: str) -> tuple[int, str]:
    ended = subprocess.run(
        [PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, timeout=HANGS
    )
    return ended.returncode, ended.stderr.decode()


LONG = [
    ("case", "schema"),
    ("case", "list"),
    ("--help",),
    ("case", "show", REFERENCE, "--document"),
]


@pytest.mark.parametrize("arguments", LONG, ids=" ".join)
def test_a_reader_who_has_had_enough_is_no_trouble(reporter: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    add(reporter, tmp_path)
    with closed_pipe() as pipe:
        assert to(pipe, *arguments) == (0, "")


@pytest.mark.parametrize("arguments", LONG, ids=" ".join)
def test_a_full_disk_behind_standard_output_is_said(reporter: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    add(reporter, tmp_path)
    with Path("/dev/full").open("wb") as full:
        assert to(full.fileno(), *arguments) == (4, "Error: No space left on device.\n")


def test_delivery_goes_on_where_nobody_can_be_told(
    reporter: Run, sandbox: CyberTipline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTER_DELIVERY__CONCURRENCY", "1")
    for number in range(4):
        add(reporter, tmp_path, f"TEST-00000{number}")
    with closed_pipe() as pipe:
        assert to(pipe, "deliver") == (0, "")
    assert states(sandbox) == ["finished"] * 4
    for number in range(4, 6):
        add(reporter, tmp_path, f"TEST-00000{number}")
    with Path("/dev/full").open("wb") as full:
        assert to(full.fileno(), "deliver") == (0, "")
    assert states(sandbox) == ["finished"] * 6


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_fault(home: Home, closed: str) -> None:
    for arguments, code in {"case list": 0, "case show NO-SUCH-CASE": 2, "secret set ncmec-password": 2}.items():
        ran = subprocess.run(
            ["sh", "-c", f'exec "$0" {arguments} {closed}', PROGRAM], capture_output=True, timeout=HANGS
        )
        assert ran.returncode == code
        assert b"fault" not in ran.stderr
        assert b"Traceback" not in ran.stderr


def test_nothing_is_asked_where_nobody_sits_at_a_terminal(spawn: Run, home: Home) -> None:
    ran = spawn("secret", "set", "ncmec-password")
    assert (ran.code, ran.out, ran.err) == (2, b"", "Error: Standard input is empty; nothing was changed.\n")
    assert spawn("secret", "set", "ncmec-password", input=b"pswd456").code == 0


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LATIN = {**ASCII, "PYTHONIOENCODING": "latin-1"}


def test_the_main_job_needs_no_utf8(spawn: Run, sandbox: CyberTipline, tmp_path: Path) -> None:
    case = write_case(tmp_path / "größer → ", files={"e1": b"harmless"}, incident={
        "type": "csam", "occurred_at": "2026-11-18T09:55:00Z", "summary": "SYNTHETIC ü →"
    })  # fmt: skip
    assert spawn("case", "add", case, "--as", "ann", env=LATIN).code == 0
    assert spawn("case", "add", case / "ü", env=LATIN).code == 2
    document = spawn("case", "show", REFERENCE, "--document", env=LATIN)
    assert document.out == (case / "case.json").read_bytes()
    preview = spawn("submission", "preview", REFERENCE, "--to", "ncmec", env=LATIN)
    assert "SYNTHETIC ü →" in preview.out.decode()
    previewed = spawn("submission", "preview", REFERENCE, "--to", "ncmec", "--json", env=LATIN).json
    assert "SYNTHETIC ü →" in previewed["documents"][0]["body"]
    assert spawn("submission", "approve", REFERENCE, "--as", "bob", env=LATIN).code == 0
    ran = spawn("deliver", "--until-idle", env=LATIN)
    assert (ran.code, b"accepted, receipt" in ran.out) == (0, True)
    assert spawn("case", "show", "größer", env=LATIN).code == 2
    assert spawn("case", "confirm", REFERENCE, "--basis", "größer", env=LATIN).code == 2


def test_help_and_demonstration_need_no_utf8(spawn: Run) -> None:
    assert spawn("deliver", "--help", env=ASCII).code == 0
    assert spawn("demo", env=ASCII).code == 0


# --- disks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0, 5_000, 20_000, 60_000, 200_000, 1_000_000, 3_000_000])
def test_a_full_disk_leaves_nothing_half_done(
    reporter: Run, spawn: Run, home: Home, tmp_path: Path, limit: int
) -> None:
    """RLIMIT_FSIZE stands for the full disk: whatever grows beyond it cannot be written."""
    case = write_case(tmp_path, files={"e1": b"harmless", "e2": bytes(2_000_000)})
    kept = home.listing()
    ran = spawn(
        "case", "add", case, "--remove-source",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    if limit > 2_500_000:
        assert ran.code == 0
        return
    assert (ran.code, ran.out) == (4, b"")
    assert (case / "e2.txt").exists()
    after = home.listing()
    assert {name for name in after if name.startswith("objects")} == set()
    assert after["reporter.sqlite3"] == kept["reporter.sqlite3"]
    assert {name for name in after.keys() - kept.keys() if not name.startswith("keystore/case-")} == set()
    assert reporter("case", "add", case).code == 0
    assert len(list((home.folder / "objects").iterdir())) == 2


@pytest.fixture
def read_only(home: Home) -> Iterator[tuple[str, ...]]:
    """Give what to put before a command so that it finds ``home`` on a read-only disk."""
    mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    prefix = ("unshare", "--map-root-user", "--mount", "sh", "-c", mount, str(home.folder))
    if shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True).returncode == 0:
        yield prefix
    elif os.geteuid() == 0:
        pytest.skip("root may read every file, and write it")
    else:
        folders = [home.folder, *(path for path in home.folder.rglob("*") if path.is_dir())]
        for folder in folders:
            folder.chmod(0o500)
        yield ()
        for folder in folders:
            folder.chmod(0o700)


def test_a_home_on_a_read_only_disk_is_said_to_be_one(
    reporter: Run, spawn: Run, home: Home, read_only: tuple[str, ...], tmp_path: Path
) -> None:
    case = write_case(tmp_path / "cases", files={"e1": b"harmless"})
    kept = {path: path.read_bytes() for path in home.folder.rglob("*") if path.is_file()}
    for command in (
        ("case", "list"),
        ("case", "add", str(case), "--remove-source"),
        ("deliver",),
        ("db", "upgrade"),
        ("authority", "status", "ncmec"),
    ):
        ran = spawn(*command, prefix=read_only)
        assert (ran.code, ran.out) == (4, b"")
        assert "on a disk that can be written" in ran.err
    ran = spawn("secret", "set", "ncmec-password", prefix=read_only, input=b"pswd456")
    assert (ran.code, ran.out) == (4, b"")
    assert spawn("init", prefix=read_only).code == 2
    ran = spawn("init", prefix=read_only, env={"REPORTER_HOME": str(home.folder / "another")})
    assert (ran.code, "cannot be set up" in ran.err) == (4, True)
    ran = spawn("doctor", prefix=read_only)
    assert ran.code == 1
    assert f"{home.folder} cannot be written" in ran.text
    assert {path: path.read_bytes() for path in home.folder.rglob("*") if path.is_file()} == kept
    assert (case / "e1.txt").exists()


# --- many at once -----------------------------------------------------------------------------------------------


def together(*commands: tuple[str | Path, ...]) -> list[tuple[int, str, str]]:
    """Run commands at the same time; give exit codes, output and errors."""
    running = [
        subprocess.Popen([PROGRAM, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for command in commands
    ]
    ended = [process.communicate(timeout=HANGS) for process in running]
    return [
        (process.returncode, out.decode(), err.decode()) for process, (out, err) in zip(running, ended, strict=True)
    ]


def test_one_case_added_by_many_at_once_is_one_case(reporter: Run, home: Home, tmp_path: Path) -> None:
    case = write_case(tmp_path, files={"e1": b"harmless one", "e2": b"harmless two"})
    ended = together(*[("case", "add", case, "--as", "ann")] * 4)
    assert [(code, err) for code, _, err in ended] == [(0, "")] * 4
    assert sorted(out.split(";")[0].split("\n")[0] for _, out, _ in ended) == [
        f"{REFERENCE}: added",
        *[f"{REFERENCE}: unchanged, it is on record already."] * 3,
    ]
    assert len(list((home.folder / "objects").iterdir())) == 2
    assert len(list((home.folder / "keystore").glob("item-*"))) == 2


def test_two_deliver_at_once_and_each_report_is_filed_once(
    reporter: Run, sandbox: CyberTipline, tmp_path: Path
) -> None:
    for number in range(8):
        add(reporter, tmp_path, f"TEST-00000{number}")
    ended = together(("deliver",), ("deliver", "--until-idle"))
    assert [(code, err) for code, _, err in ended] == [(0, "")] * 2
    assert states(sandbox) == ["finished"] * 8


def test_one_case_that_does_not_open_holds_up_no_other(
    reporter: Run, home: Home, sandbox: CyberTipline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTER_DELIVERY__CONCURRENCY", "1")
    for number in range(3):
        add(reporter, tmp_path, f"TEST-00000{number}")
    (home.folder / "keystore" / "case-TEST-000000").unlink()
    ran = reporter("deliver")
    assert ran.code == 1  # one waits for a person
    assert "TEST-000000" in ran.text + ran.err
    assert states(sandbox) == ["finished"] * 2


# --- killed -----------------------------------------------------------------------------------------------------


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Give a process that does not outlive the block."""
    with subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


class Holding(SystemClock):
    """Time that holds a faulty answer back until the client has gone."""

    def __init__(self) -> None:
        self.reached, self.go_on = Event(), Event()

    def sleep(self, seconds: float) -> None:
        if seconds:
            self.reached.set()
            self.go_on.wait(HANGS)


class HalfWay(CyberTipline):
    """A double that stops reading in the middle of the first upload."""

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: Iterator[bytes]) -> Reply:
        clock = self.clock
        assert isinstance(clock, Holding)
        if target.endswith("/upload") and not clock.reached.is_set():
            body = self._stalling(body, clock)
        return super().handle(method, target, headers, body)

    def _stalling(self, body: Iterator[bytes], clock: Holding) -> Iterator[bytes]:
        yield next(body)
        clock.sleep(1)
        yield from body


@pytest.mark.parametrize(
    ("make", "left"),
    [
        (lambda clock: CyberTipline(clock, "submit:1 delay=1"), ["finished", "open"]),
        (lambda clock: CyberTipline(clock, "upload:1 delay=1"), ["finished", "retracted"]),
        (lambda clock: HalfWay(clock), ["finished", "retracted"]),
        (lambda clock: CyberTipline(clock, "fileinfo:2 delay=1"), ["finished", "retracted"]),
        (lambda clock: CyberTipline(clock, "finish:1 delay=1"), ["finished"]),
    ],
    ids=["open", "upload", "half an upload", "details", "finish"],
)
def test_a_killed_delivery_is_taken_up_and_filed_exactly_once(
    reporter: Run,
    spawn: Run,
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Holding], CyberTipline],
    left: list[str],
) -> None:
    monkeypatch.setenv("REPORTER_DELIVERY__LEASE_SECONDS", "1")
    add(reporter, tmp_path, size=8_000)
    clock = Holding()
    double = make(clock)
    with serve(double) as server:
        monkeypatch.setenv(URL_VARIABLE, server.url)
        with running("deliver") as process:
            assert clock.reached.wait(HANGS)
            process.kill()
            assert process.wait(HANGS) == -signal.SIGKILL
        clock.go_on.set()
        assert plaintext_in(home, MARKER) == []
        assert state(reporter) == "delivering"
        ran = spawn("deliver", "--until-idle")
    assert (ran.code, ran.err) == (0, "")
    assert state(reporter) == "accepted"
    assert states(double) == left
    assert reporter("deliver").text == "Nothing is due.\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_worker_ends_the_call_under_way_before_it_stops(
    reporter: Run, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    add(reporter, tmp_path)
    clock = Holding()
    double = CyberTipline(clock, "finish:1 delay=1")
    with serve(double) as server:
        monkeypatch.setenv(URL_VARIABLE, server.url)
        with running("worker") as process:
            assert clock.reached.wait(HANGS)
            process.send_signal(number)
            clock.go_on.set()
            out, err = process.communicate(timeout=HANGS)
    assert (process.returncode, err) == (0, b"")
    assert b"accepted, receipt" in out
    assert state(reporter) == "accepted"


def test_an_interrupted_delivery_says_nothing_odd(
    reporter: Run, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(reporter, tmp_path)
    clock = Holding()
    with serve(CyberTipline(clock, "upload:1 delay=1")) as server:
        monkeypatch.setenv(URL_VARIABLE, server.url)
        with running("deliver") as process:
            assert clock.reached.wait(HANGS)
            process.send_signal(signal.SIGINT)
            clock.go_on.set()
            _, err = process.communicate(timeout=HANGS)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert state(reporter) in ("delivering", "accepted")
