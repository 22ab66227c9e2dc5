"""Destroying evidence: what no copy brings back, what a crash interrupts, what a restored database meets, and races."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from keycustody import age, protection
from keycustody.errors import KeyCustodyError
from reporter.audit import service as audit
from reporter.db.engine import reading, transaction
from reporter.errors import (
    ConflictError,
    CustodyError,
    EnvironmentTroubleError,
    NotFoundError,
    PolicyError,
    ReporterError,
)
from reporter.evidence.destruction import EvidenceDestruction, Objection
from reporter.evidence.examination import Finding
from reporter.evidence.looks import Asked, Purpose
from reporter.evidence.objects import LocalObjectStore
from reporter.evidence.removal import Removal
from reporter.evidence.tombstones import Tombstones
from reporter.evidence.unfinished import PATIENCE
from reporter.evidence.vault import EvidenceVault
from reporter.keys.kit import Kit
from reporter.recovery.rebuilding import Copies, rebuild
from reporter.retention.demand import Scope
from reporter.retention.holds import HoldService, Placed
from reporter.submissions.service import SubmissionService
from reporter.testing.documents import write_case
from reporter.testing.house import House
from tests.conftest import BAO_TOKEN

REF, OTHER = "TEST-000001", "TEST-000002"
CONTENT = b"harmless synthetic bytes " * 9_000
ASKED = Asked(REF, "e1", "robin", Purpose.REVIEW)


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> Iterator[House]:
    house = House(tmp_path, database=engine)
    house.app.cases.add(write_case(tmp_path / "cases", REF, files={"e1": CONTENT, "e2": b"another"}), "preparer")
    house.spare(REF)
    yield house
    house.app.close()


def destruction_of(house: House, vault: EvidenceVault, *objections: Objection) -> EvidenceDestruction:
    app = house.app
    removal = Removal(app.database, app.clock, vault, app.bodies, Tombstones(vault.objects), None)
    return EvidenceDestruction(app.database, app.clock, vault, app.bodies, removal, objections)


def destroyed(house: House) -> str:
    destruction = house.app.evidence.destruction
    destruction.destroy(REF, "e1", "ann", "Synthetic.")
    return destruction.destroy(REF, "e1", "bob", "Synthetic.").id


def finding(house: House) -> Finding:
    house.clock.advance(timedelta(seconds=1))
    (found,) = house.app.evidence.integrity.one(REF, "e1", "ann")
    return found.finding


def read(house: House, asked: Asked = ASKED) -> bytes:
    got: list[bytes] = []
    house.app.evidence.looks.open(asked, "output", got.extend)
    return b"".join(got)


def kinds(house: House) -> list[str]:
    with reading(house.app.database) as connection:
        return [event.kind for event in audit.events(connection, REF)]


@pytest.fixture(params=["local", "pkcs11", "transit"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Give the section [keys] of a home, for a keyring, a real SoftHSM and a real OpenBao."""
    if request.param == "pkcs11":
        token = request.getfixturevalue("token")
        files = {"module": str(token.module), "pin_file": str(token.pin_file)}
        return {"provider": "pkcs11", "token": token.label, **files}
    if request.param == "transit":
        file = tmp_path / "bao-token"
        file.write_text(BAO_TOKEN)
        file.chmod(0o600)
        url = request.getfixturevalue("bao").url
        return {"provider": "transit", "url": url, "token_file": str(file), "name": f"key-{uuid4().hex[:12]}"}
    return {}


