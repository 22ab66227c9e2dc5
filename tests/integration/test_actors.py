"""Enrolled people on both databases: what two of them decide, what a signature is worth, and attacks on both."""

import dataclasses
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, text, update

from reporter.actors import proofs, register
from reporter.actors.model import Change, ChangeKind, Person, Proof, ProofKind, Role, Signature, Statement
from reporter.actors.service import WINDOW, Presence
from reporter.actors.tables import ActorProof, SignedStatement
from reporter.actors.verification import verify
from reporter.audit import service as audit
from reporter.db.engine import transaction
from reporter.errors import NotFoundError, PolicyError, ReporterError, UsageError
from reporter.submissions.approvals import VERB
from reporter.submissions.tables import Approval, Submission
from reporter.testing.documents import write_case
from reporter.testing.house import House
from reporter.testing.people import People

REF = "TEST-000001"
ROLES = {
    "robin": frozenset({Role.ADMINISTRATOR}),
    "dana": frozenset({Role.COMPLIANCE}),
    "kim": frozenset({Role.ESCALATION_LEAD}),
    "lee": frozenset({Role.ANALYST}),
}


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> House:
    """Give a house that is pointed at the authority's test system, which the double plays."""
    made = House(tmp_path, database=engine)
    made.beyond_the_sandbox()
    return made


@pytest.fixture
def people(house: House) -> People:
    return People(house.app, ROLES)


def person(handle: str, *roles: Role, kind: ProofKind = ProofKind.KEY) -> Person:
    return Person(handle, frozenset(roles), proofs=(Proof(kind, proofs.public_key(proofs.new_key())),))


def kinds(house: House) -> list[str]:
    with transaction(house.app.database) as connection:
        return [event.kind for event in audit.events(connection)]


def approve(house: House, people: People, handle: str) -> Any:
    (approved,) = house.app.submissions.approve(REF, handle, "ncmec", people.acts(handle, VERB).state)
    return approved


def added(house: House, by: str = "lee") -> None:
    house.app.cases.add(write_case(house.folder / "cases", REF), by)


# --- the register -----------------------------------------------------------------------------------------------


def test_a_register_is_founded_by_two_and_grows_by_two(house: House, people: People) -> None:
    assert [(entry.handle, entry.roles) for entry in house.app.actors.people()] == sorted(ROLES.items())
    assert house.app.changes.waiting() == []
    assert verify(house.app.database) == (6, [])
    told = kinds(house)
    assert told.count("actors_founded") == told.count("actor_enrolled") == 2


def test_nobody_founds_a_second_register(house: House, people: People) -> None:
    again = Change(ChangeKind.FOUND, (person("x1", Role.ADMINISTRATOR), person("x2", Role.ADMINISTRATOR)))
    with pytest.raises(PolicyError, match="enrolled here already"):
        house.app.changes.propose(again, people.acts("robin", "actor found"))


def test_one_person_alone_founds_no_register(house: House) -> None:
    key = proofs.new_key()
    one = Person("one", ROLES["robin"], proofs=(Proof(ProofKind.KEY, proofs.public_key(key)),))
    who = Presence(house.app.actors, "actor found", "one", proofs.signer(key), one)
    twice = dataclasses.replace(one, handle="two")
    for both in ((one, twice), (one,), (one, person("two", Role.COMPLIANCE, kind=ProofKind.TOKEN))):
        with pytest.raises(UsageError, match="two people, each with a key of their own"):
            house.app.changes.propose(Change(ChangeKind.FOUND, both), who)
    other = person("two", Role.COMPLIANCE)
    number = house.app.changes.propose(Change(ChangeKind.FOUND, (one, other)), who)
    with pytest.raises(PolicyError, match="different person"):
        house.app.changes.approve(number, Presence(house.app.actors, "actor approve", "one", proofs.signer(key), one))
    forged = Presence(house.app.actors, "actor approve", "two", proofs.signer(key), other)
    with pytest.raises(PolicyError, match="no proof of two"):
        house.app.changes.approve(number, forged)
    assert house.app.actors.people() == []


