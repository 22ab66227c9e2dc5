"""How long one package with ten files takes to build, check and validate; the figure to meet is 10 ms."""

from __future__ import annotations

import statistics
import time

import pytest

from adapters.ncmec import payload, rules
from adapters.ncmec.structure import as_xsd
from reporter.cases.model import Case
from tests.unit.ncmec_packaging.full_case import FULL_CASE
from tests.unit.ncmec_packaging.support import full_organisation, packaging


def test_packaging_ten_files(capsys: pytest.CaptureFixture[str]) -> None:
    (file,) = FULL_CASE["evidence"]
    case = Case.model_validate({**FULL_CASE, "evidence": [{**file, "id": f"e{number}"} for number in range(10)]})
    schema = as_xsd(additions=True)
    given = packaging(case, organisation=full_organisation(), schema=schema)
    times = []
    for _ in range(50):
        begun = time.perf_counter()
        assert rules.check(case, given).needs == ()
        assert rules.validate(payload.build(case, given), schema) == []
        times.append((time.perf_counter() - begun) * 1000)
    with capsys.disabled():
        print(f"\nbuild, check and validate a package with 10 files: {statistics.median(times):.1f} ms (median of 50)")
