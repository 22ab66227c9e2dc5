"""Writes the fault matrix of docs/reliability.md from what the exploration finds: ``make docs``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from reporter.authority import Outcome
from reporter.submissions.model import State
from reporter.testing.simulation.explore import Run, play
from reporter.testing.simulation.replay import first_files
from reporter.testing.simulation.schedule import CRASH, EXPIRE, PAUSE, Injection, Moment
from reporter.testing.simulation.world import Template
from tests.contract.ncmec_subject import LIES, NCMECSubject

NCMEC = NCMECSubject()

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- matrix: written by make docs -->", "<!-- end of matrix -->"

#: What goes wrong with a call, in words.
WORDS = {
    "refuse": "no connection (tried again at once, three times in a lease)",
    "drop_before": "the request is lost",
    "drop_after": "the answer is lost",
    "cut": "the connection breaks in the middle of the answer",
    "truncate": "half of the answer arrives",
    "oversize": "the answer is longer than 1 MiB",
    "delay=20": "the answer is slow, and comes in time",
    "delay=40": "the answer comes after the time-out",
    "delay=600": "the answer comes ten minutes late",
    "drip=0.01": "the answer comes drop by drop",
    "drip=40": "the answer comes drop by drop, past the time-out",
    "html=200": "a page of HTML with HTTP 200, nothing done",
    "html=200 processed": "a page of HTML with HTTP 200, and it was done",
    "status=500": "HTTP 500, nothing done",
    "status=204": "HTTP 204",
    "throttle=60": "HTTP 429 with Retry-After of a minute",
    "throttle=60 processed": "HTTP 429 with Retry-After, which is not so: it was done",
    "html": "a gateway's page of HTML, nothing done",
    "html processed": "a gateway's page of HTML, and it was done",
    "status=503": "HTTP 503 without a body, nothing done",
    "status=503 processed": "HTTP 503 without a body, and it was done",
    "status=200": "HTTP 200 without a body",
    "throttle=30": "HTTP 429 with Retry-After",
    "wrong_digest": "other bytes arrive than were sent",
}
#: The moments around one call, in order: before it, after it, before and after the commit of its outcome.
MOMENTS = (
    "after the intent is written, before the call",
    "after the call, before its answer is written",
    None,
    "after the answer is written",
)


def render() -> str:
    """Give the matrix."""
    with tempfile.TemporaryDirectory() as folder:
        template = Template.make(Path(folder), NCMEC, first_files(1))
        sound = play(template, ())
        steps = [call.step for call in sound.calls]
        before = [at for at, moment in enumerate(sound.trace) if moment is Moment.BEFORE_CALL]
        head = f"| what goes wrong | {' | '.join(steps)} |\n|{'---|' * (len(steps) + 1)}"
        lines = ["", "**With a call**", "", head]
        lines += [_row(template, _words(fault), fault, before) for fault in (*NCMEC.faults, EXPIRE)]
        lines += ["", "**With a worker**", "", head, *_workers(template, before)]
    return "\n".join([*lines, ""])


def _workers(template: Template, before: list[int]) -> Iterator[str]:
    for action, words in ((CRASH, "it dies"), (PAUSE, "it is paused past its lease, another goes on, then it resumes")):
        for offset, where in enumerate(MOMENTS):
            if where is None:
                continue
            yield _row(template, f"{words}, {where}", action, [at + offset for at in before])


def _row(template: Template, words: str, action: str, moments: list[int]) -> str:
    runs = [play(template, (Injection(at, action),)) for at in moments]
    return f"| {words} | {' | '.join(_cell(run) for run in runs)} |"


def _cell(run: Run) -> str:
    attempts = max(call.attempt for call in run.calls)
    if run.broken:
        return "**broken**"
    if run.state is not State.ACCEPTED:
        return f"**{run.state.value.replace('_', ' ')}**"
    acknowledged = any(call.step == "finish" and call.outcome is Outcome.ACCEPTED for call in run.calls)
    return f"filed once{'' if acknowledged else ', inferred'}{f', attempt {attempts}' if attempts > 1 else ''}"


def _words(fault: str) -> str:
    if fault == EXPIRE:
        return "25 hours pass first"
    if fault in WORDS:
        return WORDS[fault]
    code, _, processed = fault.removeprefix("code=").partition(" ")
    return f"code {code}{', and it was done' if processed else ''}{', which is not so' if fault in LIES else ''}"


def write(page: str) -> str:
    """Give a page with its matrix renewed."""
    start, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    return page[:start] + "\n" + render() + page[end:]


if __name__ == "__main__":
    PAGE.write_text(write(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
