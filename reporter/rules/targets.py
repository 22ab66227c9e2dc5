"""The operator's own targets, held against the rules: one has its place where a rule has a clock from awareness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from reporter.errors import ConfigurationError
from reporter.rules.calendar import add
from reporter.rules.model import Length, Rule, Start

#: In place of an urgency: how soon the authority is telephoned.
TELEPHONE = "telephone"
#: Lengths are compared from a day on which years and months are as short as they can be.
_FROM = datetime(2025, 2, 1, tzinfo=UTC)


def require_targets(rules: Iterable[Rule], targets: Mapping[str, Length]) -> None:
    """
    See that each target, named ``rule.urgency``, belongs to a rule, and that none is longer than the law allows.

    Raises:
        ConfigurationError: One is not; the text names the key.
    """
    known = list(rules)
    for key, target in targets.items():
        name, _, urgency = key.partition(".")
        deadlines = [each for rule in known if rule.id == name for each in rule.deadlines if urgency in each.urgency]
        if not any(rule.id == name for rule in known):
            raise ConfigurationError(f"targets.{name}: there is no such rule.", next_step="See: reporter case check")
        if urgency == TELEPHONE:
            if not any(rule.id == name and rule.telephone for rule in known):
                raise ConfigurationError(f"targets.{key}: the rule asks nobody to telephone.")
            continue
        if not any(each.starts is Start.AWARENESS for each in deadlines):
            raise ConfigurationError(f"targets.{key}: the rule has no clock that starts at awareness.")
        for each in deadlines:
            if each.within and _end(target) > _end(each.within):
                raise ConfigurationError(f"targets.{key}: longer than the law allows ({each.words}).")


def _end(length: Length) -> datetime:
    return add(_FROM, length, late=False)
