"""Referrals: the story of a hundred items that a newsroom sent because it was asked to, and what stops its ending."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from reporter.actors.model import Role
from reporter.audit import service as audit
from reporter.contacts.model import ContactKind, Identifiers
from reporter.db.engine import reading, transaction
from reporter.errors import ConflictError, CustodyError, NotFoundError, NotReadyError, PolicyError, UsageError
from reporter.evidence import service as evidence
from reporter.referrals.attachments import came
from reporter.referrals.deciding import Words
from reporter.referrals.keys import key_of
from reporter.referrals.model import Exemption, Item, Outcome, State, Verdict, counts
from reporter.tasks.model import Kind
from reporter.tasks.service import open_tasks
from reporter.testing.documents import write_case
from reporter.testing.house import House
from reporter.testing.people import People
from reporter.testing.referrals import referral

WHY = Words("SYNTHETIC: looked at by policy.")
NOT = Verdict(Outcome.NOT_CONFIRMED, "CS-4")
ELSEWHERE = Verdict(Outcome.OUT_OF_SCOPE)


def unsigned(_connection: object, _subject: object) -> None:
    return


@pytest.fixture
def house(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("REPORTER_REFERRALS__SECOND_LOOK_SHARE", "0.25")
    return House(tmp_path, database=engine)


def taken_in(house: House, count: int = 3, **changes: Any) -> str:
    return house.app.referrals.intake.add(referral(count, **changes), [], "robin").id


def decide(
    house: House, of: str, numbers: Sequence[int], verdict: Verdict, actor: str, words: Words = WHY
) -> list[Item]:
    return house.app.referrals.deciding.decide(of, numbers, verdict, words, actor, unsigned)


def seen(house: House, of: str, viewer: str | None) -> dict[int, Item]:
    return {item.number: item for item in house.app.referrals.overview.show(of).seen_by(viewer)}


def case_with(house: House, reference: str, **person: Any) -> None:
    people = [{"id": "p1", "roles": ["suspect", "sharer"], **person}]
    house.app.cases.add(write_case(house.folder / "cases", reference, people=people), "preparer")


def test_the_story_of_a_hundred_items_that_a_newsroom_sent_because_it_was_asked_to(house: House) -> None:
    of = taken_in(house, 100)
    assert seen(house, of, "ann").keys() == set(range(1, 101))

    # Eighteen are confirmed, each in a case; one is out of scope; two are known photographs; the rest break no rule.
    confirmed, photographs, rest = range(1, 19), (19, 20), range(22, 101)
    for number in confirmed:
        case_with(house, f"TEST-{number:06}", account={"id": f"{9000 + number}"})
        decide(house, of, [number], Verdict(Outcome.CONFIRMED, "CS-1", None, f"TEST-{number:06}"), "ann")
    photograph = Verdict(Outcome.NOT_CONFIRMED, "CS-9", Exemption.NEWS_PHOTOGRAPH)
    decide(house, of, photographs, photograph, "ann", Words("SYNTHETIC: known.", "SYNTHETIC: front page of 1990."))
    decide(house, of, [21], ELSEWHERE, "ann")
    decide(house, of, rest, NOT, "ann")

    # Some of what was not confirmed waits for a second person, who sees items that nobody has decided.
    waiting = [number for number, item in seen(house, of, "ann").items() if item.state is State.SECOND_LOOK]
    assert 2 < len(waiting) < 60
    assert set(waiting) <= {*photographs, *rest}
    for viewer in ("bob", "lee", None):
        assert {seen(house, of, viewer)[number].state for number in waiting} == {State.UNDECIDED}
        assert [seen(house, of, viewer)[number].decisions for number in waiting] == [()] * len(waiting)
    with pytest.raises(PolicyError, match="ann has decided item"):
        decide(house, of, waiting[:1], NOT, "ann")
    with pytest.raises(ConflictError, match="not settled"):
        house.app.referrals.deciding.reopen(of, waiting[:1], "SYNTHETIC", "bob", unsigned)

    # On two of them they differ, and the lead settles that: one is confirmed after all.
    differing, agreeing = waiting[:2], waiting[2:]
    case_with(house, "TEST-000099", account={"id": "9099"})
    found = Verdict(Outcome.CONFIRMED, "CS-1", None, "TEST-000099")
    decide(house, of, agreeing, NOT, "bob")
    decide(house, of, differing, found, "bob")
    assert {seen(house, of, "lee")[number].state for number in differing} == {State.LEAD}
    for actor in ("ann", "bob"):
        with pytest.raises(PolicyError, match="has decided item"):
            decide(house, of, differing, found, actor)
    decide(house, of, differing[:1], found, "lee")
    decide(house, of, differing[1:], NOT, "lee")

    # What became of the hundred items they sent us?
    items = list(seen(house, of, "dana").values())
    numbers = counts(items)
    assert {name: numbers[name] for name in ("items", "undecided", "second_look", "lead")} == {
        "items": 100, "undecided": 0, "second_look": 0, "lead": 0,
    }  # fmt: skip
    assert (numbers["confirmed"], numbers["not_confirmed"], numbers["out_of_scope"]) == (19, 80, 1)
    assert numbers["seen_twice"] == len(waiting)
    assert all(item.verdict and item.decisions for item in items)
    shown = house.app.referrals.overview.show(of)
    said = house.app.referrals.overview.words(shown, items, "dana")
    assert all(said.reasons[made.body]["reason"] for item in items for made in item.decisions)
    assert all(
        said.reasons[item.decisions[0].body]["ground"] for item in items if item.verdict and item.verdict.exemption
    )
    assert said.document.items[99].link == "https://forum.example/p/100"
    answer = house.app.referrals.answers.make(of, "dana")
    assert "- 19: it broke our rules, and we acted on it" in answer.text
    assert "TEST-0000" not in answer.text
    assert [made.digest for made in house.app.referrals.overview.show(of).answers] == [answer.digest]

    # The journalist handed a link over in a message. Nobody reports them for it.
    case_with(house, "TEST-000100", account={"screen_name": "jo_reports"})
    assert [need.rule for need in house.app.submissions.check("TEST-000100")["ncmec"].needs] == ["protected_contact"]
    with pytest.raises(NotReadyError):
        house.app.submissions.approve("TEST-000100", "approver")
    for number in confirmed:
        house.app.submissions.approve(f"TEST-{number:06}", "approver")
    house.until_idle()
    assert len(house.double.reports) == 18
    assert not [report for report in house.double.reports.values() if b"jo_reports" in report.document]
    # It takes two humans, each in words, and the report says nothing that they did not decide.
    stored = house.app.cases.load("TEST-000100")
    for actor in ("preparer", "dana"):
        house.app.contacts.naming.allow(stored, "p1", actor, "SYNTHETIC: judged apart from the referral.", unsigned)
    house.app.submissions.approve("TEST-000100", "approver")


def test_what_people_wrote_is_sealed_and_the_log_says_no_outcome(house: House, engine: Engine) -> None:
    of = taken_in(house, 20)
    decide(house, of, range(1, 21), NOT, "ann", Words("SYNTHETIC-SECRET-REASON"))
    with engine.connect() as connection:
        tables = ("referral", "referral_item", "contact", "contact_mark", "sealed_body", "task")
        rows = [str(row) for table in tables for row in connection.execute(text(f"SELECT * FROM {table}"))]
    for secret in (
        "SYNTHETIC-SECRET-REASON",
        "newsroom.example",
        "jo_reports",
        "SYNTHETIC Newsroom",
        "forum.example/p",
    ):
        assert not [row for row in rows if secret in row]
    with reading(engine) as connection:
        told = audit.events(connection, of)
    judged = [event for event in told if event.kind == "referral_judged"]
    assert [(event.item, event.actor) for event in judged] == [(None, "ann")]  # which items would tell of second looks
    assert {event.actor for event in told if event.kind.startswith("task_")} == {"reporter"}
    for event in told:
        assert "confirmed" not in event.detail
        assert "second" not in event.detail
        assert "CS-4" not in event.detail


@pytest.mark.parametrize("change", ["outcome = 'out_of_scope'", "clause = 'CS-5'", "number = 2", "round = 2"])
def test_another_outcome_than_was_sealed_is_refused(house: House, change: str) -> None:
    of = taken_in(house)
    decide(house, of, [1], Verdict(Outcome.NOT_CONFIRMED, "CS-4"), "ann")
    with transaction(house.app.database) as connection:
        connection.execute(text(f"UPDATE referral_decision SET {change}"))
    shown = house.app.referrals.overview.show(of)
    with pytest.raises(CustodyError, match="something else than was decided"):
        house.app.referrals.overview.words(shown, shown.items, "kim")


def test_the_same_referral_is_taken_once(house: House) -> None:
    of = taken_in(house)
    again = house.app.referrals.intake.add(referral(), [], "kim")
    assert (again.id, again.new) == (of, False)
    assert len(house.app.referrals.overview.list()) == 1
    with pytest.raises(UsageError, match="future"):
        taken_in(house, received_at="2030-01-01T00:00:00Z")
    with pytest.raises(NotFoundError):
        house.app.referrals.overview.show("rf:nothing")


def test_whoever_sent_a_referral_is_protected_from_then_on(house: House) -> None:
    taken_in(house)
    (contact,) = house.app.contacts.register.contacts(Identifiers(emails=("Jo@newsroom.example",)))
    assert contact.kind is ContactKind.NEWSROOM
    assert contact.known_by == {"email": 1, "user_name": 1}
    with pytest.raises(UsageError, match="email of this contact is none"):
        taken_in(house, 2, sender={"kind": "member", "emails": ["nobody"]})
    assert len(house.app.referrals.overview.list()) == 1


INCOMPLETE = [
    (Verdict(Outcome.NOT_CONFIRMED), WHY, "clause"),
    (Verdict(Outcome.NOT_CONFIRMED, "CS 4 in words"), WHY, "is a code"),
    (Verdict(Outcome.CONFIRMED), WHY, "--case"),
    (Verdict(Outcome.OUT_OF_SCOPE, "", None, "TEST-000001"), WHY, "--case"),
    (NOT, Words(" "), "--reason"),
    (Verdict(Outcome.NOT_CONFIRMED, "CS-4", Exemption.WORK_OF_RECORD), WHY, "--ground"),
    (NOT, Words("x", "ground"), "--ground"),
    (Verdict(Outcome.OUT_OF_SCOPE, "", Exemption.WORK_OF_RECORD), Words("x", "y"), "not confirmed"),
]


def test_a_decision_says_all_that_it_takes(house: House) -> None:
    of = taken_in(house)
    for verdict, words, says in INCOMPLETE:
        with pytest.raises(UsageError, match=says):
            decide(house, of, [1], verdict, "ann", words)


def test_a_confirmed_item_is_in_a_case_that_is_one(house: House) -> None:
    of, verdict = taken_in(house), Verdict(Outcome.CONFIRMED, "", None, "TEST-000001")
    with pytest.raises(NotFoundError):
        decide(house, of, [1], verdict, "ann")
    decided = {"decision": "not_confirmed", "by": "r", "at": "2026-11-18T10:04:30Z", "basis": "SYNTHETIC"}
    house.app.cases.add(write_case(house.folder / "cases", confirmation=decided), "preparer")
    with pytest.raises(PolicyError, match="is no case"):
        decide(house, of, [1], verdict, "ann")
    house.app.cases.revise("TEST-000001", write_case(house.folder / "again"), "preparer")
    decide(house, of, [1, 2], verdict, "ann")
    with reading(house.app.database) as connection:
        linked = [e.detail for e in audit.events(connection, "TEST-000001") if e.kind == "referral_linked"]
    assert linked == [f"{of}/1", f"{of}/2"]
    with pytest.raises(NotFoundError, match="numbered 1 to 3"):
        decide(house, of, [4], NOT, "ann")


def test_items_are_decided_all_or_none(house: House) -> None:
    of = taken_in(house)
    decide(house, of, [2], ELSEWHERE, "ann")
    with pytest.raises(ConflictError, match="Item 2 is settled"):
        decide(house, of, [1, 2, 3], ELSEWHERE, "ann")
    assert counts(list(seen(house, of, "ann").values()))["undecided"] == 2


def test_of_several_who_decide_an_item_at_once_one_does(house: House) -> None:
    of = taken_in(house)

    def by(actor: str) -> str:
        try:
            decide(house, of, [1, 2, 3], ELSEWHERE, actor)
        except ConflictError:
            return ""
        return actor

    with ThreadPoolExecutor(4) as pool:
        decided = set(pool.map(by, ("ann", "bob", "kim", "lee"))) - {""}
    items = seen(house, of, None).values()
    assert {made.actor for item in items for made in item.decisions} == decided
    assert len(decided) == 1


def test_an_item_is_opened_again_and_its_history_stays(house: House) -> None:
    of = taken_in(house)
    decide(house, of, [1], ELSEWHERE, "ann")
    with pytest.raises(UsageError):
        house.app.referrals.deciding.reopen(of, [1], " ", "bob", unsigned)
    (opened,) = house.app.referrals.deciding.reopen(of, [1], "SYNTHETIC: they wrote again.", "bob", unsigned)
    assert (opened.state, opened.round, len(opened.decisions)) == (State.UNDECIDED, 2, 1)
    case_with(house, "TEST-000001")
    decide(house, of, [1], Verdict(Outcome.CONFIRMED, "", None, "TEST-000001"), "ann")
    item = seen(house, of, "kim")[1]
    assert [made.verdict.outcome for made in item.decisions] == [Outcome.OUT_OF_SCOPE, Outcome.CONFIRMED]
    assert item.verdict is not None
    assert item.verdict.case == "TEST-000001"
    shown = house.app.referrals.overview.show(of)
    said = house.app.referrals.overview.words(shown, [item], "kim")
    assert said.reasons[shown.reopenings[0].body] == {"reason": "SYNTHETIC: they wrote again."}


def test_deciding_again_draws_nothing_new(house: House) -> None:
    of = taken_in(house, 80)
    decide(house, of, range(1, 81), NOT, "ann")
    drawn = {number for number, item in seen(house, of, "ann").items() if item.state is State.SECOND_LOOK}
    assert drawn
    others = sorted(set(range(1, 81)) - drawn)
    house.app.referrals.deciding.reopen(of, others, "SYNTHETIC", "ann", unsigned)
    decide(house, of, others, NOT, "kim")
    again = {number for number, item in seen(house, of, "kim").items() if item.state is State.SECOND_LOOK}
    assert again == set()


def due(house: House) -> dict[str, Any]:
    with reading(house.app.database) as connection:
        return {task.kind: task.due for task in open_tasks(connection) if task.kind is not Kind.TELL}


def test_what_waits_is_a_task_with_a_clock_that_betrays_no_decision(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTER_REFERRALS__SECOND_LOOK_SHARE", "1")
    house.restart()
    of = taken_in(house, 2, received_at="2026-11-22T10:00:00Z")
    received = house.clock.now() - timedelta(hours=2)
    assert due(house) == {Kind.REFERRAL: received + timedelta(hours=72)}
    house.clock.advance(timedelta(hours=1))
    decide(house, of, [1], NOT, "ann")
    assert due(house) == {Kind.REFERRAL: received + timedelta(hours=72)}
    decide(house, of, [2], NOT, "ann")
    assert due(house) == {Kind.REFERRAL: house.clock.now() + timedelta(hours=72)}
    decide(house, of, [1], ELSEWHERE, "bob")
    decide(house, of, [2], NOT, "bob")
    assert due(house) == {Kind.REFERRAL_LEAD: house.clock.now() + timedelta(hours=24)}
    decide(house, of, [1], NOT, "lee")
    assert due(house) == {}
    house.app.referrals.deciding.reopen(of, [2], "SYNTHETIC", "lee", unsigned)
    assert due(house) == {Kind.REFERRAL: house.clock.now() + timedelta(hours=72)}


def test_outside_the_sandbox_decisions_are_signed_and_the_lead_is_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTER_REFERRALS__SECOND_LOOK_SHARE", "1")
    house.beyond_the_sandbox()
    lead, analyst = frozenset({Role.ESCALATION_LEAD}), frozenset({Role.ANALYST})
    people = People(
        house.app, {"ann": analyst | {Role.COMPLIANCE}, "lee": lead | {Role.COMPLIANCE}, "bob": analyst, "kim": analyst}
    )
    of = taken_in(house)

    def signed(actor: str, verdict: Verdict) -> None:
        witness = people.acts(actor, "referral decide").state
        house.app.referrals.deciding.decide(of, [1], verdict, WHY, actor, witness)

    with pytest.raises(PolicyError, match="signed by somebody enrolled"):
        decide(house, of, [1], NOT, "ann")
    signed("ann", NOT)
    signed("bob", ELSEWHERE)
    with pytest.raises(PolicyError, match="the escalation lead decides"):
        signed("kim", NOT)
    signed("lee", NOT)
    with transaction(house.app.database) as connection:
        subjects = connection.execute(text("SELECT subject FROM signed_statement WHERE verb = 'referral decide'"))
        assert not [subject for (subject,) in subjects if "confirmed" in subject or "CS-4" in subject]


def test_what_came_along_is_sealed_unopened_and_waits_for_people(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "received"
    folder.mkdir()
    for name in ("one.png", "two.png"):
        (folder / name).write_bytes(f"harmless {name}".encode())
    (tmp_path / "letter.eml").write_bytes(b"Subject: SYNTHETIC\n\nTwo links.\n")
    files = came(folder, [tmp_path / "letter.eml"])
    taken = house.app.referrals.intake.add(referral(requested_by="nobody"), files, "robin", remove_source=True)
    assert (taken.attachments, taken.removed, taken.left) == (3, 3, ())
    assert list(folder.iterdir()) == []
    shown = house.app.referrals.overview.show(taken.id)
    assert [(file.item, file.parts) for file in shown.attachments] == [("a0001", None), ("a0002", None), ("a0003", 0)]
    with reading(house.app.database) as connection:
        sealed = evidence.sealed_items(connection, key_of(taken.id))
        told = [event.detail for event in audit.events(connection, taken.id) if event.kind == "attachment_sealed"]
    assert b"".join(house.app.vault.open(sealed[0])) == b"harmless one.png"
    assert all(detail.startswith("unopened requested_by:nobody sha256:") for detail in told)
    assert due(house)[Kind.UNASKED] == house.clock.now() + timedelta(hours=24)
    assert all(found.sound for found in house.app.evidence.integrity.everything("op"))
    with pytest.raises(NotFoundError):
        house.app.evidence.overview.of(key_of(taken.id)[:64])


def test_what_came_later_is_sealed_too_and_the_same_file_once(house: House, tmp_path: Path) -> None:
    of, folder = taken_in(house), tmp_path / "received"
    folder.mkdir()
    for round_, name in enumerate(("one.png", "two.png", "copy-of-two.png"), start=1):
        (folder / name).write_bytes(b"harmless one" if name == "one.png" else b"harmless two")
        taken = house.app.referrals.intake.add(referral(), came(folder, []), "robin", remove_source=round_ == 3)
        assert (taken.id, taken.new, taken.attachments) == (of, False, int(round_ < 3))
    assert taken.removed == 3
    assert list(folder.iterdir()) == []
    assert len(house.app.referrals.overview.show(of).attachments) == 2


def test_what_fails_leaves_nothing_behind(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "received").mkdir()
    (tmp_path / "received" / "one.png").write_bytes(b"harmless")
    files = came(tmp_path / "received", [])

    def fail(*_: object, **__: object) -> None:
        raise PolicyError("SYNTHETIC")

    monkeypatch.setattr("reporter.referrals.intake.evidence.record_items", fail)
    with pytest.raises(PolicyError):
        house.app.referrals.intake.add(referral(), files, "robin")
    assert list(house.app.vault.objects.keys("")) == []
    assert house.app.referrals.overview.list() == []
