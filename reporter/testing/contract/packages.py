"""What holds of a plan and a package before anything is sent."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from reporter.abilities import Importing
from reporter.authority import Environment
from reporter.cases.model import Case
from reporter.errors import NotReadyError
from reporter.submissions.frozen import freeze, thaw
from reporter.testing.clock import FakeClock
from reporter.testing.contract.subject import FILES, AdapterSubject, FormatSubject
from reporter.testing.odd import MARKER, odd_documents

_ODD = dict(odd_documents())
_LATER = timedelta(days=3)
#: Where an id of the authority's stands once it is known.
_PLACE = re.compile(rb"\{\{[a-z_]+\}\}")


class FormatContract(FormatSubject):
    """What holds of every package, whoever tells the authority; ``carries_files`` where the files go with it."""

    carries_files = True

    def test_the_same_case_gives_the_same_bytes_at_any_time(self) -> None:
        case = self.case(FILES)
        built = [self.adapter.build(case, self.packaging(case, FILES, later)) for later in (timedelta(0), _LATER)]
        assert built[0] == built[1]

    def test_a_package_is_whole_and_survives_the_freezer(self) -> None:
        case = self.case(FILES)
        package = self.adapter.build(case, self.packaging(case, FILES))
        assert package.authority == self.adapter.name
        sizes = {item: len(content) for item, content in FILES.items()} if self.carries_files else {}
        assert {file.item: file.size for file in package.files} == sizes
        assert len({document.name for document in package.documents}) == len(package.documents) > 0
        frozen = freeze(package, reference=case.reference, revision=1, environment=Environment.SANDBOX)
        assert thaw(frozen.content) == package

    @pytest.mark.parametrize("level", ["immediate", "routine"])
    def test_an_immediate_danger_makes_a_package_urgent(self, level: str) -> None:
        document = self.case(FILES).model_dump(exclude_none=True)["incident"]
        urgency = {"level": level, "reason": "SYNTHETIC: a meeting is arranged."}
        case = self.case(FILES, incident={**document, "urgency": urgency})
        assert self.adapter.build(case, self.packaging(case, FILES)).urgent is (level == "immediate")

    def test_a_sound_case_needs_nothing(self) -> None:
        case = self.case(FILES)
        assert self.adapter.check(case, self.packaging(case, FILES)).needs == ()

    @pytest.mark.parametrize("name", _ODD)
    def test_an_odd_case_is_answered_with_findings(self, name: str) -> None:
        case = Case.model_validate(_ODD[name])
        packaging = self.packaging(case, {})
        check = self.adapter.check(case, packaging)
        for finding in (*check.needs, *check.notes):
            assert finding.rule, f"{finding.path}: a finding names its rule"
            assert finding.message, f"{finding.path}: a finding says what is wrong"
            assert MARKER not in f"{finding.path} {finding.rule} {finding.message}", "a finding repeats content"
        try:
            package = self.adapter.build(case, packaging)
        except NotReadyError:
            assert check.needs, "the package cannot be built, and check has nothing against the case"
        else:
            freeze(package, reference=case.reference, revision=1, environment=Environment.SANDBOX)


class PackageContract(FormatContract, AdapterSubject):
    """Plan, package, check and import."""

    def test_the_steps_of_a_plan_are_about_the_files_of_its_package(self) -> None:
        plan = self.adapter.plan(self.package(FILES))
        steps = [*plan.steps, *(step for step in (plan.abandon, plan.look_up) if step)]
        assert all(step.item is None or step.item in FILES for step in steps)

    def test_the_digest_knows_nothing_of_the_authoritys_ids(self) -> None:
        digests, references = set(), set()
        for _ in range(2):
            walk = self.walk(self.double(FakeClock()), FILES)
            references.add(walk.to_the_end().reference)
            for value in walk.ids.values():
                assert all(value.encode() not in document.body for document in walk.package.documents)
            frozen = freeze(walk.package, reference="CONTRACT-01", revision=1, environment=Environment.SANDBOX)
            digests.add(frozen.digest)
        assert len(digests) == 1
        assert "" not in references

    @pytest.mark.parametrize("files", [{}, FILES], ids=["no file", "two files"])
    def test_what_is_imported_builds_the_same_documents(self, files: dict[str, bytes]) -> None:
        if not isinstance(self.adapter, Importing):
            return
        package = self.package(files)
        bodies = [_PLACE.sub(b"1", document.body) for document in package.documents]
        imported = self.adapter.read(bodies, "CONTRACT-01", FakeClock().now(), "importer")
        case = Case.model_validate(imported.document)
        assert case.confirmation.decision == "pending", "nothing is sent that no human confirmed here"
        rebuilt = self.adapter.build(case, self.packaging(case, files))
        assert rebuilt.documents == package.documents
