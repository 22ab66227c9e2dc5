"""The shipped packs: every row is there, dated, sourced, and honest about what is unverified."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from reporter.errors import ConfigurationError
from reporter.rules.evaluate import Facts, Obligation, Provider, evaluate
from reporter.rules.model import Length, Outcome, Rule, Verdict
from reporter.rules.reading import read, shipped

TODAY = date(2026, 11, 23)
AWARE = datetime(2026, 11, 20, 10, tzinfo=UTC)
RULES = shipped()
NAMED = {
    "us-2258a", "us-2703f", "eu-dsa-18", "eu-dsa-24-5", "eu-eevid-production", "eu-eevid-preservation",
    "eu-interim-derogation", "de-bka", "fr-pharos", "nl-atkm", "uk-osa-66", "uk-police", "uk-nca-request", "ca-mra-2",
    "ca-mra-3", "au-474-25", "nz-dia", "in-pocso-11", "jp-ihc", "kr-22-5", "br-27",
}  # fmt: skip


def says(rule: str, provider: Provider, *, day: date = TODAY, **facts: object) -> Obligation:
    case = Facts(**{"incident": "csam", "aware_at": AWARE, "content": True, **facts})  # type: ignore[arg-type]
    (found,) = [each for each in evaluate(RULES, provider, case, day) if each.rule.id == rule]
    return found


def _rule(name: str, version: int = 1) -> Rule:
    return next(rule for rule in RULES if (rule.id, rule.version) == (name, version))


def test_every_row_is_there() -> None:
    assert {rule.id for rule in RULES} == NAMED


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.id}-{rule.version}")
def test_every_rule_says_where_it_stands_and_in_which_words(rule: Rule) -> None:
    assert rule.source.section
    assert rule.source.checked <= TODAY
    assert all(deadline.words for deadline in rule.deadlines)
    assert all(outcome.reason.endswith(".") for outcome in rule.outcomes)


def test_a_us_provider_must_tell_ncmec_and_keeps_the_report_a_calendar_year_and_a_day() -> None:
    said = says("us-2258a", Provider("US"))
    assert said.verdict is Verdict.MUST
    assert said.due is not None
    assert said.due.law_by is None  # the statute knows no hours
    assert {each.length for each in said.retentions} == {Length(years=1)}


def test_an_account_alone_may_go_to_ncmec_and_never_to_the_ncas_portal() -> None:
    here = Provider("US", frozenset({"US", "GB"}))
    assert says("us-2258a", here, content=False).verdict is Verdict.MAY
    assert says("uk-osa-66", here, content=False).forbids
    assert says("us-2258a", here, content=False, incident="online_enticement").verdict is Verdict.MUST


@pytest.mark.parametrize(
    ("provider", "uk_linked", "verdict"),
    [
        (Provider("GB"), False, Verdict.MUST),
        (Provider("GB", ncmec_arrangement=True), True, Verdict.NOT_BOUND),
        (Provider("US", frozenset({"GB"})), True, Verdict.MUST),
        (Provider("US", frozenset({"GB"})), False, Verdict.MUST_NOT),
        (Provider("US", frozenset({"GB"}), ncmec_arrangement=True), True, Verdict.NOT_BOUND),
        (Provider("US", frozenset({"US"})), True, Verdict.NOT_BOUND),
    ],
)
def test_who_tells_the_nca(provider: Provider, uk_linked: bool, verdict: Verdict) -> None:
    assert says("uk-osa-66", provider, uk_linked=uk_linked).verdict is verdict


def test_the_duty_to_tell_the_nca_begins_on_its_day() -> None:
    case = Facts("csam", AWARE, content=True)
    before = evaluate(RULES, Provider("GB"), case, date(2026, 4, 6))
    assert "uk-osa-66" not in {each.rule.id for each in before}
    assert says("uk-osa-66", Provider("GB"), day=date(2026, 4, 7)).verdict is Verdict.MUST


def test_the_ncas_levels_have_words_and_the_operators_own_targets() -> None:
    due = {
        level: says("uk-osa-66", Provider("GB"), urgency=level).due for level in ("immediate", "near_future", "routine")
    }
    assert [each.words for each in due.values() if each] == [
        "immediately", "as soon as reasonably practicable", "without undue delay",
    ]  # fmt: skip
    assert [each.verified for each in due.values() if each] == [True, False, False]
    assert all(each and each.law_by is None and each.target_by for each in due.values())


def test_targets_are_settings() -> None:
    case = Facts("csam", AWARE, content=True)
    own = {"uk-osa-66.routine": Length(hours=2)}
    (said,) = [each for each in evaluate(RULES, Provider("GB"), case, TODAY, own) if each.rule.id == "uk-osa-66"]
    assert said.due is not None
    assert said.due.target_by == datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_canada_keeps_section_3_when_section_2_is_met_elsewhere() -> None:
    here = Provider("US", frozenset({"CA"}), ncmec_arrangement=True)
    assert says("ca-mra-2", here).verdict is Verdict.NOT_BOUND
    assert says("ca-mra-3", here).verdict is Verdict.MUST


def test_canadas_21_days_destroy_and_its_new_act_waits() -> None:
    now, later = _rule("ca-mra-3"), _rule("ca-mra-3", 2)
    (cap,) = [each for each in now.retentions if each.kind == "cap"]
    assert (cap.mark or now.source.mark).verified
    assert not later.in_force(date(2030, 1, 1))


def test_an_unverified_cap_starts_no_destruction() -> None:
    rule = _rule("eu-interim-derogation", 2)
    (cap,) = rule.retentions
    assert cap.kind == "cap"
    assert not (cap.mark or rule.source.mark).verified


def test_no_derogation_was_in_force_in_the_summer_of_2026() -> None:
    versions = [rule for rule in RULES if rule.id == "eu-interim-derogation"]
    assert [rule.in_force(date(2026, 4, 2)) for rule in versions] == [True, False]
    assert not any(rule.in_force(date(2026, 6, 1)) for rule in versions)
    assert [rule.in_force(date(2026, 7, 31)) for rule in versions] == [False, True]


def test_an_unverified_rule_never_forbids() -> None:
    case = Facts("csam", AWARE, content=True)
    unverified = [rule for rule in RULES if not rule.source.mark.verified]
    assert unverified
    no = Outcome(verdict=Verdict.MUST_NOT, reason="No.")
    refusing = [rule.model_copy(update={"outcomes": (no,)}) for rule in unverified]
    assert not any(said.forbids for said in evaluate(refusing, Provider("US"), case, TODAY))


def test_a_pack_that_breaks_the_form_is_refused_by_name_and_key(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[[rule]]\nid = "x"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"own\.toml.*rule\.0\.version"):
        read(tmp_path)
    (tmp_path / "own.toml").write_text("[[rule", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        read(tmp_path)


def test_two_versions_in_force_at_once_are_refused(tmp_path: Path) -> None:
    pack = Path("reporter/rules/packs/us.toml").read_text(encoding="utf-8")
    again = pack.replace("version = 2", "version = 3").replace(
        "effective_from = 2024-05-07", "effective_from = 2026-01-01"
    )
    (tmp_path / "a.toml").write_text(pack, encoding="utf-8")
    (tmp_path / "b.toml").write_text(again[: again.index('[[rule]]\nid = "us-2703f"')], encoding="utf-8")
    with pytest.raises(ConfigurationError, match="versions 2 and 3 at once"):
        read(tmp_path)
