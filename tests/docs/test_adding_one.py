"""The adapter that docs/authorities/adding-one.md walks through is complete, fulfils the contract, and delivers."""

import hashlib
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from reporter.authority import Adapter, Call, Endpoint, Environment, EvidenceFacts, Outcome, Packaging
from reporter.cases.model import Case
from reporter.organisation import Organisation
from reporter.testing.clock import FakeClock

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "authorities" / "adding-one.md"
CONTENT = b"a harmless file"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Write the page's modules down as a package of another name."""
    folder = tmp_path / "example_adapter"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for name, code in re.findall(
        r"^```python\n# adapters/example/(\w+\.py)\n(.*?)^```$", PAGE.read_text(), re.M | re.S
    ):
        (folder / name).write_text(code.replace("adapters.example", "example_adapter"), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.startswith("example_adapter")]:
        del sys.modules[name]


@pytest.fixture
def adapter(package: Path) -> Adapter:
    return importlib.import_module("example_adapter.adapter").ExampleAdapter()


def _case() -> Case:
    document: dict[str, Any] = json.loads((ROOT / "tests/data/EX-2026-000201/case.json").read_text(encoding="utf-8"))
    document["evidence"] = document["evidence"][:1]
    return Case.model_validate(document)


def test_it_fulfils_the_contract_for_the_type_checker(package: Path) -> None:
    (package / "contract.py").write_text(
        "from example_adapter.adapter import ExampleAdapter\n"
        "from reporter.authority import Adapter\n"
        "adapter: Adapter = ExampleAdapter()\n"
    )
    options = ["--strict", "--cache-dir", str(package.parent / "cache"), "--package", "example_adapter"]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *options], cwd=package.parent, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("faults", ["", "reports:1 drop_after", "files:1 drop_after"])
def test_it_delivers_one_report_whatever_answer_is_lost(adapter: Adapter, faults: str) -> None:
    case, double = _case(), adapter.double(FakeClock(), faults)
    item = case.evidence[0].id
    facts = EvidenceFacts(
        item,
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        md5=hashlib.md5(CONTENT).hexdigest(),
        size=len(CONTENT),
    )
    packaging = Packaging(Organisation(name="Example Forum Ltd"), Environment.SANDBOX, {item: facts}, NOW)
    assert [need.rule for need in adapter.check(case, packaging).needs] == ["required"]
    package = adapter.build(case, packaging)
    endpoint = Endpoint(Environment.SANDBOX, "http://127.0.0.1:8912/v1", "example", SecretStr("example"))
    with adapter.connect(endpoint, double.transport()) as connection:
        answers = []
        for step in adapter.plan(package).steps:
            call = Call(step, package, {}, lambda _: iter([CONTENT]))
            answer = connection.perform(call)
            if answer.outcome is Outcome.UNKNOWN:
                answer = connection.perform(call)
            answers.append(answer)
    assert [answer.outcome for answer in answers] == [Outcome.ACCEPTED] * 2
    assert double.reports == {case.reference: "H-1"}
    assert answers[-1].reference == "H-1"
