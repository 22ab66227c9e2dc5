"""The clocks of cases: started by filings, stored, never shortened; extensions, conflicts, and what stands against."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from reporter.db.engine import reading, transaction
from reporter.errors import PolicyError, UsageError
from reporter.retention.demand import Scope
from reporter.retention.effect import Change, RuleEffect
from reporter.retention.model import Standing
from reporter.retention.started import filings
from reporter.rules.model import Length, Retention, Rule
from reporter.submissions.routing import Router
from reporter.tasks.desk import Outcome
from reporter.tasks.model import Kind
from reporter.tasks.service import open_task
from reporter.testing.documents import write_case
from reporter.testing.house import House

REF, OTHER = "TEST-000001", "TEST-000002"
YEAR_AND_DAY = timedelta(days=366)
WHY = "Synthetic."


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> Iterator[House]:
    house = House(tmp_path, database=engine)
    house.approved(REF, files={"e1": b"harmless"})
    house.until_idle()
    yield house
    house.app.close()


def destroy(house: House, who: str, item: str = "e1") -> None:
    house.app.evidence.destruction.destroy(REF, item, who, "Synthetic.")


def pending(house: House) -> None:
    document = {"decision": "pending", "by": "r", "at": "2026-11-18T10:04:30Z", "basis": "Synthetic."}
    house.app.cases.add(write_case(house.folder / "cases", OTHER, confirmation=document), "preparer")


def told(house: House, authority: str = "ca-police", rule: str = "ca-mra-3/1") -> None:
    """
    Have two people say that an authority was told by other means; that of Canada's police starts a cap of 21 days
    (S.C. 2011, c. 4, s. 4).
    """
    with transaction(house.app.database) as connection:
        number = open_task(
            connection, house.clock.now(), kind=Kind.TELL, about="told", reference=REF, authority=authority,
            rule=rule, actor="robin",
        )  # fmt: skip
    for who in ("robin", "dana"):
        house.app.tasks.desk.done(number, who, Outcome.DONE, "Told.", "REF-77")


def test_an_accepted_report_is_kept_for_its_year_and_then_due(house: House) -> None:
    kept = house.app.retention.clocks.show(REF)
    assert kept.material.standing is Standing.KEPT
    floor = next(clock for clock in kept.material.clocks if clock.retention == "us-2258a-h")
    assert (floor.rule, floor.version, floor.cause.split()[0]) == ("us-2258a", 2, "submission")
    assert "2258A" in floor.source
    with pytest.raises(PolicyError, match="us-2258a/2"):
        destroy(house, "ann")
    house.clock.advance_to(floor.ends)  # type: ignore[arg-type]
    assert house.app.retention.clocks.show(REF).due
    destroy(house, "ann")


def test_a_hold_placed_while_a_destruction_waits_stops_it_and_a_released_one_does_not(house: House) -> None:
    house.clock.advance(YEAR_AND_DAY + timedelta(days=1))
    destroy(house, "ann")
    holds = house.app.retention.holds
    hold = holds.place(Scope.model_validate({"items": [{"case": REF, "item": "e1"}]}), "lea", "Synthetic.").number
    with pytest.raises(PolicyError, match=f"hold {hold}"):
        destroy(house, "bob")
    assert house.app.retention.clocks.show(REF).material.standing is Standing.HELD
    holds.release(hold, "lea", "Done.")
    with pytest.raises(PolicyError, match=f"hold {hold}"):
        destroy(house, "bob")
    holds.release(hold, "sam", "Agreed.")
    destroy(house, "bob")
    too_late = holds.place(Scope.model_validate({"cases": [REF]}), "lea", "Synthetic.", everything=True).too_late
    assert list(too_late) == [f"{REF}/e1"]


def test_what_was_never_filed_has_a_clock_of_its_own(house: House) -> None:
    pending(house)
    kept = house.app.retention.clocks.show(OTHER)
    assert (kept.material.standing, kept.material.clocks[0].retention) == (Standing.KEPT, "unfiled_days")
    house.clock.advance(timedelta(days=89))
    path = write_case(house.folder / "again", OTHER, confirmation={
        "decision": "not_confirmed", "by": "r", "at": "2026-11-18T10:04:30Z", "basis": "Synthetic.",
    })  # fmt: skip
    house.app.cases.revise(OTHER, path, "preparer")
    house.clock.advance(timedelta(days=89))
    assert not house.app.retention.clocks.show(OTHER).due, "it counts from the last that happened"
    house.clock.advance(timedelta(days=1))
    assert house.app.retention.clocks.show(OTHER).due


def test_who_must_still_be_told_keeps_a_case(house: House) -> None:
    house.app.cases.add(write_case(house.folder / "cases", OTHER, files={"e1": b"harmless"}), "preparer")
    house.clock.advance(timedelta(days=5000))
    kept = house.app.retention.clocks.show(OTHER)
    assert (kept.material.due, kept.owed, kept.due) == (True, ("ncmec",), False)
    room = house.app.evidence
    with pytest.raises(PolicyError, match="ncmec must still be told"):
        room.destruction.destroy(OTHER, "e1", "ann", WHY)
    with pytest.raises(PolicyError, match="ncmec must still be told"):
        room.cases.destroy(OTHER, "ann", WHY)
    house.spare(OTHER)
    assert house.app.retention.clocks.show(OTHER).due
    with transaction(house.app.database) as connection:
        house.app.duties.keep(connection, house.app.cases.load(OTHER, connection).case, "robin")
    assert house.app.tasks.desk.tasks(reference=OTHER) == [], "what two people said stays said"
    room.destruction.destroy(OTHER, "e1", "ann", WHY)


def test_who_must_be_told_by_hand_keeps_a_case(house: House) -> None:
    house.clock.advance(YEAR_AND_DAY)
    with transaction(house.app.database) as connection:
        open_task(
            connection, house.clock.now(), kind=Kind.TELL, about="x", reference=REF, authority="bka", actor="robin"
        )  # fmt: skip
    assert house.app.retention.clocks.show(REF).owed == ("bka",)
    with pytest.raises(PolicyError, match="bka must still be told"):
        destroy(house, "ann")
    house.spare(REF)
    destroy(house, "ann")


def test_a_conflict_is_stated_and_a_person_decides_it(house: House) -> None:
    told(house)
    kept = house.app.retention.clocks.show(REF)
    assert (kept.material.standing, kept.decided_until) == (Standing.CONFLICT, None)
    review = house.clock.now() + timedelta(days=30)
    pending(house)
    with pytest.raises(PolicyError, match="no conflict"):
        house.app.retention.longer.decide_conflict(OTHER, review, "lea", "Synthetic.")
    with pytest.raises(UsageError):
        house.app.retention.longer.decide_conflict(REF, review, "lea", " ")
    house.app.retention.longer.decide_conflict(REF, review, "lea", "The law of our seat asks for the year.")
    kept = house.app.retention.clocks.show(REF)
    assert (kept.material.standing, kept.decided_until) == (Standing.CONFLICT, review)
    house.clock.advance_to(review)
    assert house.app.retention.clocks.show(REF).decided_until is None, "and then somebody looks again"
    house.clock.advance(YEAR_AND_DAY)
    assert house.app.retention.clocks.show(REF).material.standing is Standing.OVERDUE


def test_an_extension_takes_two_people_a_purpose_and_a_review(house: House) -> None:
    longer, now = house.app.retention.longer, house.clock.now()
    until, review = now + timedelta(days=800), now + timedelta(days=400)
    for wrong in ((until, review, " "), (review, until, "Purpose."), (now, now, "Purpose.")):
        with pytest.raises(UsageError):
            longer.extend(REF, wrong[0], wrong[1], "lea", wrong[2])
    assert not longer.extend(REF, until, review, "lea", "To help prevent it.").approved
    with pytest.raises(PolicyError, match="a different person"):
        longer.extend(REF, until, review, "lea", "To help prevent it.")
    house.clock.advance(YEAR_AND_DAY + timedelta(days=1))
    assert house.app.retention.clocks.show(REF).due, "asked for by one, it keeps nothing"
    assert longer.extend(REF, until, review, "sam", "Agreed.").approved
    kept = house.app.retention.clocks.show(REF)
    assert kept.material.earliest_destroy == until
    assert any(task.kind is Kind.EXTENSION_REVIEW and task.due == review for task in house.app.tasks.desk.tasks())
    longer.review(_number(house), "lea", "Still needed.", until)
    with reading(house.app.database) as connection:
        body = connection.execute(text("SELECT review_body FROM keep_longer")).scalar_one()
        assert house.app.bodies.open(connection, body) == b"Still needed."
    house.clock.advance_to(until)
    assert house.app.retention.clocks.show(REF).due


def _number(house: House) -> int:
    with reading(house.app.database) as connection:
        return int(connection.execute(text("SELECT id FROM keep_longer")).scalar_one())


def changed(rules: Any, **changes: Any) -> tuple[Rule, ...]:
    """Give the rules with another length of the United States' floors."""

    def other(retention: Retention) -> Retention:
        return retention.model_copy(update=changes) if retention.id == "us-2258a-h" else retention

    return tuple(
        rule.model_copy(update={"retentions": tuple(other(each) for each in rule.retentions)}) for rule in rules
    )


