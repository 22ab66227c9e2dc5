"""A case to the NCA's mock, and a supplement after it, from the command line over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.nca.sandbox import PASSWORD, MockEndpoint
from reporter.clock import SystemClock
from reporter.sandbox.server import serve
from reporter.testing.documents import write_case
from tests.contract.nca_subject import CHANGES
from tests.e2e.support import Home, Run
from tests.integration.nca_house import TOML

REF = "TEST-000001"
FILES = {"e1": b"harmless one", "e2": b"harmless two"}


@pytest.fixture
def mock(home: Home, reporter: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[MockEndpoint]:
    """Serve the mock where the home, which reports to nobody else, looks for it."""
    monkeypatch.delenv("REPORTER_AUTHORITY__NCMEC__BASE_URL")
    home.toml.write_text(TOML, encoding="utf-8")
    double = MockEndpoint(SystemClock())
    with serve(double) as server:
        monkeypatch.setenv("REPORTER_AUTHORITY__NCA__BASE_URL", server.url)
        assert reporter("secret", "set", "nca-key", stdin=PASSWORD.encode()).code == 0
        yield double


def test_a_case_and_what_turns_up_later_reach_the_mock(reporter: Run, mock: MockEndpoint, tmp_path: Path) -> None:
    first = write_case(tmp_path / "first", REF, files={"e1": FILES["e1"]}, **CHANGES)
    assert reporter("case", "add", first, "--as", "ann").code == 0
    assert "a contract of our own for a mock (not the NCA's API)" in reporter("authority", "status", "nca").text
    early = reporter("submission", "supplement", REF, "--to", "nca", "--as", "ann")
    assert (early.code, "not accepted yet" in early.err) == (3, True)
    assert reporter("submission", "approve", REF, "--to", "nca", "--as", "bob").code == 0
    assert "accepted, receipt MOCK-UK-000001" in reporter("deliver", "--until-idle").text

    assert (
        reporter("case", "revise", REF, write_case(tmp_path / "more", REF, files=FILES, **CHANGES), "--as", "ann").code
        == 0
    )
    begun = reporter("submission", "supplement", REF, "--to", "nca", "--as", "ann", "--json")
    assert (begun.json["version"], begun.json["adds_to"], begun.json["receipt"]) == (2, 1, "MOCK-UK-000001")
    assert reporter("submission", "approve", REF, "--to", "nca", "--as", "bob").code == 0
    assert "MOCK-UK-000002" in reporter("deliver", "--until-idle").text
    shown = reporter("case", "show", REF, "--json").json["submissions"]
    assert [(each["version"], each["supersedes"], each["supplements"]) for each in shown] == [
        (1, None, None),
        (2, None, 1),
    ]
    assert "a supplement to version 1" in reporter("case", "show", REF).text
    assert [len(report.files) for report in mock.store.reports.values()] == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ncmec", "nca", "--port", "8999"), "go with one authority"),
        (("ncmec", "--switches"), "has no switches"),
    ],
)
def test_what_a_sandbox_cannot_do_is_wrong_usage(reporter: Run, arguments: tuple[str, ...], says: str) -> None:
    ran = reporter("sandbox", *arguments)
    assert (ran.code, says in ran.err) == (2, True)


def test_the_nca_has_no_production_here(home: Home, reporter: Run) -> None:
    home.toml.write_text(TOML.replace('environment = "sandbox"', 'environment = "production"'), encoding="utf-8")
    ran = reporter("case", "list")
    assert "gives its API on registration" in ran.err
    assert ran.code != 0
