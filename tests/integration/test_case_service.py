"""The cases room on both databases: taken in whole or not at all, once, and never changed in silence."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from keycustody import files
from keycustody.cases import CaseKeys
from keycustody.keyring import LocalKeyring
from keycustody.protection import Places
from keycustody.store import FolderKeyStore
from reporter.audit import service as audit
from reporter.authority import Imported
from reporter.cases import sealing as sealing_module
from reporter.cases import service as service_module
from reporter.cases.records import CaseState, Outcome, Taken
from reporter.cases.service import CaseService
from reporter.db.engine import transaction
from reporter.db.schema import metadata
from reporter.errors import (
    ConflictError,
    DocumentError,
    EnvironmentTroubleError,
    Finding,
    NotFoundError,
    PolicyError,
    UsageError,
)
from reporter.evidence.bodies import BodyVault
from reporter.evidence.objects import LocalObjectStore
from reporter.evidence.vault import EvidenceVault
from reporter.testing.clock import FakeClock
from reporter.testing.documents import write_case

REFERENCE = "TEST-000001"
FILES = {"e1": b"harmless one", "e2": b"harmless two"}
VIEW = {"by": "reviewer-7", "at": "2026-11-18T10:02:00Z", "extent": "entire"}


class MeetingStore(LocalObjectStore):
    """An object store in which each of two writers waits for the other before its first object is whole."""

    barrier = threading.Barrier(2)

    def put(self, key: str, pieces: Iterable[bytes]) -> None:
        super().put(key, pieces)
        self.barrier.wait(10)


@dataclass
class Room:
    """The cases room in a folder of its own, with a record of the revisions it told of."""

    folder: Path
    engine: Engine
    clock: FakeClock
    vault: EvidenceVault
    bodies: BodyVault
    told: list[str] = field(default_factory=list)
    objection: Exception | None = None

    @property
    def cases(self) -> CaseService:
        return self.with_vault(self.vault)

    def with_vault(self, vault: EvidenceVault) -> CaseService:
        return CaseService(
            self.engine, vault, self.bodies, self.clock, digests=frozenset({"md5"}), revised=self._revised
        )

    def _revised(self, _connection: Connection, reference: str) -> None:
        self.told.append(reference)
        if self.objection:
            raise self.objection

    def write(self, name: str = REFERENCE, **changes: Any) -> Path:
        changes.setdefault("files", FILES)
        folder = self.folder / "in" / name
        return write_case(folder, changes.pop("reference", REFERENCE), **changes)

    def change(self, case: Path, change: Callable[[dict[str, Any]], object]) -> Path:
        document = json.loads((case / "case.json").read_text())
        change(document)
        (case / "case.json").write_text(json.dumps(document))
        return case

    def rows(self) -> dict[str, int]:
        with self.engine.connect() as connection:
            counts = {
                table.name: connection.execute(text(f"SELECT count(*) FROM {table.name}")).scalar_one()
                for table in metadata.sorted_tables
            }
        return {name: count for name, count in counts.items() if count and name != "contact_register"}

    def kept_files(self) -> set[str]:
        """What lies in the home besides the root keys."""
        return {
            str(file.relative_to(self.folder))
            for part in ("keystore", "objects")
            for file in (self.folder / part).rglob("*")
        }

    def events(self) -> list[str]:
        with self.engine.connect() as connection:
            return [event.kind for event in audit.events(connection, REFERENCE)]

    def content(self, item: str) -> bytes:
        from reporter.evidence import service as evidence

        with self.engine.connect() as connection:
            record = next(r for r in evidence.sealed_items(connection, REFERENCE) if r.item == item)
        return b"".join(self.vault.open(record))


@pytest.fixture
def room(tmp_path: Path, engine: Engine) -> Room:
    for name in ("keystore", "objects"):
        files.make_folder(tmp_path / name)
    keys = CaseKeys(LocalKeyring.create(tmp_path / "keys", Places()), FolderKeyStore(tmp_path / "keystore"))
    clock = FakeClock()
    vault = EvidenceVault(keys, LocalObjectStore(tmp_path / "objects"), clock)
    return Room(tmp_path, engine, clock, vault, BodyVault(keys))


# --- taking a case in -------------------------------------------------------------------------------------------


def test_a_case_is_taken_in_with_its_files_sealed(room: Room) -> None:
    taken = room.cases.add(room.write(), "robin")
    assert taken == Taken(REFERENCE, Outcome.ADDED, CaseState.CONFIRMED, 1, sealed=2, sources=2)
    assert [room.content(item) for item in FILES] == list(FILES.values())
    assert room.events() == ["case_added", "evidence_sealed", "evidence_sealed"]
    stored = room.cases.load(REFERENCE)
    assert (stored.state, stored.revision, stored.prepared_by) == (CaseState.CONFIRMED, 1, "robin")
    facts = room.cases.describe(REFERENCE).facts
    assert facts["e1"].md5 == hashlib.md5(FILES["e1"]).hexdigest()


def test_the_document_is_kept_byte_for_byte_and_its_reading_is_recorded(room: Room) -> None:
    case = room.write()
    given = b"\xef\xbb\xbf" + (case / "case.json").read_bytes() + b"\n \n"
    (case / "case.json").write_bytes(given)
    room.cases.add(case / "case.json", "robin")
    assert room.cases.document(REFERENCE, "kim") == given
    assert room.events()[-1] == "document_read"


def test_no_content_is_in_database_or_home(room: Room) -> None:
    room.cases.add(room.write(), "robin")
    kept = b"".join((room.folder / name).read_bytes() for name in room.kept_files())
    with room.engine.connect() as connection:
        for table in metadata.sorted_tables:
            kept += repr(connection.execute(text(f"SELECT * FROM {table.name}")).all()).encode()
    assert REFERENCE.encode() in kept
    for told in (b"harmless", b"SYNTHETIC", b"9001", b"Example Forum", b"reviewer-7"):
        assert told not in kept


def test_the_same_content_again_changes_nothing(room: Room) -> None:
    case = room.write()
    room.cases.add(case, "robin")
    rows, kept = room.rows(), room.kept_files()
    document = json.loads((case / "case.json").read_text())
    (case / "case.json").write_text(json.dumps(dict(reversed(document.items())), indent=3))
    for item in FILES:
        (case / f"{item}.txt").unlink()
    assert room.cases.add(case, "kim").outcome is Outcome.UNCHANGED
    assert (room.rows(), room.kept_files()) == (rows, kept)
    assert room.cases.load(REFERENCE).prepared_by == "robin"


def test_other_content_is_a_conflict_that_names_what_differs(room: Room) -> None:
    case = room.write()
    room.cases.add(case, "robin")
    rows, kept = room.rows(), room.kept_files()
    room.change(case, lambda document: document["people"][0].update(vehicle="Hidden", school="Hidden"))
    with pytest.raises(ConflictError) as caught:
        room.cases.add(case, "robin")
    assert [finding.path for finding in caught.value.findings] == ["people[0].vehicle", "people[0].school"]
    assert "reporter case revise TEST-000001" in caught.value.diagnostics()
    assert "Hidden" not in caught.value.diagnostics()
    assert (room.rows(), room.kept_files()) == (rows, kept)


def test_added_views_are_recorded_and_void_nothing(room: Room) -> None:
    case = room.write()
    room.cases.add(case, "robin")
    room.change(case, lambda document: document["evidence"][0].update(views=[VIEW]))
    taken = room.cases.add(case, "kim")
    assert (taken.outcome, taken.views, taken.revision) == (Outcome.VIEWS_ADDED, 1, 1)
    assert room.cases.add(case, "kim").outcome is Outcome.UNCHANGED
    described = room.cases.describe(REFERENCE)
    assert [view.by for view in described.views["e1"]] == ["reviewer-7"]
    assert {item: facts.viewed_entire for item, facts in described.facts.items()} == {"e1": True, "e2": False}
    assert room.told == []
    assert described.stored.prepared_by == "robin"


def test_a_view_cannot_be_taken_back_or_changed_by_handing_in_again(room: Room) -> None:
    case = room.change(room.write(), lambda document: document["evidence"][0].update(views=[VIEW]))
    room.cases.add(case, "robin")
    room.change(case, lambda document: document["evidence"][0].update(views=[{**VIEW, "extent": "partial"}]))
    with pytest.raises(ConflictError, match="other content"):
        room.cases.add(case, "robin")


def test_a_case_that_is_not_confirmed_is_kept_with_its_reason(room: Room) -> None:
    case = room.change(room.write(), lambda document: document["confirmation"].update(decision="not_confirmed"))
    assert room.cases.add(case, "robin").state is CaseState.NOT_CONFIRMED
    assert room.cases.load(REFERENCE).case.confirmation.basis.startswith("SYNTHETIC")


# --- refused, and nothing left ----------------------------------------------------------------------------------


def _wrong_digest(case: Path, item: dict[str, Any]) -> None:
    item["sha256"] = "0" * 64


def _missing(case: Path, item: dict[str, Any]) -> None:
    item["path"] = "elsewhere.txt"


def _empty(case: Path, item: dict[str, Any]) -> None:
    (case / "e2.txt").write_bytes(b"")


def _folder(case: Path, item: dict[str, Any]) -> None:
    (case / "sub").mkdir()
    item["path"] = "sub"


def _climbing(case: Path, item: dict[str, Any]) -> None:
    (case.parent / "outside.txt").write_bytes(FILES["e2"])
    item["path"] = "../outside.txt"


def _absolute(case: Path, item: dict[str, Any]) -> None:
    item["path"] = str(case / "e2.txt")


def _symlink(case: Path, item: dict[str, Any]) -> None:
    (case / "link.txt").symlink_to("e2.txt")
    item["path"] = "link.txt"


def _symlinked_folder(case: Path, item: dict[str, Any]) -> None:
    (case / "sub").symlink_to(case)
    item["path"] = "sub/e2.txt"


def _nul(case: Path, item: dict[str, Any]) -> None:
    item["path"] = "e2.txt\0"


@pytest.mark.parametrize(
    "spoil",
    [_wrong_digest, _missing, _empty, _folder, _climbing, _absolute, _symlink, _symlinked_folder, _nul],
)
def test_a_bad_file_refuses_the_case_and_leaves_nothing(
    room: Room, spoil: Callable[[Path, dict[str, Any]], None]
) -> None:
    case = room.write()
    room.change(case, lambda document: spoil(case, document["evidence"][1]))
    with pytest.raises(DocumentError) as caught:
        room.cases.add(case, "robin")
    (finding,) = caught.value.findings
    assert finding.path.startswith("evidence[1].")
    assert (room.rows(), room.kept_files()) == ({}, set())


def test_every_bad_file_is_named_at_once(room: Room) -> None:
    case = room.write()
    room.change(case, lambda document: [item.update(sha256="0" * 64) for item in document["evidence"]])
    with pytest.raises(DocumentError) as caught:
        room.cases.add(case, "robin")
    assert [finding.path for finding in caught.value.findings] == ["evidence[0].sha256", "evidence[1].sha256"]


def test_a_database_that_fails_leaves_no_sealed_file(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise EnvironmentTroubleError("The database does not work: disk full.")

    monkeypatch.setattr(service_module.evidence, "record_items", fail)
    with pytest.raises(EnvironmentTroubleError, match="disk full"):
        room.cases.add(room.write(), "robin")
    assert room.rows() == {}
    # The case's own key may stay: it opens nothing, and another process may be sealing under it.
    assert room.kept_files() <= {f"keystore/case-{REFERENCE}"}


def test_a_commit_whose_answer_is_lost_loses_no_evidence(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    case = room.write()

    @contextmanager
    def losing(engine: Engine) -> Iterator[Connection]:
        with transaction(engine) as connection:
            yield connection
        if room.rows():
            raise EnvironmentTroubleError("The database does not work: connection lost.")

    monkeypatch.setattr(service_module, "transaction", losing)
    with pytest.raises(EnvironmentTroubleError, match="connection lost"):
        room.cases.add(case, "robin")
    monkeypatch.undo()
    assert room.content("e1") == FILES["e1"]
    assert room.cases.add(case, "robin").outcome is Outcome.UNCHANGED


def test_evidence_is_kept_when_nobody_can_say_whether_it_is_on_record(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def gone(_engine: Engine) -> Iterator[Connection]:
        raise EnvironmentTroubleError("The database does not work: connection lost.")
        yield

    def lost(*_args: Any, **_kwargs: Any) -> None:
        monkeypatch.setattr(sealing_module, "transaction", gone)
        raise EnvironmentTroubleError("The database does not work: connection lost.")

    monkeypatch.setattr(service_module.evidence, "record_items", lost)
    with pytest.raises(EnvironmentTroubleError, match="connection lost"):
        room.cases.add(room.write(), "robin")
    assert len(list((room.folder / "objects").iterdir())) == len(FILES)


@pytest.mark.parametrize("name", ["-rf", "two\nlines.txt", "*", "ünï 🔒.txt", " "])
def test_any_file_name_is_only_a_name(room: Room, name: str) -> None:
    case = room.write()
    (case / "e2.txt").rename(case / name)
    room.change(case, lambda document: document["evidence"][1].update(path=name))
    assert room.cases.add(case, "robin", remove_source=True).removed == 2
    assert room.content("e2") == FILES["e2"]
    assert sorted(file.name for file in case.iterdir()) == ["case.json"]


# --- two at once ------------------------------------------------------------------------------------------------


def _race(room: Room, first: Path, second: Path, call: str = "add") -> list[Any]:
    """Hand in two documents so that both have sealed a file before either is on record."""
    meeting = MeetingStore(room.folder / "objects")
    meeting.barrier.reset()

    def hand_in(case: Path) -> Any:
        cases = room.with_vault(replace(room.vault, objects=meeting))
        try:
            return cases.add(case, "x") if call == "add" else cases.revise(REFERENCE, case, "x")
        except ConflictError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(hand_in, [first, second]))


def test_of_two_that_add_one_case_at_once_one_adds_and_one_sees_it(room: Room) -> None:
    one = {"e1": FILES["e1"]}
    results = _race(room, room.write("a", files=one), room.write("b", files=one))
    assert sorted(result.outcome for result in results) == [Outcome.ADDED, Outcome.UNCHANGED]
    assert room.rows()["case_revision"] == room.rows()["evidence_item"] == 1
    assert len(list((room.folder / "objects").iterdir())) == 1
    assert room.content("e1") == FILES["e1"]


def test_of_two_that_add_other_content_at_once_one_conflicts(room: Room) -> None:
    results = _race(room, room.write("a", files={"e1": b"one"}), room.write("b", files={"e1": b"two"}))
    assert sorted(type(result).__name__ for result in results) == ["ConflictError", "Taken"]
    assert len(list((room.folder / "objects").iterdir())) == 1
    assert room.content("e1") in (b"one", b"two")


def test_of_two_that_revise_at_once_one_conflicts(room: Room) -> None:
    room.cases.add(room.write(files={}), "robin")
    results = _race(room, room.write("a", files={"e1": b"one"}), room.write("b", files={"e1": b"two"}), "revise")
    (error,) = [result for result in results if isinstance(result, ConflictError)]
    assert "revised by somebody else meanwhile" in error.message
    assert room.cases.load(REFERENCE).revision == 2
    assert len(list((room.folder / "objects").iterdir())) == 1


# --- revising ---------------------------------------------------------------------------------------------------


def test_a_revision_keeps_seals_adds_new_ones_and_preserves_what_it_leaves_out(room: Room) -> None:
    room.cases.add(room.write(), "robin")
    revised = room.write("revised", files={"e2": FILES["e2"], "e3": b"harmless three"})
    (revised / "e2.txt").unlink()
    taken = room.cases.revise(REFERENCE, revised, "kim")
    assert (taken.outcome, taken.revision, taken.sealed) == (Outcome.REVISED, 2, 1)
    assert [room.content(item) for item in ("e1", "e2", "e3")] == [*FILES.values(), b"harmless three"]
    assert list(room.cases.describe(REFERENCE).facts) == ["e2", "e3"]
    assert [(entry.number, entry.actor) for entry in room.cases.describe(REFERENCE).revisions] == [
        (1, "robin"),
        (2, "kim"),
    ]
    assert room.told == [REFERENCE]
    assert "case_revised" in room.events()


def test_a_file_replaced_under_the_same_id_is_sealed_anew_and_nobody_has_viewed_it(room: Room) -> None:
    room.cases.add(room.change(room.write(), lambda document: document["evidence"][0].update(views=[VIEW])), "robin")
    room.cases.revise(REFERENCE, room.write("revised", files={"e1": b"another", "e2": FILES["e2"]}), "robin")
    facts = room.cases.describe(REFERENCE).facts["e1"]
    assert (facts.sha256, facts.viewed_entire) == (hashlib.sha256(b"another").hexdigest(), False)


def test_a_revision_that_is_objected_to_is_undone_whole(room: Room) -> None:
    room.cases.add(room.write(), "robin")
    rows, kept = room.rows(), room.kept_files()
    room.objection = PolicyError("not now")
    with pytest.raises(PolicyError, match="not now"):
        room.cases.revise(REFERENCE, room.write("revised", files={"e3": b"harmless three"}), "robin")
    assert (room.rows(), room.kept_files()) == (rows, kept)


def test_revising_with_the_same_content_changes_nothing(room: Room) -> None:
    case = room.write()
    room.cases.add(case, "robin")
    assert room.cases.revise(REFERENCE, case, "kim").outcome is Outcome.UNCHANGED
    room.change(case, lambda document: document["evidence"][0].update(views=[VIEW]))
    assert room.cases.revise(REFERENCE, case, "kim").outcome is Outcome.VIEWS_ADDED
    assert (room.told, room.cases.load(REFERENCE).revision) == ([], 1)


def test_a_person_may_reconsider(room: Room) -> None:
    case = room.change(room.write(), lambda document: document["confirmation"].update(decision="not_confirmed"))
    room.cases.add(case, "robin")
    room.change(case, lambda document: document["confirmation"].update(decision="confirmed"))
    assert room.cases.revise(REFERENCE, case, "kim").state is CaseState.CONFIRMED
    assert room.events()[-2:] == ["case_revised", "case_confirmed"]


def test_a_revision_must_be_of_that_case_and_the_case_on_record(room: Room) -> None:
    case = room.write()
    with pytest.raises(NotFoundError, match="no case TEST-000001"):
        room.cases.revise(REFERENCE, case, "robin")
    with pytest.raises(DocumentError) as caught:
        room.cases.revise("TEST-000002", case, "robin")
    assert [finding.path for finding in caught.value.findings] == ["reference"]
    assert (room.rows(), room.kept_files()) == ({}, set())


# --- confirming and importing -----------------------------------------------------------------------------------


class Foreign:
    """An adapter that reads its own format, which here is a case document with something claimed of its files."""

    name = "foreign"

    def read(self, documents: Sequence[bytes], reference: str, now: datetime, actor: str) -> Imported:
        document = json.loads(documents[0])
        document["reference"] = reference
        document["confirmation"] = {"decision": "pending", "by": actor, "at": now.isoformat(), "basis": "import"}
        claims: Mapping[str, Mapping[str, bool]] = {"e1": {"file_viewed": True}}
        return Imported(document, claims, (Finding("", "dropped", "something is not taken over"),))


@pytest.fixture
def report(room: Room) -> bytes:
    """A document in the foreign format: one file named, none there; a number with digits to keep."""
    case = room.write(
        files={}, evidence=[{"id": "e1"}], locations=[{"kind": "cell_phone", "latitude": "53.80100", "longitude": 1}]
    )
    return (case / "case.json").read_bytes()


def bring_in(room: Room, report: bytes, reference: str | None = None) -> Taken:
    adapter: Any = Foreign()
    return room.cases.import_report(adapter, [report], reference, "robin")


def test_an_imported_report_is_pending_and_claims_are_no_views(room: Room, report: bytes) -> None:
    taken = bring_in(room, report, REFERENCE)
    assert (taken.state, taken.waiting, len(taken.notes)) == (CaseState.PENDING, ("evidence[0]",), 1)
    described = room.cases.describe(REFERENCE)
    assert described.claims == {"e1": {"file_viewed": True}}
    assert (described.facts, described.views) == ({}, {})
    assert room.events() == ["case_imported"]


def test_the_same_documents_meet_the_same_case_even_later(room: Room, report: bytes) -> None:
    first = bring_in(room, report)
    assert first.reference.startswith("IMPORT-")
    assert len(first.reference) == len("IMPORT-") + 16
    room.clock.sleep(3600)
    assert bring_in(room, report).outcome is Outcome.UNCHANGED
    room.cases.confirm(first.reference, "Judged.", "kim")
    again = bring_in(room, report)
    assert (again.outcome, again.state) == (Outcome.UNCHANGED, CaseState.CONFIRMED)


def test_a_reference_that_is_taken_or_none_refuses_the_import(room: Room, report: bytes) -> None:
    bring_in(room, report, REFERENCE)
    with pytest.raises(ConflictError, match="not imported from these documents"):
        bring_in(room, report + b" ", REFERENCE)
    with pytest.raises(UsageError, match="form"):
        bring_in(room, report, "../etc")


def test_confirming_makes_a_revision_that_says_who_when_and_why(room: Room, report: bytes) -> None:
    bring_in(room, report, REFERENCE)
    taken = room.cases.confirm(REFERENCE, "Judged against policy CS-1.", "kim")
    assert (taken.outcome, taken.state, taken.revision) == (Outcome.CONFIRMED, CaseState.CONFIRMED, 2)
    assert taken.waiting == ("evidence[0]",)
    stored = room.cases.load(REFERENCE)
    confirmation = stored.case.confirmation
    assert (confirmation.by, confirmation.at, confirmation.basis) == (
        "kim",
        "2026-11-22T12:00:00Z",
        "Judged against policy CS-1.",
    )
    assert stored.prepared_by == "kim"
    assert b"53.80100" in stored.data
    assert room.events() == ["case_imported", "case_revised", "case_confirmed"]


def test_a_confirmed_import_gets_its_files_by_a_revision(room: Room, report: bytes) -> None:
    bring_in(room, report, REFERENCE)
    room.cases.confirm(REFERENCE, "Judged.", "kim")
    taken = room.cases.revise(REFERENCE, room.write("files", files={"e1": b"harmless one"}), "kim")
    assert (taken.sealed, taken.waiting) == (1, ())
    assert not room.cases.describe(REFERENCE).facts["e1"].viewed_entire


@pytest.mark.parametrize("decision", ["confirmed", "not_confirmed"])
def test_only_a_pending_case_is_confirmed(room: Room, decision: str) -> None:
    room.cases.add(
        room.change(room.write(), lambda document: document["confirmation"].update(decision=decision)), "robin"
    )
    with pytest.raises(PolicyError, match=f"is {decision}"):
        room.cases.confirm(REFERENCE, "Judged.", "kim")


def test_a_confirmation_needs_its_basis(room: Room, report: bytes) -> None:
    bring_in(room, report, REFERENCE)
    with pytest.raises(UsageError, match="basis"):
        room.cases.confirm(REFERENCE, " \n", "kim")


# --- removing sources -------------------------------------------------------------------------------------------


def test_sources_are_removed_once_verified_and_only_they(room: Room) -> None:
    case = room.write()
    (case / "bystander.txt").write_text("stays")
    taken = room.cases.add(case, "robin", remove_source=True)
    assert (taken.sealed, taken.removed, taken.sources) == (2, 2, 0)
    assert sorted(file.name for file in case.iterdir()) == ["bystander.txt", "case.json"]
    assert room.events()[-2:] == ["source_removed", "source_removed"]
    assert room.cases.add(case, "robin", remove_source=True) == Taken(
        REFERENCE, Outcome.UNCHANGED, CaseState.CONFIRMED, 1
    )


def test_sources_may_be_removed_later(room: Room) -> None:
    case = room.write()
    room.cases.add(case, "robin")
    assert room.cases.add(case, "robin", remove_source=True).removed == 2


def test_a_source_that_is_another_file_by_now_stays(room: Room) -> None:
    case = room.write()
    room.cases.add(case, "robin")
    (case / "e2.txt").write_bytes(b"something else")
    taken = room.cases.add(case, "robin", remove_source=True)
    assert (taken.removed, taken.sources) == (1, 1)
    assert [finding.path for finding in taken.notes] == ["evidence[1].sha256"]
    assert (case / "e2.txt").read_bytes() == b"something else"


def test_no_source_is_removed_whose_seal_is_damaged(room: Room) -> None:
    case = room.write(files={"e1": FILES["e1"]})
    room.cases.add(case, "robin")
    (sealed,) = (room.folder / "objects").iterdir()
    sealed.write_bytes(sealed.read_bytes()[:-1] + b"?")
    taken = room.cases.add(case, "robin", remove_source=True)
    assert (taken.removed, taken.sources) == (0, 1)
    assert (case / "e1.txt").read_bytes() == FILES["e1"]


# --- looking ----------------------------------------------------------------------------------------------------


def test_cases_are_listed_oldest_first(room: Room) -> None:
    for number in (2, 1):
        room.cases.add(room.write(str(number), reference=f"TEST-00000{number}"), "robin")
        room.clock.sleep(60)
    assert [entry.reference for entry in room.cases.list()] == ["TEST-000002", "TEST-000001"]


def test_an_unknown_case_is_said_to_be_unknown(room: Room) -> None:
    for look in (room.cases.load, room.cases.describe, lambda reference: room.cases.document(reference, "robin")):
        with pytest.raises(NotFoundError, match="no case TEST-000009"):
            look("TEST-000009")
    with room.engine.connect() as connection, pytest.raises(NotFoundError):
        room.cases.current_revision(connection, "TEST-000009")
