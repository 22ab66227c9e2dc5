"""Reads rule packs: TOML files shipped with the program, or an operator's own folder beside them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise

from pydantic import BaseModel, ConfigDict, ValidationError

from reporter.errors import ConfigurationError
from reporter.rules.model import Rule

_SUFFIX = ".toml"


class _Pack(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: tuple[Rule, ...]


def shipped() -> tuple[Rule, ...]:
    """Give the rules that come with the program, by pack and in the order they are written."""
    return read(files("reporter.rules") / "packs")


def read(folder: Traversable) -> tuple[Rule, ...]:
    """
    Read every pack of a folder.

    Raises:
        ConfigurationError: A pack is no TOML, a rule breaks the form, or two of one id are in force on one day; the
            text names the pack and the key.
    """
    packs = sorted((path for path in folder.iterdir() if path.name.endswith(_SUFFIX)), key=lambda path: path.name)
    rules = tuple(rule for path in packs for rule in _pack(path))
    _require_one_in_force(rules)
    return rules


def _pack(path: Traversable) -> tuple[Rule, ...]:
    try:
        return _Pack(**tomllib.loads(path.read_text(encoding="utf-8"))).rule
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The rule pack {path.name} is not valid TOML: {error}.") from error
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        lines = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in problems]
        raise ConfigurationError(f"The rule pack {path.name} is wrong: {'; '.join(lines)}.") from error


def _require_one_in_force(rules: Iterable[Rule]) -> None:
    by_id: dict[str, list[Rule]] = {}
    for rule in rules:
        by_id.setdefault(rule.id, []).append(rule)
    for versions in by_id.values():
        begun = sorted((day, rule.version, rule) for rule in versions if (day := rule.effective_from))
        for (_, _, earlier), (day, _, later) in pairwise(begun):
            if earlier.effective_to is None or earlier.effective_to > day:
                raise ConfigurationError(
                    f"The rule {earlier.id} is in force in versions {earlier.version} and {later.version} at once.",
                    next_step="End the earlier one (effective_to) on the day on which the later begins.",
                )
        if len({rule.version for rule in versions}) < len(versions):
            raise ConfigurationError(f"The rule {versions[0].id} has two versions of one number.")
