"""The fault matrix of docs/reliability.md is what the exploration finds now."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import fault_matrix


def test_the_matrix_is_what_the_exploration_finds() -> None:
    page = fault_matrix.PAGE.read_text(encoding="utf-8")
    assert fault_matrix.write(page) == page, "run: make docs"
    assert "**broken**" not in page
