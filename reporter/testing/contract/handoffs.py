"""The contract suite for authorities that people tell: what a person is handed, and what it never holds."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from reporter.abilities import Handoff
from reporter.authority import Adapter, Environment
from reporter.cases.model import Case
from reporter.testing.contract.packages import FormatContract
from reporter.testing.contract.subject import FILES
from reporter.testing.documents import case_document

#: Stands in whatever is known of whoever told us.
_NOTIFIER = "NOTIFIERMARKER"
_MEANS = frozenset({"portal", "form", "writing"})


class HandoffContract(FormatContract):
    """
    Everything that holds of an adapter whose authority people tell.

        class TestExample(HandoffContract):
            adapter = ExampleForm()
    """

    adapter: Handoff
    carries_files = False

    def test_people_tell_it_and_no_machine_can(self) -> None:
        assert isinstance(self.adapter, Handoff)
        assert not hasattr(self.adapter, "plan"), "what has a plan is claimed by a worker"
        assert self.adapter.means in _MEANS

    def test_no_file_of_the_case_is_in_it(self) -> None:
        package = self.package(FILES)
        for content in FILES.values():
            assert all(content not in document.body for document in package.documents)

    def test_who_told_us_is_in_no_document(self) -> None:
        told = {
            "id": "n1",
            "roles": ["notifier"],
            "account": {"screen_name": _NOTIFIER},
            "person": {"first_name": _NOTIFIER, "emails": [{"address": f"{_NOTIFIER}@forum.example"}]},
            "additional_info": _NOTIFIER,
        }
        document = case_document("CONTRACT-01", files=FILES, **self.changes)
        document["people"] = [*document["people"], told]
        document["detected_by"] = [
            {"method": "user_report", "at": "2026-11-18T09:59:00Z", "person": "n1", "note": _NOTIFIER}
        ]
        for item in document["evidence"]:
            item["received_from"] = "n1"
        case = Case.model_validate(document)
        for each in self.adapter.build(case, self.packaging(case, FILES)).documents:
            assert _NOTIFIER.encode() not in each.body, each.name

    def test_a_notifier_in_another_role_needs_a_second_human(self) -> None:
        document = case_document("CONTRACT-01", files=FILES, **self.changes)
        document["people"] = [{"id": "p1", "roles": ["suspect", "notifier"], "account": {"id": _NOTIFIER}}]
        case = Case.model_validate(document)
        packaging = self.packaging(case, FILES)
        named = any(_NOTIFIER.encode() in each.body for each in self.adapter.build(case, packaging).documents)
        asked = any(need.path == "people[0].role_decision" for need in self.adapter.check(case, packaging).needs)
        assert asked or not named

    def test_every_document_outside_production_says_that_it_is_no_report(self) -> None:
        case = self.case(FILES)
        practice = self.adapter.build(case, self.packaging(case, FILES))
        real = self.adapter.build(case, self.packaging(case, FILES, environment=Environment.PRODUCTION))
        for exercise, report in zip(practice.documents, real.documents, strict=True):
            assert b"sandbox" in exercise.body, exercise.name
            assert b"sandbox" not in report.body, report.name

    def test_what_is_printed_is_the_same_each_time(self) -> None:
        package = self.package(FILES)
        printed = [self.adapter.printed(package) for _ in range(2)]
        assert printed[0] == printed[1]
        assert not {d.name for d in printed[0].documents} & {d.name for d in package.documents}

    def test_what_it_leaves_out_is_told(self) -> None:
        case = self.case(FILES, uk={"links": [{"ground": "place", "evidence": "LEFTOUT"}]})
        packaging = self.packaging(case, FILES, timedelta(0))
        if not any(b"LEFTOUT" in document.body for document in self.adapter.build(case, packaging).documents):
            places = {note.path for note in self.adapter.check(case, packaging).notes}
            assert "uk.links[0].evidence" in places

    def test_the_digests_of_files_are_whole_where_it_names_them(self) -> None:
        digests = [hashlib.sha256(content).hexdigest().encode() for content in FILES.values()]
        text = b"".join(document.body for document in self.package(FILES).documents)
        assert all(digest in text for digest in digests) or not any(digest in text for digest in digests)


def is_machine(adapter: Adapter | Handoff) -> bool:
    """Whether an adapter calls its authority, and so is under ``AdapterContract``."""
    return not isinstance(adapter, Handoff)
