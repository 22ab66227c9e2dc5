"""What must hold at the end of every run."""

from __future__ import annotations

import json

from sqlalchemy import text

from reporter.authority import Outcome
from reporter.submissions.model import State
from reporter.testing.simulation.world import World

_ASKS_A_PERSON = {State.REJECTED, State.IN_DOUBT, State.ATTENTION}


def violations(world: World) -> tuple[State, list[str]]:
    """
    Give the state in which a run ended, and every invariant that its end breaks, in words.

    Of a database that forgot, only that nothing is filed twice and that the state is true or asks a person.
    """
    subject, broken = world.template.subject, []
    with world.database.connect() as connection:
        learnt = [json.loads(ids) for ids in connection.execute(text("SELECT ids FROM ledger_entry")).scalars()]
        row = connection.execute(text("SELECT state, reason, receipt_reference FROM submission")).one()
    calls, held = world.calls(), list(subject.held(world.double))
    filed = [report for report in held if report.filed]
    state = State(row.state)
    if len(filed) > 1:
        broken.append(f"{len(filed)} reports were filed")
    if state is State.ACCEPTED:
        if [report.reference for report in filed] != [row.receipt_reference]:
            broken.append("accepted, but the receipt is not of the one filed report")
    elif state in _ASKS_A_PERSON:
        if not row.reason:
            broken.append(f"{state} without a reason")
    else:
        broken.append(f"ended in state {state}, which neither is final nor asks for a person")
    if state is State.REJECTED and filed and not world.lied:
        broken.append("filed, and a person is told that it was refused")
    for report in filed if not (world.lied and state is State.ATTENTION) else ():
        if sorted(report.files) != sorted(world.template.files.values()) or not report.in_order:
            broken.append("the filed report does not hold the files once each, byte for byte, with their details")
    if world.unannounced:
        broken.append("the authority saw a request of which the ledger had no intent")
    if world.late_changes and not world.forgot:
        broken.append("a worker whose lease had passed on changed something")
    if state in (State.ACCEPTED, State.REJECTED) and not world.lied and not world.forgot:
        # An id that only a late worker learnt is of a draft that nobody continues: it expires by itself.
        known = {value for ids in learnt for value in ids.values()}
        if known & {report.reference for report in held if not report.filed and not report.gone}:
            broken.append("a draft that we knew of was left open")
    kept = {call.id for call in calls if call.outcome is Outcome.ACCEPTED}
    if world.receipts - kept and not world.forgot:
        broken.append("a receipt that a worker brought home was thrown away")
    return state, broken
