"""The calls that deliver a CyberTipline report, and what a lost answer to each of them means."""

from __future__ import annotations

from datetime import timedelta

from adapters.ncmec.outcomes import Kind
from reporter.authority import Lost, Package, Plan, Step

#: CyberTipline Reporting API Technical Documentation, section 3: an unfinished report is deleted 24 hours after it
#: was opened or 1 hour after the last upload or file details, whichever is later. So it lives 24 hours at least.
DRAFT_LIFETIME = timedelta(hours=24)
#: Our margin before it: within the last hour a draft is begun anew rather than raced.
STALE_AFTER = timedelta(hours=23)


def plan_of(package: Package) -> Plan:
    """
    Give the plan of a package.

    A file uploaded twice is in the report twice, and details may be given once for each file (sections 3 and 6), so
    a lost answer begins a new report; the lost one is withdrawn or expires. A finish may be repeated: it answers that
    the report is already finished.
    """
    files = [
        step
        for file in package.files
        for step in (
            Step(f"{Kind.UPLOAD}:{file.item}", Lost.RESTART, file.item),
            Step(f"{Kind.DETAILS}:{file.item}", Lost.RESTART, file.item),
        )
    ]
    return Plan(
        steps=(Step(Kind.OPEN.value, Lost.RESTART), *files, Step(Kind.FINISH.value, Lost.REPEAT)),
        abandon=Step(Kind.RETRACT.value, Lost.REPEAT),
        draft_key="report_id",
        draft_lifetime=DRAFT_LIFETIME,
        stale_after=STALE_AFTER,
    )
