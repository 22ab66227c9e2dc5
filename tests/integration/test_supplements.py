"""What turns up later: linked, delivered exactly once each, and never before the first is accepted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from reporter.errors import ConflictError, PolicyError
from reporter.submissions import service
from reporter.submissions.model import State
from reporter.testing.documents import case_document, write_case
from reporter.testing.house import House
from tests.integration.nca_house import nca_case, nca_house

REF = "TEST-000001"
FILES = {f"e{number}": f"harmless {number}".encode() for number in range(1, 5)}


class Later:
    """A house, and a case that grows by one file at a time."""

    def __init__(self, folder: Path, authority: str, faults: str = "", **modes: bool) -> None:
        self.folder, self.authority = folder, authority
        modes = modes or {"idempotency": True, "look_up": True}
        self.house = nca_house(folder, faults, **modes) if authority == "nca" else House(folder, faults=faults)
        self.revisions = 0

    def reported(self, count: int = 1) -> None:
        self.house.approved(files=self._files(count), **self._changes())
        self.house.until_idle()

    def revised(self, count: int, **changes: Any) -> None:
        self.revisions += 1
        folder = self.folder / f"revision-{self.revisions}"
        path = write_case(folder, REF, files=self._files(count), **self._changes(), **changes)
        self.house.app.cases.revise(REF, path, "preparer")

    def begin(self) -> Any:
        return self.house.app.supplements.begin(REF, self.authority, "preparer")

    def supplemented(self, count: int) -> None:
        self.revised(count)
        self.begin()
        self.house.app.submissions.approve(REF, "approver", self.authority)
        self.house.until_idle()

    def told(self) -> list[tuple[Any, ...]]:
        entries = self.house.app.submissions.overview(REF)
        return [(e["version"], e["state"], e["supersedes"], e["supplements"]) for e in entries]

    def filed(self) -> list[list[bytes]]:
        """Give the files of each report that the double holds as filed."""
        if self.authority == "nca":
            store = self.house.double.store
            return [[store.files[digest].content for digest in each.files] for each in store.reports.values()]
        reports = self.house.double.reports.values()
        return [[file.content for file in each.files.values()] for each in reports if each.state == "finished"]

    def links(self) -> list[list[str]]:
        """Give the reports that each filed one names, by their place among the filed ones."""
        if self.authority == "nca":
            ids = list(self.house.double.store.reports)
            receipts = [each.receipt for each in self.house.double.store.reports.values()]
            return [[str(ids.index(r["supplements"]))] if "supplements" in r else [] for r in receipts]
        reports = [each for each in self.house.double.reports.values() if each.state == "finished"]
        ids = [each.id for each in reports]
        roots = [etree.fromstring(each.document) for each in reports]
        return [[str(ids.index(prior.text or "")) for prior in root.iter("priorCTReports")] for root in roots]

    @staticmethod
    def _files(count: int) -> dict[str, bytes]:
        return dict(list(FILES.items())[:count])

    def _changes(self) -> dict[str, Any]:
        return nca_case() if self.authority == "nca" else {}


@pytest.fixture(params=["ncmec", "nca"])
def later(request: pytest.FixtureRequest, tmp_path: Path) -> Later:
    return Later(tmp_path, request.param)


@pytest.fixture
def at_ncmec(tmp_path: Path) -> Later:
    """Give what does not depend on the authority."""
    return Later(tmp_path, "ncmec")


def test_second_and_third_reports_are_normal_linked_and_hold_what_is_new_alone(later: Later) -> None:
    later.reported(1)
    later.supplemented(2)
    later.supplemented(4)
    assert later.told() == [(1, "accepted", None, None), (2, "accepted", None, 1), (3, "accepted", None, 2)]
    assert later.filed() == [[FILES["e1"]], [FILES["e2"]], [FILES["e3"], FILES["e4"]]]
    assert later.links() == ([[], ["0"], ["0"]] if later.authority == "nca" else [[], ["0"], ["0", "1"]])


def test_an_item_of_which_more_is_known_goes_again_with_it(later: Later) -> None:
    later.reported(2)
    first, second = case_document(REF, files=later._files(2))["evidence"]
    later.revised(2, evidence=[first, {**second, "url": "https://forum.example/a/2", "path": second["path"]}])
    later.begin()
    later.house.app.submissions.approve(REF, "approver", later.authority)
    later.house.until_idle()
    assert later.filed() == [[FILES["e1"], FILES["e2"]], [FILES["e2"]]]


def test_a_supplement_follows_an_accepted_report_only(later: Later) -> None:
    later.house.app.cases.add(
        write_case(later.folder / "cases", REF, files={"e1": FILES["e1"]}, **later._changes()), "preparer"
    )
    with pytest.raises(PolicyError, match="not accepted yet"):
        later.begin()
    later.house.app.submissions.approve(REF, "approver", later.authority)
    with pytest.raises(PolicyError, match="not accepted yet"):
        later.begin()
    later.house.until_idle()
    with pytest.raises(PolicyError, match="gained nothing"):
        later.begin()
    later.revised(2)
    begun = later.begin()
    assert (begun.version, begun.adds_to) == (2, 1)
    assert begun.receipt == later.house.submission()["receipt"]["reference"]
    with pytest.raises(PolicyError, match="under way already"):
        later.begin()


def test_a_case_revised_after_its_report_is_not_reported_again_by_itself(at_ncmec: Later) -> None:
    at_ncmec.reported(1)
    at_ncmec.revised(2)
    (told,) = at_ncmec.house.app.submissions.approve(REF, "approver", at_ncmec.authority)
    at_ncmec.house.until_idle()
    assert (told.state, len(at_ncmec.filed())) == (State.ACCEPTED, 1)
    shown = at_ncmec.house.app.submissions.preview(REF, at_ncmec.authority).check.notes
    assert "revised_since" in {note.rule for note in told.notes} & {note.rule for note in shown}


def test_nobody_approves_a_first_report_anew_because_a_supplement_was_begun_meanwhile(
    at_ncmec: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_ncmec.reported(1)
    at_ncmec.revised(2)
    freeze = service.freeze

    def begun_meanwhile(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(service, "freeze", freeze)
        frozen = freeze(*arguments, **named)
        at_ncmec.begin()
        return frozen

    monkeypatch.setattr(service, "freeze", begun_meanwhile)
    with pytest.raises(ConflictError, match="begun meanwhile"):
        at_ncmec.house.app.submissions.approve(REF, "approver", at_ncmec.authority)
    at_ncmec.house.until_idle()
    assert len(at_ncmec.filed()) == 1


def test_a_refused_supplement_is_corrected_and_stays_one(later: Later) -> None:
    later.reported(1)
    call = "reports:1 code=422" if later.authority == "nca" else "submit:1 code=4100"
    later.house.double.faults.add(call)
    later.supplemented(2)
    assert later.told()[1] == (2, "rejected", None, 1)
    later.revised(3)
    later.house.app.submissions.approve(REF, "approver", later.authority)
    later.house.until_idle()
    assert later.told() == [(1, "accepted", None, None), (2, "rejected", None, 1), (3, "accepted", 2, 1)]
    assert later.filed() == [[FILES["e1"]], [FILES["e2"], FILES["e3"]]]


def test_a_withdrawn_supplement_is_taken_up_by_approving_it_again(at_ncmec: Later) -> None:
    at_ncmec.reported(1)
    at_ncmec.revised(2)
    at_ncmec.begin()
    at_ncmec.house.app.submissions.approve(REF, "approver", at_ncmec.authority)
    at_ncmec.house.app.resolutions.withdraw(REF, at_ncmec.authority, "approver", "Too soon.")
    with pytest.raises(PolicyError, match="was not filed"):
        at_ncmec.begin()
    at_ncmec.house.app.submissions.approve(REF, "approver", at_ncmec.authority)
    at_ncmec.house.until_idle()
    assert at_ncmec.told() == [(1, "accepted", None, None), (2, "withdrawn", None, 1), (3, "accepted", 2, 1)]
    assert at_ncmec.filed()[1] == [FILES["e2"]]


def test_the_answer_to_a_supplement_is_lost_and_it_is_filed_once(later: Later) -> None:
    later.reported(1)
    later.house.double.faults.add("reports:1 drop_after" if later.authority == "nca" else "finish:1 drop_after")
    later.supplemented(2)
    assert later.told()[1] == (2, "accepted", None, 1)
    assert len(later.filed()) == 2


def test_a_revision_voids_the_approval_of_a_supplement_too(at_ncmec: Later) -> None:
    at_ncmec.reported(1)
    at_ncmec.revised(2)
    at_ncmec.begin()
    at_ncmec.house.app.submissions.approve(REF, "approver", at_ncmec.authority)
    at_ncmec.revised(3)
    at_ncmec.house.until_idle()
    assert len(at_ncmec.filed()) == 1
    at_ncmec.house.app.submissions.approve(REF, "approver", at_ncmec.authority)
    at_ncmec.house.until_idle()
    assert at_ncmec.filed()[1] == [FILES["e2"], FILES["e3"]]


def test_a_supplement_to_the_nca_in_doubt_is_looked_up_under_a_reference_of_its_own(tmp_path: Path) -> None:
    later = Later(tmp_path, "nca", look_up=True)
    later.reported(1)
    later.house.double.faults.add("reports:1 drop_after")
    later.supplemented(2)
    assert [state for _, state, _, _ in later.told()] == ["accepted", "accepted"]
    references = [each.receipt["clientReference"] for each in later.house.double.store.reports.values()]
    assert references == [REF, f"{REF}.s1"]


def test_without_a_new_file_a_supplement_to_the_nca_names_what_it_has(tmp_path: Path) -> None:
    later = Later(tmp_path, "nca")
    later.reported(1)
    later.revised(
        1, people=[{"id": "p1", "roles": ["suspect"], "account": {"id": "9001", "created_at": "2020-01-01T00:00:00Z"}}]
    )
    later.begin()
    later.house.app.submissions.approve(REF, "approver", "nca")
    later.house.until_idle()
    assert later.filed() == [[FILES["e1"]], [FILES["e1"]]]
    assert [seen.endpoint for seen in later.house.double.requests].count("files") == 1


def test_a_first_report_without_the_authoritys_own_id_cannot_be_supplemented_at_the_nca(tmp_path: Path) -> None:
    later = Later(tmp_path, "nca")
    later.house.app.cases.add(
        write_case(later.folder / "cases", REF, files={"e1": FILES["e1"]}, **nca_case()), "preparer"
    )
    at = later.house.clock.now()
    for person in ("preparer", "approver"):
        later.house.app.resolutions.record_receipt(REF, "nca", person, "By the portal.", "SR-1", at)
    later.revised(2)
    later.begin()
    needs = later.house.app.submissions.check(REF)["nca"].needs
    assert [(need.path, need.rule) for need in needs] == [("supplement", "referral_id")]
