"""The reference pages list what the code has."""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from reporter import errors
from reporter.config import Configuration

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
#: Set from where the home is found, and never written into reporter.toml.
NOT_IN_THE_FILE = {"home"}


_GENERATOR = runpy.run_path(str(Path(__file__).with_name("cli_reference.py")))
COMMANDS = _GENERATOR["COMMANDS"]


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel) and name != "reporting_person":
            yield from keys(inner, f"{prefix}{name}.")
        elif name not in NOT_IN_THE_FILE and name != "authority":
            yield f"{prefix}{name}"


def test_the_command_reference_is_up_to_date() -> None:
    assert (REFERENCE / "cli.md").read_text(encoding="utf-8") == _GENERATOR["render"](), "run: make docs"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_of_itself(name: str) -> None:
    example = re.search(r"Example: (.*)", COMMANDS[name].help or "")
    assert example is not None
    assert re.search(rf"\b{name}\b", example[1])


def test_every_key_is_in_the_reference() -> None:
    page = (REFERENCE / "configuration.md").read_text(encoding="utf-8")
    assert {key for key in keys(Configuration) if f"`{key}`" not in page} == set()


def test_every_exit_code_is_in_the_reference() -> None:
    page = (REFERENCE / "exit-codes.md").read_text(encoding="utf-8")
    codes = {
        error.exit_code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.ReporterError)
    }
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == codes | {0, 130}
