"""Writes docs/reference/cli.md from the commands themselves: ``make docs``."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from reporter.cli.main import app

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
HEAD = """\
# Commands

Written from the commands' own help by `make docs`. Exit codes: [exit-codes.md](exit-codes.md).

Every command answers on standard output and complains, in one line, on standard error. With `--json` the answer is
JSON. `--as NAME` says who acts; by default it is the operating-system user. Outside the sandbox whoever acts is
enrolled and proves it: [people and roles](../howto/people-and-roles.md).
"""


def leaves(command: TyperCommand | TyperGroup, path: str = "reporter") -> Iterator[tuple[str, TyperCommand]]:
    """Give every command that does something, by its full name."""
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from leaves(child, f"{path} {name}")
    else:
        yield path, command


COMMANDS = dict(leaves(typer.main.get_command(app)))


def render() -> str:
    """Give the page."""
    return "\n".join([HEAD, *(line for name, command in COMMANDS.items() for line in _section(name, command))])


def _section(name: str, command: TyperCommand) -> Iterator[str]:
    text, _, example = inspect.cleandoc(command.help or "").partition("Example: ")
    yield f"## `{name}`\n"
    yield text.strip() + "\n"
    yield f"```sh\n{example.strip()}\n```\n"
    rows = [row for parameter in command.params if (row := _row(parameter))]
    if rows:
        yield "| | |\n|---|---|\n" + "\n".join(rows) + "\n"


def _row(parameter: object) -> str:
    if isinstance(parameter, TyperArgument):
        return f"| `{parameter.metavar or (parameter.name or '').upper()}` | {parameter.help or ''} |"
    if isinstance(parameter, TyperOption) and "--help" not in parameter.opts:
        value = "" if parameter.is_flag else f" {parameter.metavar or (parameter.name or '').upper()}"
        return f"| `{parameter.opts[0]}{value}` | {parameter.help or ''} |"
    return ""


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
