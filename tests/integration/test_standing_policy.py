"""A standing policy where people sign: two signatures over its terms, and nothing that rows in a database can add."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, text, update

from reporter.cases.tables import CaseRecord
from reporter.db.engine import transaction
from reporter.errors import NotFoundError, PolicyError
from reporter.evidence.tables import CaseDestruction
from reporter.retention.batches import BATCH, ENTRY, Batch
from reporter.retention.demand import Scope
from reporter.retention.tables import StandingPolicy
from reporter.testing.documents import write_case
from reporter.testing.house import House

ONE, TWO, LATE, WHY = "TEST-000001", "TEST-000002", "TEST-000003", "SYNTHETIC: agreed."
ADOPT = "retention adopt-policy"


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> Iterator[House]:
    """Give two cases that were filed and are due outside the sandbox, and one that is not."""
    house = House(tmp_path, database=engine)
    for reference in (ONE, TWO):
        house.approved(reference, files={"e1": b"harmless"})
    house.until_idle()
    house.clock.advance(timedelta(days=368))
    house.app.cases.add(write_case(tmp_path / "cases", LATE, files={"e1": b"harmless"}), "preparer")
    house.beyond_the_sandbox()
    house.sign("lea", "alarm ack", number="1")  # enrolled, and has signed something else
    house.sign("sam", "alarm ack", number="1")
    yield house
    house.app.close()


def adopted(house: House, cap: int = 1, days: int = 30) -> None:
    until = house.clock.now() + timedelta(days=days)
    for who in ("lea", "sam"):
        house.app.retention.policies.adopt(cap, until, who, WHY, house.witness(who, ADOPT))


def forged(house: House, cap: int = 1) -> int:
    """Write a policy of lea's and sam's into the database, with times at which both signed something."""
    now = house.clock.now()
    row = {"cap": cap, "until": now + timedelta(days=30), "first_by": "lea", "first_at": now, "first_body": "x"}
    with transaction(house.app.database) as connection:
        new = insert(StandingPolicy).values(**row, second_by="sam", second_at=now, second_body="x")
        return int(connection.execute(new.returning(StandingPolicy.__table__.c.number)).scalar_one())


def planted(house: House, policy: int, *references: str, **words: Any) -> int:
    """Write a disposition under a policy into the database, as if the job had made it two days ago."""
    standing = StandingPolicy.__table__
    with transaction(house.app.database) as connection:
        row = connection.execute(standing.select().where(standing.c.number == policy)).one()
        names = ("first_by", "first_at", "second_by", "second_at")
        people = {name: getattr(row, name) for name in names} | words
        at = house.clock.now() - timedelta(days=2)
        new = insert(BATCH).values(proposed_by="reporter", proposed_at=at, policy=policy, **people)
        number = int(connection.execute(new.returning(BATCH.c.number)).scalar_one())
        entries = [
            {"batch": number, "reference": each, "clocks": "[]", "outcome": "", "why": ""} for each in references
        ]
        connection.execute(insert(ENTRY), entries)
    return number


def outcomes(batch: Batch) -> dict[str, str]:
    return {entry.reference: entry.outcome for entry in batch.entries}


def there(house: House, *references: str) -> bool:
    return all(house.app.cases.load(reference) for reference in references)


def test_two_who_sign_the_policy_have_so_much_a_day_destroyed(house: House) -> None:
    adopted(house)
    for _ in range(2):
        house.app.jobs.run("retention")
    (batch,) = house.app.retention.dispositions.batches()
    assert outcomes(batch) == {ONE: "destroyed"}
    assert batch.certificate is not None
    policy = json.loads(batch.certificate)["standing_policy"]
    assert (policy["number"], policy["cap"], [word["by"] for word in policy["adopted"]]) == ("1", "1", ["lea", "sam"])
    with pytest.raises(NotFoundError, match="destroyed"):
        house.app.cases.load(ONE)
    assert not (house.folder / "home" / "keystore" / f"case-{ONE}").exists()
    assert there(house, TWO, LATE)
    house.clock.advance(timedelta(days=1, hours=1))
    house.app.jobs.run("retention")
    assert outcomes(house.app.retention.dispositions.batches()[0]) == {TWO: "destroyed"}
    assert there(house, LATE)


def test_one_that_is_written_into_the_database_is_none(house: House) -> None:
    policy = forged(house)
    house.app.jobs.run("retention")
    (batch,) = house.app.retention.dispositions.batches()
    assert (batch.state, batch.policy) == ("proposed", None), "people confirm what is due, as without a policy"
    planted(house, policy, ONE)
    with pytest.raises(PolicyError, match="No signature of lea's"):
        house.app.retention.dispositions.resume("reporter")
    assert there(house, ONE, TWO)


def test_the_second_signs_what_the_first_signed(house: House) -> None:
    policies, until = house.app.retention.policies, house.clock.now() + timedelta(days=30)
    policies.adopt(1, until, "lea", WHY, house.witness("lea", ADOPT))
    with transaction(house.app.database) as connection:
        connection.execute(text("UPDATE standing_policy SET cap = 50"))
    with pytest.raises(PolicyError, match="No signature of lea's"):
        policies.adopt(50, until, "sam", WHY, house.witness("sam", ADOPT))
    standing = policies.standing()
    assert standing is not None
    assert not standing.adopted


def test_a_cap_that_is_raised_in_the_database_counts_for_nothing(house: House) -> None:
    adopted(house)
    with transaction(house.app.database) as connection:
        connection.execute(text("UPDATE standing_policy SET cap = 50"))
    planted(house, 1, ONE, TWO)
    with pytest.raises(PolicyError, match="No signature of lea's"):
        house.app.retention.dispositions.resume("reporter")
    assert there(house, ONE, TWO)


def test_planted_dispositions_get_no_more_than_the_days_cap(house: House) -> None:
    adopted(house)
    numbers = [planted(house, 1, ONE, LATE), planted(house, 1, TWO)]
    dispositions = house.app.retention.dispositions
    assert dispositions.resume("reporter") == numbers
    assert outcomes(dispositions.batch(numbers[0])) == {ONE: "destroyed", LATE: "kept"}, "what is not due, stays"
    (entry,) = dispositions.batch(numbers[1]).entries
    assert (entry.outcome, "so many went today" in entry.why) == ("kept", True)
    assert there(house, TWO, LATE)


def test_a_planted_disposition_reaches_nothing_that_is_held(house: House) -> None:
    adopted(house)
    house.app.retention.holds.place(Scope(cases=[ONE]), "lea", WHY)
    number = planted(house, 1, ONE)
    house.app.retention.dispositions.resume("reporter")
    assert outcomes(house.app.retention.dispositions.batch(number)) == {ONE: "kept"}
    assert there(house, ONE)


def test_a_destruction_decided_in_the_database_alone_has_no_permit(house: House) -> None:
    adopted(house, cap=5)
    standing = house.app.retention.policies.standing()
    assert standing is not None
    assert standing.second is not None
    people = {"proposed_by": "lea", "proposed_at": standing.first.at, "decided_by": "sam"}
    row = {"id": "f" * 32, "reference": LATE, "basis": "disposition-1", "key_ids": "", **people}
    with transaction(house.app.database) as connection:
        connection.execute(insert(CaseDestruction).values(**row, decided_at=standing.second.at))
    ((reference, why),) = house.app.evidence.cases.resume("reporter").stopped
    assert (reference, "No signature of lea's" in why) == (LATE, True)
    house.app.retention.dispositions.resume("reporter")
    planted(house, 1, ONE)
    house.app.retention.dispositions.resume("reporter")
    with transaction(house.app.database) as connection:  # the permit of a case that went counts for that case only
        connection.execute(text(f"DELETE FROM case_destruction WHERE reference = '{LATE}'"))
        connection.execute(text(f"UPDATE case_destruction SET reference = '{LATE}', certificate = NULL"))
        connection.execute(update(CaseRecord).values(state="confirmed"))
        (number,) = connection.execute(text("SELECT id FROM case_destruction")).scalars()
    with pytest.raises(PolicyError, match="No signature of lea's"):
        house.app.evidence.cases.carry_out(number, "reporter")
    assert there(house, LATE)


def test_one_that_ended_or_is_over_does_not_come_back(house: House) -> None:
    adopted(house, days=1)
    house.app.retention.policies.end("ann", WHY)
    with transaction(house.app.database) as connection:  # somebody undoes the end
        connection.execute(text("UPDATE standing_policy SET ended_at = NULL, ended_by = NULL"))
    house.app.jobs.run("retention")
    assert [batch.state for batch in house.app.retention.dispositions.batches()] == ["proposed"]
    first = planted(house, 1, ONE)
    house.app.retention.dispositions.resume("reporter")
    adopted(house, days=1)
    house.clock.advance(timedelta(days=2))
    second = planted(house, 2, ONE)
    house.app.retention.dispositions.resume("reporter")
    for number in (first, second):
        (entry,) = house.app.retention.dispositions.batch(number).entries
        assert (entry.outcome, "is over, or was ended" in entry.why) == ("kept", True)
    assert there(house, ONE, TWO)


def test_one_whose_signer_may_no_more_leaves_it_to_people(house: House) -> None:
    adopted(house)
    assert house.people is not None
    house.app.changes.suspend("lea", house.people.acts("sam", "actor suspend"))
    house.app.jobs.run("retention")
    (batch,) = house.app.retention.dispositions.batches()
    assert batch.state == "proposed"
    assert there(house, ONE, TWO)


def test_one_of_names_alone_does_not_outlive_the_sandbox(tmp_path: Path, engine: Engine) -> None:
    house = House(tmp_path, database=engine)
    house.approved(ONE, files={"e1": b"harmless"})
    house.until_idle()
    house.clock.advance(timedelta(days=368))
    adopted(house)
    house.beyond_the_sandbox()
    house.app.jobs.run("retention")
    (batch,) = house.app.retention.dispositions.batches()
    assert (batch.state, batch.policy) == ("proposed", None)
    assert there(house, ONE)
    house.app.close()
