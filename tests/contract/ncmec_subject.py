"""The CyberTipline as the contract and the exploration see it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adapters.ncmec.adapter import NCMECAdapter
from adapters.ncmec.outcomes import DOCUMENTED
from adapters.ncmec.sandbox import CyberTipline
from reporter.testing.contract.subject import AdapterSubject, Held

#: Answers that are late or of the wrong kind, besides the generic ones.
WIRE = ("delay=600", "html processed", "status=503", "status=200")
#: Server errors that do not say whether the call took effect.
UNCLEAR = tuple(f"code={code} processed" for code in (1000, 1100, 1110, 1111, 1300))
#: Said where it is not so: the report is unknown, retracted or finished already; a call was turned away.
LIES = (*(f"code={code}" for code in (1210, 5001, 5101, 5102)), "throttle=60 processed")


class NCMECSubject(AdapterSubject):
    """NCMEC's adapter, with every documented code."""

    adapter = NCMECAdapter()
    own_faults = (
        *WIRE,
        *UNCLEAR,
        "throttle=60 processed",
        *(f"code={code}" for code in DOCUMENTED if code != 0),
    )
    own_classes = ("code=4100",)  # rejected
    lies = frozenset(LIES)

    def held(self, double: CyberTipline) -> Iterable[Held]:
        for report in double.reports.values():
            files = tuple(file.content or b"" for file in report.files.values())
            gone = report.state in ("retracted", "expired")
            yield Held(report.id, report.state == "finished", files, gone, _in_order(report))


def _in_order(report: Any) -> bool:
    return all(file.details is not None and file.id.encode() in file.details for file in report.files.values())
