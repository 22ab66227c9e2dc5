"""An operator's own targets take the place of the packs', and never pass for law."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from reporter import config
from reporter.errors import ConfigurationError
from reporter.home import create
from reporter.rules.evaluate import Due, Facts, Provider, evaluate
from reporter.rules.model import Deadline, Length, Rule, Start
from reporter.rules.reading import shipped
from reporter.rules.targets import require_targets
from reporter.submissions.routing import router

AWARE = datetime(2026, 11, 20, 10, tzinfo=UTC)
RULES = shipped()


def due(rules: tuple[Rule, ...], targets: dict[str, Length], urgency: str = "immediate") -> Due:
    facts = Facts("csam", AWARE, content=True, urgency=urgency)  # type: ignore[arg-type]
    said = evaluate(rules, Provider("GB"), facts, date(2026, 11, 23), targets)
    found = next(each.due for each in said if each.rule.id == "uk-osa-66")
    assert found is not None
    return found


def with_length(length: Length) -> tuple[Rule, ...]:
    """Give the rule on the NCA as if the law set a length."""
    rule = next(each for each in RULES if each.id == "uk-osa-66")
    deadlines = tuple(each.model_copy(update={"within": length}) for each in rule.deadlines)
    return (rule.model_copy(update={"deadlines": deadlines}),)


def test_the_packs_target_holds_until_the_operator_has_one() -> None:
    assert due(RULES, {}).target_by == AWARE + timedelta(minutes=15)
    own = {"uk-osa-66.immediate": Length(minutes=5)}
    assert due(RULES, own).target_by == AWARE + timedelta(minutes=5)
    assert due(RULES, own, "routine").target_by == AWARE + timedelta(hours=24)


def test_a_target_is_no_law_and_the_sooner_of_both_counts() -> None:
    target = due(RULES, {})
    assert (target.law_by, target.by, target.by_law) == (None, target.target_by, False)
    law = due(with_length(Length(minutes=10)), {})
    assert (law.by, law.by_law) == (AWARE + timedelta(minutes=10), True)
    sooner = due(with_length(Length(hours=1)), {})
    assert (sooner.by, sooner.by_law) == (AWARE + timedelta(minutes=15), False)


@pytest.mark.parametrize("key", ["no-such-rule.routine", "uk-nca-request.routine", "us-2703f.routine"])
def test_a_target_without_a_clock_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match=key.partition(".")[0]):
        require_targets(RULES, {key: Length(hours=1)})


def test_a_target_is_never_longer_than_the_law_allows() -> None:
    rules = with_length(Length(months=1))
    require_targets(rules, {"uk-osa-66.routine": Length(days=28)})
    with pytest.raises(ConfigurationError, match="longer than the law allows"):
        require_targets(rules, {"uk-osa-66.routine": Length(days=29)})


def test_every_target_of_the_packs_would_be_taken(tmp_path: Path) -> None:
    def awaits(each: Deadline) -> bool:
        return each.starts is Start.AWARENESS and each.target is not None

    own = {
        f"{rule.id}.{urgency}": each.target
        for rule in RULES for each in rule.deadlines if awaits(each) for urgency in each.urgency
    }  # fmt: skip
    require_targets(RULES, {key: length for key, length in own.items() if length})


def test_targets_stand_in_the_configuration(tmp_path: Path) -> None:
    create(tmp_path / "home")
    toml = tmp_path / "home" / "reporter.toml"
    before = toml.read_text()
    toml.write_text(before + "\n[targets.uk-osa-66]\nimmediate = {minutes = 10}\nroutine = {hours = 12}\n")
    assert router(config.load(tmp_path / "home")).targets == {
        "uk-osa-66.immediate": Length(minutes=10),
        "uk-osa-66.routine": Length(hours=12),
    }
    toml.write_text(before + "\n[targets.uk-osa-66]\nimmediate = {minutes = 0}\n")
    with pytest.raises(ConfigurationError, match=r"targets.uk-osa-66.immediate"):
        config.load(tmp_path / "home")
    toml.write_text(before + "\n[targets.uk-osa]\nimmediate = {minutes = 1}\n")
    with pytest.raises(ConfigurationError, match=r"targets.uk-osa: there is no such rule"):
        router(config.load(tmp_path / "home"))
