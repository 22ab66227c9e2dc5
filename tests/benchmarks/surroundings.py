"""What the benches of delivery share: the authority in a process of its own, and cases that wait for delivery."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reporter.bootstrap import App
from reporter.testing.documents import write_case

PROGRAM = Path(sys.executable).with_name("reporter")


@contextmanager
def authority(folder: Path, faults: str = "") -> Iterator[str]:
    """Serve the double from a process of its own, so that it shares no interpreter lock; gives its URL."""
    script = folder / "faults.txt"
    script.write_text(faults)
    command = [PROGRAM, "sandbox", "--port", "0", "--json", "--faults", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        text = next(lines)
        while not text.rstrip().endswith("}"):
            text += next(lines)
        yield str(json.loads(text)["url"])
        process.terminate()


def approved(app: App, folder: Path, prefix: str, count: int) -> Sequence[str]:
    """Add and approve cases with one small file each; give their references."""
    references = [f"{prefix}-{number:06}" for number in range(count)]
    for reference in references:
        files = {"e1": f"harmless {reference} ".encode() * 100}
        app.cases.add(write_case(folder / "cases", reference, files=files), "preparer")
        app.submissions.approve(reference, "approver")
    return references


def states(app: App, references: Sequence[str]) -> set[str]:
    """Give the states that submissions are in."""
    return {submission["state"] for reference in references for submission in app.submissions.overview(reference)}
