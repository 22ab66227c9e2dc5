"""Disposition: proposed, confirmed by two, carried out case by case; what stands against it wins to the last moment."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from reporter.audit import service as audit
from reporter.db.engine import reading
from reporter.errors import EnvironmentTroubleError, NotFoundError, PolicyError, ReporterError, UsageError
from reporter.evidence.looks import Asked, Purpose
from reporter.retention.batches import Batch
from reporter.retention.demand import Scope
from reporter.retention.disposition import Dispositions
from reporter.tasks.model import Kind
from reporter.testing.documents import write_case
from reporter.testing.house import House

ONE, TWO, LATE = "TEST-000001", "TEST-000002", "TEST-000003"
ALL_OVER = timedelta(days=368)


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> Iterator[House]:
    house = House(tmp_path, database=engine)
    for reference in (ONE, TWO):
        house.approved(reference, files={"e1": b"harmless"})
    house.until_idle()
    house.clock.advance(ALL_OVER)
    house.app.cases.add(write_case(tmp_path / "cases", LATE, files={"e1": b"harmless"}), "preparer")
    yield house
    house.app.close()


def hold(house: House, reference: str) -> int:
    scope = Scope.model_validate({"cases": [reference]})
    return house.app.retention.holds.place(scope, "lea", "Synthetic.").number


def proposed(house: House) -> int:
    batch = house.app.retention.dispositions.propose("job")
    assert batch is not None
    return batch.number


def told(house: House, kind: str) -> list[str]:
    with reading(house.app.database) as connection:
        return [event.detail for event in audit.events(connection) if event.kind == kind]


def test_two_people_confirm_and_a_certificate_is_left(house: House) -> None:
    dispositions = house.app.retention.dispositions
    assert [kept.reference for kept in dispositions.due(10).cases] == [ONE, TWO]
    assert dispositions.due(1).more
    number = proposed(house)
    assert dispositions.propose("job") is None, "what waits is not proposed again"
    assert [task.about for task in house.app.tasks.desk.tasks() if task.kind is Kind.DISPOSITION] == [str(number)]
    assert dispositions.confirm(number, "ann", "Looked through.").state == "half_confirmed"
    with pytest.raises(PolicyError, match="a different person"):
        dispositions.confirm(number, "ann", "Looked through.")
    assert house.app.cases.load(ONE)
    batch = dispositions.confirm(number, "bob", "Looked through.")
    assert (batch.state, [entry.outcome for entry in batch.entries]) == ("carried_out", ["destroyed", "destroyed"])
    for reference in (ONE, TWO):
        with pytest.raises(NotFoundError, match="was destroyed"):
            house.app.cases.load(reference)
    assert batch.certificate is not None
    certificate = json.loads(batch.certificate)
    assert [word["by"] for word in certificate["confirmed"]] == ["ann", "bob"]
    (first, _) = certificate["destroyed"]
    assert {clock["retention"] for clock in first["clocks"]} >= {"us-2258a-h"}
    assert json.loads(house.app.evidence.certificates.text(first["certificate"]))["basis"] == f"disposition-{number}"
    assert sha256(batch.certificate.encode()).hexdigest() in told(house, "disposition_carried_out")[0]
    with reading(house.app.database) as connection:
        left = {
            table: connection.execute(text(f"SELECT count(*) FROM {table} WHERE reference = '{ONE}'")).scalar_one()
            for table in ("case_subject", "retention_clock", "case_indexed", "clocks_started")
        }
    assert set(left.values()) == {0}
    assert dispositions.resume("job") == []
    house.clock.advance(timedelta(days=366 * 8))
    house.app.jobs.run("retention")
    assert dispositions.batch(number).certificate is None, "its own time is over too"


def test_a_hold_placed_after_the_proposal_keeps_its_case_and_only_it(house: House) -> None:
    dispositions = house.app.retention.dispositions
    number = proposed(house)
    dispositions.confirm(number, "ann", "Looked through.")
    placed = hold(house, ONE)
    batch = dispositions.confirm(number, "bob", "Looked through.")
    assert {entry.reference: entry.outcome for entry in batch.entries} == {ONE: "kept", TWO: "destroyed"}
    assert house.app.cases.load(ONE)
    house.app.retention.holds.release(placed, "lea", "Over.")
    house.app.retention.holds.release(placed, "sam", "Over.")
    assert [kept.reference for kept in dispositions.due(10).cases] == [ONE], "and it may be proposed again"


def test_a_hold_races_the_last_word_and_each_case_is_whole_or_gone(house: House) -> None:
    dispositions = house.app.retention.dispositions
    number = proposed(house)
    dispositions.confirm(number, "ann", "Looked through.")

    def placing() -> list[str]:
        scope = Scope.model_validate({"cases": [ONE, TWO]})
        return list(house.app.retention.holds.place(scope, "lea", "Synthetic.").too_late)

    def confirming() -> object:
        return dispositions.confirm(number, "bob", "Looked through.")

    with ThreadPoolExecutor(2) as pool:
        held, batch = pool.submit(placing), pool.submit(confirming)
        too_late = {item.partition("/")[0] for item in held.result()}
        batch.result()
    gone = {entry.reference for entry in dispositions.batch(number).entries if entry.outcome == "destroyed"}
    assert gone == too_late, "the hold knows exactly what it came too late for"
    for reference in {ONE, TWO} - gone:
        assert house.app.cases.load(reference)


def test_a_clock_that_was_set_back_destroys_nothing(house: House) -> None:
    number = proposed(house)
    house.clock.advance(timedelta(days=-2))
    with pytest.raises(EnvironmentTroubleError, match="clock"):
        house.app.retention.dispositions.confirm(number, "ann", "Looked through.")
    assert house.app.retention.dispositions.batch(number).state == "proposed"


def test_one_that_is_withdrawn_is_over(house: House) -> None:
    dispositions, number = house.app.retention.dispositions, proposed(house)
    dispositions.confirm(number, "ann", "Looked through.")
    dispositions.withdraw(number, "lea", "Counsel wants to look.")
    with pytest.raises(PolicyError, match="withdrawn"):
        dispositions.confirm(number, "bob", "Looked through.")
    assert proposed(house) == number + 1


def test_what_a_crash_interrupts_is_gone_on_with(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    dispositions, number = house.app.retention.dispositions, proposed(house)
    dispositions.confirm(number, "ann", "Looked through.")
    ends = house.app.evidence.cases
    carry_out = type(ends).carry_out
    monkeypatch.setattr(type(ends), "carry_out", _broken)
    with pytest.raises(EnvironmentTroubleError):
        dispositions.confirm(number, "bob", "Looked through.")
    monkeypatch.setattr(type(ends), "carry_out", carry_out)
    assert dispositions.resume("job") == [number]
    assert [entry.outcome for entry in dispositions.batch(number).entries] == ["destroyed", "destroyed"]
    house.clock.advance(timedelta(minutes=2))
    ends.resume("job")
    assert not (house.folder / "home" / "keystore" / f"case-{ONE}").exists()


def _broken(*_arguments: object) -> None:
    raise EnvironmentTroubleError("The object store cannot be written.")


def test_the_job_proposes_and_destroys_nothing(house: House) -> None:
    house.app.jobs.run("retention")
    house.app.jobs.run("retention")
    (batch,) = house.app.retention.dispositions.batches()
    assert (batch.state, batch.proposed_by) == ("proposed", "reporter")
    for reference in (ONE, TWO, LATE):
        assert house.app.cases.load(reference)


def test_a_standing_policy_of_two_disposes_of_so_much_a_day(house: House) -> None:
    retention, until = house.app.retention, house.clock.now() + timedelta(days=30)
    for wrong in ((0, until), (51, until), (1, house.clock.now()), (1, until + timedelta(days=400))):
        with pytest.raises(UsageError):
            retention.policies.adopt(*wrong, "lea", "Synthetic.")
    assert not retention.policies.adopt(1, until, "lea", "Synthetic.").adopted
    with pytest.raises(PolicyError, match="a different person"):
        retention.policies.adopt(1, until, "lea", "Synthetic.")
    assert retention.dispositions.dispose_by("job") is None, "one person's word is none"
    assert retention.policies.adopt(1, until, "sam", "Agreed.").adopted
    hold(house, TWO)
    house.app.jobs.run("retention")
    house.app.jobs.run("retention")
    (batch,) = retention.dispositions.batches()
    assert [(entry.reference, entry.outcome) for entry in batch.entries] == [(ONE, "destroyed")]
    assert batch.certificate is not None
    certificate = json.loads(batch.certificate)
    policy = certificate["standing_policy"]
    assert (policy["number"], policy["cap"], certificate["confirmed"]) == (str(batch.policy), "1", [])
    assert [word["by"] for word in policy["adopted"]] == ["lea", "sam"]
    house.clock.advance(timedelta(days=2))
    house.app.jobs.run("retention")
    assert house.app.cases.load(TWO), "what is held is not even proposed"
    for who in ("lea", "sam"):
        retention.holds.release(retention.holds.holds()[0].number, who, "Over.")
    retention.policies.end("ann", "A case is expected.")
    house.app.jobs.run("retention")
    assert retention.dispositions.batches()[0].state == "proposed"
    assert house.app.cases.load(TWO)


def test_what_is_taken_back_while_a_policy_takes_it_up_stays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    retention, until = house.app.retention, house.clock.now() + timedelta(days=30)
    for who in ("lea", "sam"):
        retention.policies.adopt(5, until, who, "Synthetic.")
    service = type(retention.dispositions)
    propose = service.propose

    def proposed_and_withdrawn(self: Dispositions, actor: str, limit: int | None = None) -> Batch | None:
        batch = propose(self, actor, limit)
        assert batch is not None
        self.withdraw(batch.number, "ann", "Counsel wants to look first.")
        return batch

    monkeypatch.setattr(service, "propose", proposed_and_withdrawn)
    batch = retention.dispositions.dispose_by("job")
    assert batch is not None
    assert (batch.state, retention.dispositions.resume("job")) == ("withdrawn", [])
    assert house.app.cases.load(ONE)


def test_a_quarantined_database_disposes_of_nothing(house: House) -> None:
    number = proposed(house)
    house.app.deliveries.quarantine.impose("Synthetic.", "ann")
    house.app.retention.dispositions.confirm(number, "ann", "Looked through.")
    batch = house.app.retention.dispositions.confirm(number, "bob", "Looked through.")
    assert {entry.outcome for entry in batch.entries} == {"kept"}
    try:
        assert house.app.cases.load(ONE)
    except ReporterError as error:
        raise AssertionError from error


def test_everything_restored_from_before_a_disposition_is_not_opened(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.approved(ONE, files={"e1": b"harmless"})
    house.until_idle()
    house.clock.advance(ALL_OVER)
    home, copies = tmp_path / "home", tmp_path / "copies"
    house.app.close()
    shutil.copytree(home, copies)
    house.restart()
    number = proposed(house)
    for who in ("ann", "bob"):
        house.app.retention.dispositions.confirm(number, who, "Looked through.")
    house.app.close()
    for name in ("keystore", "keys"):  # the object store is what was not restored
        shutil.rmtree(home / name)
        shutil.copytree(copies / name, home / name)
    for file in home.glob("reporter.sqlite3*"):
        file.unlink()
    shutil.copy(copies / "reporter.sqlite3", home)
    house.restart()
    for opening in (
        lambda: house.app.cases.document(ONE, "robin"),
        lambda: house.app.cases.describe(ONE),
        lambda: house.app.submissions.frozen_package(house.app.cases.load(ONE).reference),
        lambda: house.app.standings.words(ONE, "robin"),
        lambda: house.app.evidence.looks.open(Asked(ONE, "e1", "robin", Purpose.REVIEW), "output", list),
    ):
        with pytest.raises(NotFoundError, match="destroyed"):
            opening()
    assert house.app.evidence.cases.resume("robin").back == (ONE,)
    for who in ("ann", "bob"):
        house.app.evidence.cases.destroy(ONE, who, "It was restored.")
    assert not (home / "keystore" / f"case-{ONE}").exists()
    house.app.close()