@pytest.mark.parametrize(
    ("length", "change", "added"),
    [(Length(months=3), Change.SHORTER, 0), (Length(years=2), Change.LONGER, 1), (Length(years=1), None, 0)],
)
def test_a_changed_rule_shows_its_effect_and_never_shortens(
    house: House, length: Length, change: Change | None, added: int
) -> None:
    before = house.app.retention.clocks.show(REF).material.earliest_destroy
    rules = house.app.retention.rules
    routes = replace(rules._routes, rules=changed(rules._routes.rules, length=length))
    effect = RuleEffect(house.app.database, house.clock, rules._started, routes)
    assert [each.change for each in effect.effects()] == ([change] if change else [])
    assert house.app.retention.clocks.show(REF).material.earliest_destroy == before, "shown, not applied"
    assert effect.apply("lea") == added
    after = house.app.retention.clocks.show(REF).material.earliest_destroy
    assert after is not None and before is not None
    assert after >= before and (after > before) is bool(added)
    assert effect.apply("lea") == 0


def test_rules_that_are_gone_take_no_clock_along(house: House) -> None:
    before = house.app.retention.clocks.show(REF).material.earliest_destroy
    rules = house.app.retention.rules
    effect = RuleEffect(house.app.database, house.clock, rules._started, Router((), rules._routes.organisation))
    assert effect.apply("lea") == 0
    assert house.app.retention.clocks.show(REF).material.earliest_destroy == before


