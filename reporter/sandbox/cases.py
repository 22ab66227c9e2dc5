"""The synthetic cases that the demonstration files; the wheel carries them, a checkout has them in ``tests/data``."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def demo_cases() -> list[Path]:
    """Give the folders of the synthetic cases, in order of their references."""
    here = Path(str(files("reporter")))
    packaged = here / "demo_cases"
    folder = packaged if packaged.is_dir() else here.parent / "tests" / "data"
    return sorted(path for path in folder.iterdir() if (path / "case.json").is_file())