def test_copies_of_everything_but_the_key_store_do_not_bring_an_item_back(
    tmp_path: Path, keys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Old copies of database and objects, the recovery kit, the root key, and the key store as it is kept after the
    horizon: an item and a whole case stay destroyed. With a copy of the key store from before they do not: that is what
    the certificate says.
    """
    monkeypatch.setitem(protection.SCRYPT, "n", 1 << 10)
    house, copies, home = House(tmp_path, keys=keys), tmp_path / "copies", tmp_path / "home"
    people = [age.Identity.generate() for _ in range(3)]
    for reference in (REF, OTHER):
        house.app.cases.add(write_case(tmp_path / "cases", reference, files={"e1": CONTENT, "e2": b"another"}), "ann")
        house.spare(reference)
    secrets = [
        house.app.vault.keys.identity(reference, *_sealed(house, reference, item)).encode()
        for reference, item in ((REF, "e1"), (OTHER, "e1"), (OTHER, "e2"))
    ]
    house.app.recovery_kits.make([each.recipient for each in people], tmp_path / "kit", "dana")
    house.app.close()
    shutil.copytree(home, copies)
    house.restart()
    destroyed(house)
    for name in ("ann", "bob"):
        house.app.evidence.cases.destroy(OTHER, name, "Synthetic.")
    house.app.close()
    shutil.copytree(home / "keystore", tmp_path / "keystore-after-the-horizon")
    kit, _ = Kit.open(tmp_path / "kit", people[1:])

    def recovered(name: str, keystore: Path) -> House:
        where = Copies(keystore, copies / "reporter.sqlite3", copies / "objects")
        (tmp_path / name).mkdir()
        assert list(rebuild(kit, where, tmp_path / name / "home", lambda _home: None)) == []
        house.folder = tmp_path / name
        house.restart()
        return house

    recovered("without", tmp_path / "keystore-after-the-horizon")
    app = house.app
    with pytest.raises(CustodyError):
        read(house)
    with pytest.raises(CustodyError):
        read(house, replace(ASKED, reference=OTHER))
    with pytest.raises(CustodyError):
        app.cases.load(OTHER)
    assert read(house, replace(ASKED, item="e2")) == b"another", "and what was not destroyed opens"
    (left,) = (house.folder / "home" / "keystore").glob("item-*")
    other = age.Identity.parse(app.vault.keys.identity(REF, *_sealed(house, REF, "e2")))
    for wrong in ("e1", "e2"):
        with app.vault.objects.open(_sealed(house, OTHER, wrong)[0]) as file, pytest.raises(KeyCustodyError):
            list(age.decrypt(file, other))
    bodies = [wrap for wrap in (house.folder / "home" / "keystore").iterdir() if wrap.name.startswith("case-")]
    assert [wrap.name for wrap in bodies] == [f"case-{REF}"]
    kept = b"".join(file.read_bytes() for file in (house.folder / "home").rglob("*") if file.is_file())
    assert not any(secret in kept or secret.decode() in kit.model_dump_json() for secret in secrets)
    assert left.name == f"item-{_sealed(house, REF, 'e2')[0]}"
    app.close()

    recovered("with", copies / "keystore")
    assert read(house) == read(house, replace(ASKED, reference=OTHER)) == CONTENT
    assert house.app.cases.load(OTHER).reference == OTHER
    house.app.close()


class Held(LocalObjectStore):
    """Objects of which the service itself says that somebody holds them."""

    def locks(self) -> bool:
        return False

    def held(self, key: str) -> bool:
        return not key.startswith("destroyed.") and (self.folder / "hold").exists()

    def hold(self, key: str, *, on: bool) -> None:
        raise AssertionError

    def retain(self, key: str, until: object) -> None:
        raise AssertionError


def test_a_hold_in_the_object_store_stops_it_before_the_key_is_gone(house: House) -> None:
    app, objects = house.app, Held(house.folder / "home" / "objects")
    destruction = destruction_of(house, replace(app.vault, objects=objects))
    hold = objects.folder / "hold"
    hold.touch()
    with pytest.raises(PolicyError, match="legal hold in the object store"):
        destruction.destroy(REF, "e1", "ann", "Synthetic.")
    hold.unlink()
    destruction.destroy(REF, "e1", "ann", "Synthetic.")
    decide = destruction._decide

    def and_then_held(*arguments: Any, **more: Any) -> None:
        decide(*arguments, **more)
        hold.touch()

    destruction._decide = and_then_held  # type: ignore[method-assign]
    with pytest.raises(PolicyError, match="legal hold in the object store"):
        destruction.destroy(REF, "e1", "bob", "Synthetic.")
    ((item, why),) = destruction.resume("ann").stopped
    assert (item, "legal hold" in why) == (f"{REF}/e1", True)
    assert app.vault.keys.identity(REF, *_sealed(house)), "the key is there yet"
    hold.unlink()
    (number,) = destruction.resume("ann").finished
    assert json.loads(app.evidence.certificates.text(number))["decided"]["by"] == "bob"
    assert finding(house) is Finding.DESTROYED


def _sealed(house: House, reference: str = REF, item: str = "e1") -> tuple[str, str]:
    sealed = next(kept.sealed for kept in house.app.evidence.overview.of(reference) if kept.sealed.item == item)
    return sealed.id, sealed.ciphertext_sha256


class Stuck(LocalObjectStore):
    """Objects that cannot be removed."""

    def delete(self, key: str, *, despite_lock: bool = False) -> None:
        raise EnvironmentTroubleError("The object store cannot be written.")


def test_an_interrupted_destruction_is_gone_on_with(house: House) -> None:
    app = house.app
    stuck = Stuck(house.folder / "home" / "objects")
    vault = replace(app.vault, objects=stuck)
    broken = destruction_of(house, vault)
    broken.destroy(REF, "e1", "ann", "Synthetic.")
    with pytest.raises(EnvironmentTroubleError):
        broken.destroy(REF, "e1", "bob", "Synthetic.")
    assert finding(house) is Finding.DESTRUCTION_UNFINISHED
    with pytest.raises(NotFoundError):
        read(house)
    (number,) = app.evidence.destruction.resume("ann").finished
    assert finding(house) is Finding.DESTROYED
    assert json.loads(app.evidence.certificates.text(number))["decided"]["by"] == "bob"
    assert app.evidence.destruction.resume("ann").finished == ()
    events = [kind for kind in kinds(house) if "destr" in kind]
    assert events[:3] == ["destruction_proposed", "destruction_decided", "evidence_key_destroyed"]
    assert events[-2:] == ["evidence_object_destroyed", "evidence_destroyed"]


def forget(house: House) -> None:
    """Let the database forget the destruction, as one restored from before it has."""
    with transaction(house.app.database) as connection:
        connection.execute(text("DELETE FROM destruction"))


def test_a_restored_database_is_told_by_the_tombstone(house: House) -> None:
    number = destroyed(house)
    forget(house)
    assert finding(house) is Finding.DESTRUCTION_FORGOTTEN
    with pytest.raises(NotFoundError, match="was destroyed"):
        read(house)
    assert house.app.evidence.destruction.resume("ann").finished == (number,)
    certificate = json.loads(house.app.evidence.certificates.text(number))
    assert (certificate["proposed"]["by"], certificate["decided"]["by"]) == ("ann", "bob")
    assert certificate["taken_over_from_tombstone_at"] is not None
    assert finding(house) is Finding.DESTROYED


def test_a_tombstone_that_somebody_planted_destroys_nothing_and_hides_nothing(house: House) -> None:
    first, second = house.app.evidence.overview.of(REF)
    destroyed(house)
    forget(house)
    objects = house.folder / "home" / "objects"
    planted = (objects / f"destroyed.{first.sealed.id}").read_text().replace(first.sealed.id, second.sealed.id)
    (objects / f"destroyed.{second.sealed.id}").write_text(planted)
    (objects / f"destroyed.{second.sealed.id}").chmod(0o600)
    assert house.app.evidence.destruction.resume("ann").back == (f"{REF}/e2",)
    (objects / second.sealed.id).unlink()
    house.clock.advance(timedelta(seconds=1))
    (found,) = house.app.evidence.integrity.one(REF, "e2", "ann")
    assert found.finding is Finding.OBJECT_MISSING


def test_what_a_restored_key_store_brings_back_is_destroyed_again(house: House) -> None:
    sealed = house.app.evidence.overview.of(REF)[0].sealed
    wrap = house.folder / "home" / "keystore" / f"item-{sealed.id}"
    kept = wrap.read_bytes()
    number = destroyed(house)
    before = house.app.evidence.certificates.text(number)
    wrap.write_bytes(kept)
    wrap.chmod(0o600)
    assert finding(house) is Finding.DESTRUCTION_UNFINISHED
    assert house.app.evidence.destruction.resume("ann").finished == (number,)
    assert not wrap.exists()
    assert house.app.evidence.certificates.text(number) == before


def test_a_hold_placed_before_the_decision_stops_it(house: House) -> None:
    app, holds = house.app, list[str]()
    destruction = destruction_of(house, app.vault, lambda _connection, _sealed: holds[0] if holds else None)
    destruction.destroy(REF, "e1", "ann", "Synthetic.")
    holds.append("hold 7 is in force.")
    with pytest.raises(PolicyError, match="hold 7"):
        destruction.destroy(REF, "e1", "bob", "Synthetic.")
    assert read(house) == CONTENT


def test_destruction_races_approval_and_opening_and_each_is_whole_or_refused(house: House) -> None:
    destruction = house.app.evidence.destruction
    destruction.destroy(REF, "e1", "ann", "Synthetic.")

    def outcome(what: object) -> str:
        try:
            what()  # type: ignore[operator]
        except ReporterError as error:
            return type(error).__name__
        return "done"

    acts = [
        lambda: destruction.destroy(REF, "e1", "bob", "Synthetic."),
        lambda: destruction.destroy(REF, "e1", "eve", "Synthetic."),
        lambda: house.app.submissions.approve(REF, "approver"),
        lambda: read(house),
    ]
    with ThreadPoolExecutor(4) as pool:
        bob, eve, approved, opened = pool.map(outcome, acts)
    approval_won = approved == "done"
    assert {bob, eve} == ({"PolicyError"} if approval_won else {"done"})
    assert opened in ("done", "CustodyError", "NotFoundError")
    assert kinds(house).count("destruction_decided") == (0 if approval_won else 1)
    assert finding(house) is (Finding.WHOLE if approval_won else Finding.DESTROYED)


def test_a_destruction_amid_an_approval_is_noticed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    freeze = SubmissionService._freeze

    def late(*arguments: Any) -> Any:
        destroyed(house)
        return freeze(*arguments)

    monkeypatch.setattr(SubmissionService, "_freeze", late)
    with pytest.raises(ConflictError, match="is being destroyed"):
        house.app.submissions.approve(REF, "approver")


def test_after_a_destruction_nothing_can_be_sent_of_the_item(house: House) -> None:
    destroyed(house)
    assert house.submission()["state"] == "draft"
    with pytest.raises(ReporterError):
        house.app.submissions.approve(REF, "approver")


def test_a_worker_goes_on_with_it_and_an_alarm_tells_of_it_meanwhile(house: House) -> None:
    app = house.app

    def alarms() -> list[str]:
        app.alarms.watch.check()
        found = [alarm.matter.kind.value for alarm in app.alarms.register.standing()]
        return [kind for kind in found if "destruction" in kind]

    broken = destruction_of(house, replace(app.vault, objects=Stuck(house.folder / "home" / "objects")))
    broken.destroy(REF, "e1", "ann", "Synthetic.")
    with pytest.raises(EnvironmentTroubleError):
        broken.destroy(REF, "e1", "bob", "Synthetic.")
    assert app.evidence.destruction.interrupted() == [], "whoever decided it may be at work"
    assert alarms() == []
    house.clock.advance(PATIENCE)
    assert alarms() == ["destruction_unfinished"]
    (number,) = app.evidence.destruction.interrupted()
    assert app.jobs.run("evidence-destroy")
    assert json.loads(app.evidence.certificates.text(number))["decided"]["by"] == "bob"
    assert alarms() == []
    assert kinds(house).count("evidence_key_destroyed") == 1, "what is done is not done again"


def test_a_hold_that_comes_while_it_is_decided_waits_and_is_told_that_it_is_too_late(house: House) -> None:
    app, placed = house.app, list[Future[Placed]]()
    app.evidence.destruction.destroy(REF, "e1", "ann", "Synthetic.")
    with ThreadPoolExecutor(1) as pool:

        def amid(_connection: object, _sealed: object) -> None:  # the case is locked by now, and nothing is decided
            placed.append(pool.submit(app.retention.holds.place, _case(), "lea", "Synthetic."))

        destruction_of(house, app.vault, amid).destroy(REF, "e1", "bob", "Synthetic.")
        (too_late,) = placed[0].result().too_late
    assert too_late.startswith(f"{REF}/e1")
    assert finding(house) is Finding.DESTROYED
    with pytest.raises(PolicyError, match="hold"):
        app.evidence.destruction.destroy(REF, "e2", "ann", "Synthetic.")


def test_a_decision_that_comes_while_a_hold_is_placed_waits_and_is_refused(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    destruction, add = house.app.evidence.destruction, HoldService.add
    destruction.destroy(REF, "e1", "ann", "Synthetic.")
    decided: list[Future[object]] = []
    with ThreadPoolExecutor(1) as pool:

        def amid(*arguments: Any, **more: Any) -> Any:
            kept = add(*arguments, **more)  # the case is locked by now, and the hold is not committed
            decided.append(pool.submit(destruction.destroy, REF, "e1", "bob", "Synthetic."))
            return kept

        monkeypatch.setattr(HoldService, "add", amid)
        assert not house.app.retention.holds.place(_case(), "lea", "Synthetic.").too_late
        with pytest.raises(PolicyError, match="hold"):
            decided[0].result()
    assert read(house) == CONTENT


def _case() -> Scope:
    return Scope.model_validate({"cases": [REF]})