@pytest.mark.parametrize(
    ("change", "first", "second", "says"),
    [
        (Change(ChangeKind.ENROL, (person("new", Role.LEGAL),)), "robin", "robin", "a different person"),
        (Change(ChangeKind.ROLES, (Person("dana", ROLES["robin"]),)), "robin", "dana", "This is about dana"),
        (Change(ChangeKind.ENROL, (person("new", Role.LEGAL),)), "kim", "dana", "kim may not run"),
        (Change(ChangeKind.ENROL, (person("new", Role.LEGAL),)), "dana", "lee", "lee may not run"),
        (Change(ChangeKind.ENROL, (person("new"),)), "dana", "robin", "needs a role"),
        (Change(ChangeKind.ENROL, (person("kim", Role.LEGAL),)), "dana", "robin", "enrolled already"),
        (Change(ChangeKind.ROLES, (Person("who", ROLES["kim"]),)), "dana", "robin", "who is not enrolled"),
        (Change(ChangeKind.ENABLE, (Person("kim", frozenset()),)), "dana", "robin", "not suspended"),
    ],
    ids=range(8),
)  # fmt: skip
def test_a_change_takes_two_who_may_and_whom_it_is_not_about(
    house: House, people: People, change: Change, first: str, second: str, says: str
) -> None:
    before = house.app.actors.people()
    with pytest.raises(ReporterError, match=says):
        people.decide(change, first, second)
    assert house.app.actors.people() == before


def test_no_key_and_no_token_is_enrolled_under_two_names(house: House, people: People) -> None:
    of_kim = Proof(ProofKind.KEY, proofs.public_key(people.keys["kim"]))
    for proof in (of_kim, Proof(ProofKind.TOKEN, of_kim.public_key)):
        with pytest.raises(PolicyError, match="is, or was, somebody's already"):
            people.decide(Change(ChangeKind.ENROL, (Person("kim2", ROLES["kim"], proofs=(proof,)),)), "robin", "dana")
    people.decide(Change(ChangeKind.ENROL, (person("kim"),)), "robin", "dana")  # a new key in place of the old one
    with pytest.raises(PolicyError, match="is, or was, somebody's already"):
        people.decide(Change(ChangeKind.ENROL, (Person("kim2", ROLES["kim"], proofs=(of_kim,)),)), "robin", "dana")
    with pytest.raises(PolicyError, match="no proof of kim"):
        people.acts("kim", VERB).act({})


def test_a_proposal_is_worth_nothing_once_its_maker_is_suspended(house: House, people: People) -> None:
    number = house.app.changes.propose(
        Change(ChangeKind.ENROL, (person("new", Role.LEGAL),)), people.acts("robin", "actor enrol")
    )
    house.app.changes.suspend("robin", people.acts("kim", "actor suspend"))
    with pytest.raises(PolicyError, match="robin is suspended"):
        house.app.changes.approve(number, people.acts("dana", "actor approve"))


def test_one_suspends_at_once_and_two_let_act_again(house: House, people: People) -> None:
    people.decide(Change(ChangeKind.ENROL, (person("pat", Role.COMPLIANCE),)), "robin", "dana")
    house.app.changes.suspend("kim", people.acts("dana", "actor suspend"))
    with pytest.raises(PolicyError, match="kim is suspended"):
        people.acts("kim", VERB).act({})
    people.decide(Change(ChangeKind.ENABLE, (Person("kim", frozenset()),)), "dana", "robin")
    assert people.acts("kim", VERB).act({}) == "kim"
    with pytest.raises(NotFoundError):
        house.app.changes.suspend("nobody", people.acts("dana", "actor suspend"))
    assert verify(house.app.database)[1] == []


def test_a_bare_name_decides_nothing_about_who_may_act(house: House) -> None:
    bare = Presence(house.app.actors, "actor found", "robin")
    both = Change(ChangeKind.FOUND, (person("robin", Role.ADMINISTRATOR), person("dana", Role.COMPLIANCE)))
    with pytest.raises(PolicyError, match="bare name"):
        house.app.changes.propose(both, bare)


# --- a statement ------------------------------------------------------------------------------------------------


def statement(house: House, **changes: Any) -> Statement:
    with transaction(house.app.database) as connection:
        home = register.home_of(connection)
    said = Statement("submission approve", {"digest": "d"}, "test", home, "kim", house.clock.now(), "n" * 32)
    return dataclasses.replace(said, **changes)


def accept(house: House, said: Statement, signature: Signature) -> str:
    with transaction(house.app.database) as connection:
        return house.app.actors.accept(connection, said, signature)


