"""Help, and wrong usage: what a person reads first."""

from collections.abc import Iterator

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from reporter import __version__
from reporter.cli.main import app
from tests.e2e.support import PROGRAM, Run

#: These write documents or serve until stopped.
WITHOUT_JSON = {"evidence open", "case schema", "demo", "worker"}


def commands(command: TyperCommand | TyperGroup, *path: str) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from commands(child, *path, name)  # type: ignore[arg-type]
    else:
        yield path, command


COMMANDS = dict(commands(get_command(app)))  # type: ignore[arg-type]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example_and_answers_in_json(reporter: Run, command: tuple[str, ...]) -> None:
    ran = reporter(*command, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert f"Example: reporter {' '.join(command)}" in " ".join(ran.text.split()) or "| reporter" in ran.text
    assert ("--json" in ran.text) is (" ".join(command) not in WITHOUT_JSON)


@pytest.mark.parametrize("group", [(), *dict.fromkeys((path[0],) for path in COMMANDS if len(path) > 1)], ids=" ".join)
def test_a_group_alone_shows_its_commands(reporter: Run, group: tuple[str, ...]) -> None:
    ran = reporter(*group)
    assert (ran.code, ran.err) == (2, "")
    assert "Usage: reporter" in ran.text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nonsense",), "No such command 'nonsense'. See: reporter --help"),
        (("case", "nonsense"), "No such command 'nonsense'. See: reporter case --help"),
        (("case", "add"), "Missing argument 'PATH…'. See: reporter case add --help"),
        (("case", "show", "TEST-000001", "--jsn"), "No such option: --jsn"),
        (("case", "show", "TEST-000001", "and", "more"), "There are more words than this command takes."),
        (("submission", "preview", "TEST-000001"), "Missing option '--to'"),
        (("sandbox", "--port", "ninety"), "--port"),
        (("sandbox", "--port", "99999"), "--port"),
        (("sandbox", "--host", "192.0.2.1"), "serves this machine only"),
        (("sandbox", "--certificate", "x.pem"), "--certificate and --key go together"),
        (("sandbox", "--faults", "nowhere"), "--faults"),
    ],
)
def test_wrong_usage_is_one_line_and_where_to_look(reporter: Run, arguments: tuple[str, ...], says: str) -> None:
    ran = reporter(*arguments)
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err.startswith("Error: ")
    assert ran.err.count("\n") == 1
    assert says in ran.err


def test_a_fault_script_that_is_none_is_named_by_line(reporter: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
    script = tmp_path_factory.mktemp("faults") / "faults.txt"
    script.write_bytes(b"# fine\nfinish:1 \xff\xfe\n")
    ran = reporter("sandbox", "--faults", script)
    assert (ran.code, "Line 2 of the fault script" in ran.err) == (2, True)


def test_the_program_says_its_version(spawn: Run) -> None:
    assert PROGRAM.exists()
    assert spawn("--version").text == f"reporter {__version__}\n"