def test_a_receipt_of_unknown_time_lies_between_approval_and_word(house: House) -> None:
    with transaction(house.app.database) as connection:
        learnt = house.clock.now() + timedelta(days=3)
        values = {"at": learnt if connection.dialect.name == "postgresql" else str(learnt)[:19]}
        connection.execute(text("UPDATE submission SET receipt_kind = 'inferred', receipt_at = :at"), values)
        (filed,) = filings(connection, REF)
    assert filed.latest.replace(microsecond=0) == learnt.replace(microsecond=0)
    assert filed.earliest <= house.clock.now()


def test_a_receipt_that_people_date_before_the_case_shortens_no_floor(house: House) -> None:
    house.app.cases.add(write_case(house.folder / "cases", OTHER, files={"e1": b"harmless"}), "preparer")
    at = house.clock.now() - timedelta(days=400)
    for who in ("ann", "bob"):
        house.app.resolutions.record_receipt(OTHER, "ncmec", who, "Synthetic.", "7", at)
    kept = house.app.retention.clocks.show(OTHER)
    assert kept.material.earliest_destroy is not None
    assert kept.material.earliest_destroy > house.clock.now() + timedelta(days=365)
    with pytest.raises(PolicyError, match="us-2258a/2"):
        house.app.evidence.cases.destroy(OTHER, "ann", "Synthetic.")


def test_a_conflict_is_a_task_and_an_alarm_until_it_is_decided_or_over(house: House) -> None:
    def alarms() -> list[str]:
        house.app.alarms.watch.check()
        return [each.matter.kind for each in house.app.alarms.register.standing()]

    told(house)
    house.app.jobs.run("retention")
    assert [task.about for task in house.app.tasks.desk.tasks() if task.kind is Kind.RETENTION_CONFLICT] == [REF]
    assert "retention_conflict" in alarms()
    review = house.clock.now() + timedelta(days=30)
    house.app.retention.longer.decide_conflict(REF, review, "lea", "The law of our seat asks for the year.")
    house.app.jobs.run("retention")
    assert "retention_conflict" not in alarms()
    house.clock.advance_to(review)
    house.app.jobs.run("retention")
    assert "retention_conflict" in alarms(), "it comes up again"


def test_a_reference_outlives_its_case_for_as_long_as_the_law_wants_it(house: House) -> None:
    told(house, "nca", "uk-osa-66/1")
    kept = house.app.retention.clocks.show(REF)
    assert kept.receipts.standing is Standing.KEPT
    house.clock.advance(YEAR_AND_DAY + timedelta(days=2))
    for who in ("ann", "bob"):
        house.app.evidence.cases.destroy(REF, who, "Synthetic.")

    def references() -> list[str]:
        with reading(house.app.database) as connection:
            return list(connection.execute(text("SELECT receipt FROM reference_record")).scalars())

    house.app.jobs.run("retention")
    assert references() == ["REF-77"], "NCMEC's is wanted by no law that was read"
    house.clock.advance(timedelta(days=4 * 366))
    house.app.jobs.run("retention")
    assert references() == []