def test_a_statement_is_good_for_once(house: House, people: People) -> None:
    said = statement(house)
    signature = proofs.signer(people.keys["kim"])(said.content())
    assert accept(house, said, signature) == said.nonce
    with pytest.raises(PolicyError, match="used before"):
        accept(house, said, signature)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"environment": "production"}, "another home or environment"),
        ({"home": "0" * 32}, "another home or environment"),
        ({"verb": "actor enrol"}, "kim may not run"),
        ({"verb": "case list"}, "needs nobody"),
        ({"verb": "house burn"}, "in no table"),
        ({"actor": "dana"}, "no proof of dana"),
        ({"actor": "nobody"}, "no proof of nobody"),
    ],
    ids=lambda value: str(value),
)
def test_a_statement_of_another_house_verb_or_person_is_refused(
    house: House, people: People, changes: dict[str, str], says: str
) -> None:
    said = statement(house, **changes)
    with pytest.raises(PolicyError, match=says):
        accept(house, said, proofs.signer(people.keys["kim"])(said.content()))


@pytest.mark.parametrize("off", [WINDOW + timedelta(seconds=1), -WINDOW - timedelta(seconds=1)], ids=["late", "early"])
def test_a_statement_of_another_time_is_refused(house: House, people: People, off: timedelta) -> None:
    said = statement(house, at=house.clock.now() - off)
    with pytest.raises(PolicyError, match="too old or too early"):
        accept(house, said, proofs.signer(people.keys["kim"])(said.content()))


def test_a_signature_over_something_else_is_refused(house: House, people: People) -> None:
    said = statement(house)
    signature = proofs.signer(people.keys["kim"])(dataclasses.replace(said, subject={"digest": "e"}).content())
    with pytest.raises(PolicyError, match="does not hold"):
        accept(house, said, signature)


def test_a_token_hands_in_and_approves_nothing(house: House, people: People) -> None:
    key = proofs.new_key()
    robot = Person("robot", frozenset({Role.ESCALATION_LEAD}), proofs=(Proof(ProofKind.TOKEN, proofs.public_key(key)),))
    people.decide(Change(ChangeKind.ENROL, (robot,)), "robin", "dana")
    people.keys["robot"] = key
    assert people.acts("robot", "case add").act({}) == "robot"
    with pytest.raises(PolicyError, match="a token is not enough"):
        people.acts("robot", VERB).act({})
    with transaction(house.app.database) as connection:
        rows = connection.execute(select(ActorProof.__table__)).all()  # type: ignore[attr-defined]
    assert proofs.token(key).removeprefix("reporter-token-") not in repr(rows)


# --- two people -------------------------------------------------------------------------------------------------


def test_a_case_prepared_and_approved_by_two_enrolled_people_is_sent(house: House, people: People) -> None:
    added(house)
    assert approve(house, people, "kim").missing == 0
    house.until_idle()
    assert house.submission()["state"] == "accepted"
    with transaction(house.app.database) as connection:
        (row,) = connection.execute(select(Approval.__table__)).all()  # type: ignore[attr-defined]
        said = json.loads(connection.execute(select(SignedStatement.__table__.c.subject).where(  # type: ignore[attr-defined]
            SignedStatement.__table__.c.nonce == row.statement)).scalar_one())  # type: ignore[attr-defined]  # fmt: skip
    assert said == {"reference": REF, "authority": "ncmec", "environment": "test", "digest": row.digest}


def test_a_name_that_is_nobodys_counts_for_nothing(house: House, people: People) -> None:
    added(house, by="somebody")
    assert approve(house, people, "kim").missing == 1
    assert approve(house, people, "dana").missing == 0


def test_a_name_taken_before_it_was_enrolled_counts_for_nothing(house: House) -> None:
    added(house, by="lee")
    house.clock.advance(timedelta(seconds=1))
    people = People(house.app, ROLES)
    assert approve(house, people, "kim").missing == 1


def test_a_program_is_none_of_the_two_people(house: House, people: People) -> None:
    robot = person("robot", Role.ANALYST, kind=ProofKind.TOKEN)
    people.decide(Change(ChangeKind.ENROL, (robot,)), "robin", "dana")
    house.clock.advance(timedelta(seconds=1))
    added(house, by="robot")
    assert approve(house, people, "kim").missing == 1


