import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DATA = Path(__file__).parents[2] / "data"

_ROUTINE = json.loads((DATA / "EX-2026-000201" / "case.json").read_text(encoding="utf-8"))


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def routine() -> dict[str, Any]:
    """The routine case with three files, fresh for each test."""
    return deepcopy(_ROUTINE)
