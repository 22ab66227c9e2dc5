"""The CyberTipline under exploration."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from adapters.ncmec.outcomes import DOCUMENTED
from reporter.testing.simulation.subject import Filed, Subject

#: The request is lost, the answer is lost, garbled, late, of the wrong kind, or of another digest.
WIRE = (
    "refuse", "drop_before", "drop_after", "cut", "truncate", "oversize", "delay=600",
    "html", "html processed", "status=503", "status=503 processed", "status=200", "throttle=30", "wrong_digest",
)  # fmt: skip
#: Server errors that do not say whether the call took effect.
UNCLEAR = tuple(f"code={code} processed" for code in (1000, 1100, 1110, 1111, 1300))
#: Said where it is not so: the report is unknown, retracted or finished already.
LIES = tuple(f"code={code}" for code in (1210, 5001, 5101, 5102))


def filed(double: Any) -> Sequence[Filed]:
    return [
        Filed(report.id, tuple(file.content for file in report.files.values()), _in_order(report))
        for report in double.reports.values()
        if report.state == "finished"
    ]


def _in_order(report: Any) -> bool:
    return all(file.details is not None and file.id.encode() in file.details for file in report.files.values())


def open_drafts(double: Any) -> Collection[str]:
    return [report.id for report in double.reports.values() if report.state == "open"]


NCMEC = Subject(
    authority="ncmec",
    faults=(*WIRE, *UNCLEAR, *(f"code={code}" for code in DOCUMENTED if code != 0)),
    filed=filed,
    open_drafts=open_drafts,
    classes=(
        "refuse",  # not sent
        "drop_before",  # unknown, and nothing happened
        "drop_after",  # unknown, and it happened
        "throttle=30",  # retryable
        "wrong_digest",  # mismatch on an upload
        "code=3000",  # unauthorised
        "code=4100",  # rejected
    ),
    lies=frozenset(LIES),
)

FILES = {"e1": b"harmless one", "e2": b"harmless two"}