def test_nobody_approves_their_own_case_under_a_second_name(house: House, people: People) -> None:
    added(house, by="kim")
    with pytest.raises(PolicyError, match="kim prepared this case"):
        approve(house, people, "kim")
    with pytest.raises(PolicyError, match="signed by somebody enrolled"):
        house.app.submissions.approve(REF, "dana", "ncmec")
    as_dana = Presence(house.app.actors, VERB, "dana", proofs.signer(people.keys["kim"]))
    with pytest.raises(PolicyError, match="no proof of dana"):
        house.app.submissions.approve(REF, "dana", "ncmec", as_dana.state)
    assert house.submission()["state"] == "ready"


# --- a hostile database administrator ---------------------------------------------------------------------------


def forge(house: House, statement: str) -> None:
    with transaction(house.app.database) as connection:
        connection.execute(text(statement))


def test_an_approval_written_into_the_database_counts_for_nothing(house: House, people: People) -> None:
    added(house, by="somebody")
    assert approve(house, people, "kim").missing == 1
    with transaction(house.app.database) as connection:
        given = connection.execute(select(Approval.__table__)).one()  # type: ignore[attr-defined]
        for handle, nonce in (("dana", None), ("robin", given.statement)):
            connection.execute(insert(Approval).values(
                submission_id=given.submission_id, actor=handle, digest=given.digest, at=given.at, statement=nonce
            ))  # fmt: skip
    people.decide(Change(ChangeKind.ENROL, (person("pat", Role.COMPLIANCE),)), "robin", "dana")
    people.decide(Change(ChangeKind.ROLES, (Person("lee", ROLES["kim"]),)), "robin", "dana")
    assert approve(house, people, "lee").missing == 0  # kim and lee; neither of the two forged


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE signed_statement SET subject = replace(subject, 'test', 'TEST') WHERE verb = 'submission approve'",
        "UPDATE signed_statement SET signature = 'AAAA' WHERE verb = 'submission approve'",
        "UPDATE signed_statement SET actor = 'dana' WHERE verb = 'submission approve'",
        "UPDATE approval SET actor = 'dana'",
        "UPDATE approval SET statement = NULL",
        "DELETE FROM approval",
    ],
)
def test_what_was_approved_by_altered_rows_is_not_sent(house: House, people: People, tamper: str) -> None:
    added(house)
    approve(house, people, "kim")
    forge(house, tamper)
    house.until_idle()
    shown = house.submission()
    assert (shown["state"], shown["attempts"]) == ("attention", 0)
    assert "approvals do not hold" in shown["reason"]
    assert house.double.reports == {}
    if "signed_statement" in tamper:
        assert len(verify(house.app.database)[1]) == 1


def test_a_package_exchanged_for_another_approved_one_is_not_sent(house: House, people: People) -> None:
    added(house)
    approve(house, people, "kim")
    incident = {"type": "csam", "occurred_at": "2026-11-17T09:55:00Z", "summary": "SYNTHETIC TEST CASE."}
    house.app.cases.revise(REF, write_case(house.folder / "new", REF, incident=incident), "lee")
    with transaction(house.app.database) as connection:
        bodies = connection.execute(text("SELECT id FROM sealed_body WHERE kind = 'package'")).all()
        assert len(bodies) == 1
    approve(house, people, "kim")
    with transaction(house.app.database) as connection:
        connection.execute(update(Submission).values(package_body=bodies[0].id))
    house.until_idle()
    assert (house.submission()["state"], house.double.reports) == ("attention", {})


@pytest.mark.parametrize("altered", ["roles", "key"])
def test_a_person_written_into_the_database_is_found(house: House, people: People, altered: str) -> None:
    with transaction(house.app.database) as connection:
        if altered == "roles":
            connection.execute(text("UPDATE actor SET roles = 'compliance' WHERE handle = 'lee'"))
        else:
            connection.execute(insert(ActorProof).values(
                public_key=proofs.public_key(proofs.new_key()), handle="dana", kind="key", change_number=1
            ))  # fmt: skip
    (trouble,) = verify(house.app.database)[1]
    assert ("lee has other roles" if altered == "roles" else "dana has the key") in trouble


# --- the sandbox ------------------------------------------------------------------------------------------------


def test_in_the_sandbox_a_name_is_enough(tmp_path: Path, engine: Engine) -> None:
    house = House(tmp_path, database=engine)
    assert not house.app.actors.required
    house.approved()
    house.until_idle()
    assert house.submission()["state"] == "accepted"
    with transaction(engine) as connection:
        assert connection.execute(select(SignedStatement.__table__)).all() == []  # type: ignore[attr-defined]
