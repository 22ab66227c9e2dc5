"""Taking a document from disk."""

import os
import time
from datetime import datetime
from pathlib import Path

import pytest

from reporter.cases import intake
from reporter.errors import DocumentError, EnvironmentTroubleError, UsageError

DATA = Path(__file__).parents[2] / "data" / "EX-2026-000201"


@pytest.mark.parametrize("path", [DATA, DATA / "case.json"])
def test_a_document_is_taken_by_its_file_or_its_folder(path: Path, now: datetime) -> None:
    handed = intake.take(path, now)
    assert handed.data == (DATA / "case.json").read_bytes()
    assert handed.folder == DATA
    assert "Sample" not in repr(handed)


def test_a_relative_path_keeps_its_folder(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.chdir(DATA)
    assert intake.take(Path("case.json"), now).folder == DATA


@pytest.mark.parametrize("name", ["absent", "absent/case.json", "empty", "file/case.json"])
def test_what_is_not_there_is_wrong_usage(tmp_path: Path, name: str, now: datetime) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="There is no"):
        intake.take(tmp_path / name, now)


def test_a_name_with_line_breaks_stays_on_one_line(tmp_path: Path, now: datetime) -> None:
    with pytest.raises(UsageError) as caught:
        intake.take(tmp_path / "two\nlines", now)
    assert "\n" not in caught.value.message


def test_a_nul_in_a_path_is_wrong_usage(now: datetime) -> None:
    with pytest.raises(UsageError, match="NUL"):
        intake.read_file(Path("a\0b"))


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="not an ordinary file"):
        intake.read_file(tmp_path / "pipe")


def test_200_megabytes_are_refused_before_they_are_read(tmp_path: Path) -> None:
    with (tmp_path / "case.json").open("wb") as file:
        file.truncate(200 * 2**20)
    began = time.perf_counter()
    with pytest.raises(DocumentError, match="209,715,200 bytes"):
        intake.read_file(tmp_path / "case.json")
    assert time.perf_counter() - began < 0.05


def test_a_file_that_may_not_be_read_is_trouble(tmp_path: Path) -> None:
    (tmp_path / "case.json").write_text("{}")
    (tmp_path / "case.json").chmod(0)
    if os.access(tmp_path / "case.json", os.R_OK):
        pytest.skip("root may read every file")
    with pytest.raises(EnvironmentTroubleError, match="Permission denied"):
        intake.read_file(tmp_path / "case.json")
