"""The calls that deliver a report of the contract (our own, not the NCA's), and what a lost answer to each means."""

from __future__ import annotations

from adapters.nca.outcomes import Kind
from reporter.authority import Lost, Package, Plan, Step

LOOK_UP = Step(Kind.FIND.value, Lost.REPEAT)
_LOST = {"idempotency": Lost.REPEAT, "look_up": Lost.LOOK_UP, "ask": Lost.ASK}


def plan_of(package: Package) -> Plan:
    """
    Give the plan of a package, in the mode that was configured when it was approved.

    A file is addressed by its digest, so an upload may always be repeated. A report may be where the interface knows
    idempotency keys; otherwise it is looked up, or, where that cannot be done either, a person decides.
    """
    lost = _LOST.get(package.mode, Lost.ASK)
    uploads = [Step(f"{Kind.FILE}:{file.item}", Lost.REPEAT, file.item) for file in package.files]
    steps = (*uploads, Step(Kind.REPORT.value, lost))
    return Plan(steps=steps, look_up=LOOK_UP if lost is Lost.LOOK_UP else None)
