"""Each authority that people tell has its page, and the page says what the program does."""

import runpy
from pathlib import Path

PAGES = runpy.run_path(str(Path(__file__).with_name("handoff_pages.py")))["pages"]()
INDEX = Path(__file__).parents[2] / "docs" / "index.md"


def test_every_page_is_up_to_date() -> None:
    stale = [path.name for path, text in PAGES.items() if not path.exists() or path.read_text("utf-8") != text]
    assert stale == [], "run: make docs"


def test_every_page_is_in_the_index() -> None:
    index = INDEX.read_text(encoding="utf-8")
    assert [path.name for path in PAGES if f"(authorities/{path.name})" not in index] == []
