"""What the engine does next, from the ledger alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reporter.authority import Lost, Outcome, Plan, Step
from reporter.delivery.model import Entry, Pace, Pause, Perform, Settle, Verdict
from reporter.delivery.moves import (
    FINAL_REPEAT_CAP,
    FINAL_REPEATED_FOR,
    UNDOCUMENTED_LIMIT,
    may_have_filed,
    next_move,
)
from reporter.submissions.model import ReceiptKind, State

T0 = datetime(2026, 11, 20, 12, tzinfo=UTC)
PACE = Pace(timedelta(seconds=2), timedelta(hours=1), "seed")

DRAFT_PLAN = Plan(
    steps=(
        Step("open", Lost.RESTART),
        Step("upload:e1", Lost.RESTART, "e1"),
        Step("details:e1", Lost.RESTART, "e1"),
        Step("finish", Lost.REPEAT),
    ),
    abandon=Step("retract", Lost.REPEAT),
    draft_key="report_id",
    draft_lifetime=timedelta(hours=24),
    stale_after=timedelta(hours=23),
)
SEND_ONLY = Plan(steps=(Step("send", Lost.ASK),))
SEND_AND_LOOK = Plan(steps=(Step("send", Lost.LOOK_UP),), look_up=Step("look", Lost.REPEAT))

A, U = Outcome.ACCEPTED, Outcome.UNKNOWN


def history(*calls: tuple[str, Outcome], attempt: int = 1, start: datetime = T0, **more: object) -> list[Entry]:
    entries = []
    for index, (step, outcome) in enumerate(calls):
        ids = {"report_id": "4564654"} if step == "open" and outcome is A else {}
        at = start + timedelta(seconds=index)
        entries.append(Entry(f"{attempt}-{index}", attempt, step, outcome, at, ids=ids))
    if more:
        entries[-1] = replace(entries[-1], **more)  # type: ignore[arg-type]
    return entries


UP_TO_FINISH = (("open", A), ("upload:e1", A), ("details:e1", A))


def step_after(*calls: tuple[str, Outcome], plan: Plan = DRAFT_PLAN, **more: object) -> tuple[str, int]:
    move = next_move(plan, history(*calls, **more), T0 + timedelta(minutes=1), PACE)
    assert isinstance(move, Perform), move
    return move.step.key, move.attempt


def settled(*calls: tuple[str, Outcome], plan: Plan = DRAFT_PLAN, **more: object) -> Settle:
    move = next_move(plan, history(*calls, **more), T0 + timedelta(minutes=1), PACE)
    assert isinstance(move, Settle), move
    return move


def test_the_plan_is_followed_in_order() -> None:
    assert next_move(DRAFT_PLAN, [], T0, PACE) == Perform(DRAFT_PLAN.steps[0], 1, T0)
    assert step_after(("open", A)) == ("upload:e1", 1)
    assert step_after(("open", A), ("upload:e1", A)) == ("details:e1", 1)
    assert step_after(*UP_TO_FINISH) == ("finish", 1)


def test_an_acknowledged_finish_is_a_receipt() -> None:
    move = settled(*UP_TO_FINISH, ("finish", A))
    assert (move.state, move.receipt, move.reference) == (State.ACCEPTED, ReceiptKind.ACKNOWLEDGED, "4564654")


def test_an_acknowledged_finish_with_foreign_files_needs_attention_and_keeps_the_receipt() -> None:
    move = settled(*UP_TO_FINISH, ("finish", A), discrepancy="it lists files that are not ours")
    assert (move.state, move.receipt) == (State.ATTENTION, ReceiptKind.ACKNOWLEDGED)
    assert "not ours" in move.reason


@pytest.mark.parametrize("trouble", [Outcome.NOT_SENT, Outcome.RETRYABLE])
def test_what_certainly_did_not_happen_is_simply_tried_again(trouble: Outcome) -> None:
    assert step_after(("open", trouble)) == ("open", 1)
    assert step_after(("open", A), ("upload:e1", trouble)) == ("upload:e1", 1)
    assert step_after(*UP_TO_FINISH, ("finish", trouble)) == ("finish", 1)
    assert step_after(("open", A), ("upload:e1", U), ("retract", trouble)) == ("retract", 1)


def test_a_lost_open_begins_anew_because_nobody_knows_its_id() -> None:
    assert step_after(("open", U)) == ("open", 2)


@pytest.mark.parametrize("lost", [("upload:e1",), ("upload:e1", "details:e1")])
def test_a_lost_upload_or_details_retracts_the_draft_first(lost: tuple[str, ...]) -> None:
    calls = [("open", A), *((step, A) for step in lost[:-1]), (lost[-1], U)]
    assert step_after(*calls) == ("retract", 1)
    for gone in (A, Outcome.GONE, Outcome.MISSING):
        assert step_after(*calls, ("retract", gone)) == ("open", 2)


def test_a_mismatch_is_never_finished() -> None:
    assert step_after(("open", A), ("upload:e1", Outcome.MISMATCH)) == ("retract", 1)


def test_a_draft_that_is_gone_is_opened_again() -> None:
    assert step_after(("open", A), ("upload:e1", Outcome.GONE)) == ("open", 2)
    assert step_after(("open", A), ("upload:e1", Outcome.MISSING)) == ("open", 2)


def test_a_lost_finish_is_repeated_and_never_retracted() -> None:
    assert step_after(*UP_TO_FINISH, ("finish", U)) == ("finish", 1)
    assert step_after(*UP_TO_FINISH, *[("finish", U)] * 40) == ("finish", 1)


def test_already_finished_after_a_lost_finish_is_an_inferred_receipt() -> None:
    move = settled(*UP_TO_FINISH, ("finish", U), ("finish", Outcome.ALREADY))
    assert (move.state, move.receipt, move.reference) == (State.ACCEPTED, ReceiptKind.INFERRED, "4564654")


def test_already_finished_without_a_finish_of_ours_needs_attention() -> None:
    for calls in (
        (("open", A), ("upload:e1", Outcome.ALREADY)),
        (*UP_TO_FINISH, ("finish", Outcome.ALREADY)),
        (("open", A), ("upload:e1", U), ("retract", Outcome.ALREADY)),
        (*UP_TO_FINISH, ("finish", Outcome.NOT_SENT), ("finish", Outcome.ALREADY)),
    ):
        move = settled(*calls)
        assert (move.state, move.receipt) == (State.ATTENTION, None)


def test_a_report_unknown_after_a_finish_of_ours_is_in_doubt() -> None:
    assert settled(*UP_TO_FINISH, ("finish", U), ("finish", Outcome.MISSING)).state is State.IN_DOUBT
    assert settled(*UP_TO_FINISH, ("finish", Outcome.MISSING)).state is State.IN_DOUBT


def test_a_retracted_report_is_certainly_not_filed() -> None:
    assert step_after(*UP_TO_FINISH, ("finish", U), ("finish", Outcome.GONE)) == ("open", 2)


def test_a_refused_document_goes_back_to_a_person_after_the_draft_is_gone() -> None:
    assert settled(("open", Outcome.REJECTED), code="4100").state is State.REJECTED
    calls = (("open", A), ("upload:e1", A), ("details:e1", Outcome.REJECTED))
    assert step_after(*calls) == ("retract", 1)
    assert settled(*calls, ("retract", A)).state is State.REJECTED
    assert step_after(*calls, ("retract", Outcome.REJECTED)) == ("retract", 1)


def test_a_finish_refused_after_a_lost_finish_is_closed_only_by_the_authoritys_word() -> None:
    calls = (*UP_TO_FINISH, ("finish", U), ("finish", Outcome.REJECTED))
    assert step_after(*calls) == ("retract", 1)
    assert settled(*calls, ("retract", A)).state is State.REJECTED
    assert settled(*calls, ("retract", Outcome.MISSING)).state is State.IN_DOUBT
    assert settled(*calls, ("retract", Outcome.ALREADY)).receipt is ReceiptKind.INFERRED


def test_refused_credentials_stop_the_lane_and_cost_nothing_else() -> None:
    calls = (("open", A), ("upload:e1", Outcome.UNAUTHORISED))
    assert isinstance(next_move(DRAFT_PLAN, history(*calls), T0, PACE), Pause)
    assert step_after(*calls, own=False) == ("upload:e1", 1)


def test_a_draft_that_cannot_be_retracted_is_left_to_expire_and_no_sooner() -> None:
    calls = history(("open", A), ("upload:e1", U), ("retract", U))
    early = next_move(DRAFT_PLAN, calls, T0 + timedelta(hours=23), PACE)
    late = next_move(DRAFT_PLAN, calls, T0 + timedelta(hours=24, seconds=2), PACE)
    assert isinstance(early, Perform) and early.step.key == "retract"
    assert isinstance(late, Perform) and (late.step.key, late.attempt) == ("open", 2)


def test_a_draft_with_a_finish_that_may_have_filed_is_never_taken_for_expired() -> None:
    calls = history(*UP_TO_FINISH, ("finish", U), ("finish", Outcome.REJECTED), ("retract", U))
    move = next_move(DRAFT_PLAN, calls, T0 + timedelta(days=9), PACE)
    assert isinstance(move, Perform) and move.step.key == "retract"


def test_a_stale_draft_is_restarted_unless_it_may_have_been_filed() -> None:
    late = T0 + timedelta(hours=23, minutes=1)
    for calls in (history(("open", A)), history(*UP_TO_FINISH, ("finish", Outcome.NOT_SENT))):
        move = next_move(DRAFT_PLAN, calls, late, PACE)
        assert isinstance(move, Perform) and move.step.key == "retract"
    move = next_move(DRAFT_PLAN, history(*UP_TO_FINISH, ("finish", U)), late, PACE)
    assert isinstance(move, Perform) and move.step.key == "finish"


def test_undocumented_answers_are_tried_a_bounded_number_of_times() -> None:
    def answered(count: int, step: str, outcome: Outcome) -> list[Entry]:
        before = UP_TO_FINISH if step == "finish" else ()
        calls = history(*before, *[(step, outcome)] * count)
        return [replace(e, discrepancy="undocumented") if e.step == step else e for e in calls]

    for step, outcome, state in (
        ("open", Outcome.RETRYABLE, State.ATTENTION),
        ("finish", Outcome.UNKNOWN, State.IN_DOUBT),
    ):
        assert isinstance(next_move(DRAFT_PLAN, answered(UNDOCUMENTED_LIMIT, step, outcome), T0, PACE), Perform)
        move = next_move(DRAFT_PLAN, answered(UNDOCUMENTED_LIMIT + 1, step, outcome), T0, PACE)
        assert isinstance(move, Settle)
        assert move.state is state


def test_calls_after_trouble_are_spaced_exponentially_with_a_cap() -> None:
    waits = []
    for count in range(1, 20):
        calls = history(*[("open", Outcome.RETRYABLE)] * count)
        move = next_move(DRAFT_PLAN, calls, T0, PACE)
        assert isinstance(move, Perform)
        waits.append(move.not_before - calls[-1].at)
    for count, wait in enumerate(waits):
        full = min(timedelta(seconds=2) * 2**count, timedelta(hours=1))
        assert full / 2 <= wait <= full


def test_repeats_of_a_finish_stay_minutes_apart() -> None:
    calls = history(*UP_TO_FINISH, *[("finish", U)] * 30)
    move = next_move(DRAFT_PLAN, calls, T0, PACE)
    assert isinstance(move, Perform)
    assert FINAL_REPEAT_CAP / 2 <= move.not_before - calls[-1].at <= FINAL_REPEAT_CAP


def repeated(every: timedelta, span: timedelta, outcome: Outcome = U) -> list[Entry]:
    """Give a lost finish, repeated so often for so long."""
    begun = history(*UP_TO_FINISH, ("finish", U))
    lost = begun[-1]
    return begun + [replace(lost, id=f"f{n}", outcome=outcome, at=lost.at + n * every) for n in range(1, span // every)]


@pytest.mark.parametrize("outcome", [U, Outcome.NOT_SENT, Outcome.RETRYABLE])
def test_a_finish_is_repeated_for_a_week_ever_further_apart_and_then_is_in_doubt(outcome: Outcome) -> None:
    day, hour = timedelta(days=1), timedelta(hours=1)
    late = repeated(hour, 2 * day, outcome)
    move = next_move(DRAFT_PLAN, late, late[-1].at, PACE)
    assert isinstance(move, Perform) and move.step.key == "finish"
    assert move.not_before - late[-1].at > FINAL_REPEAT_CAP
    calls = repeated(hour, FINAL_REPEATED_FOR, outcome)
    assert isinstance(next_move(DRAFT_PLAN, calls, calls[-1].at, PACE), Perform)
    calls = repeated(hour, FINAL_REPEATED_FOR + day, outcome)
    end = next_move(DRAFT_PLAN, calls, calls[-1].at, PACE)
    assert isinstance(end, Settle) and end.state is State.IN_DOUBT


@pytest.mark.parametrize(
    ("word", "then"), [(Outcome.ALREADY, State.ACCEPTED), (A, State.ACCEPTED), (Outcome.MISSING, State.IN_DOUBT)]
)
def test_the_authoritys_word_counts_however_late_it_comes(word: Outcome, then: State) -> None:
    calls = repeated(timedelta(hours=1), timedelta(days=9))
    calls.append(replace(calls[-1], outcome=word))
    move = next_move(DRAFT_PLAN, calls, calls[-1].at, PACE)
    assert isinstance(move, Settle) and move.state is then
    calls[-1] = replace(calls[-1], outcome=Outcome.GONE)
    assert isinstance(next_move(DRAFT_PLAN, calls, calls[-1].at, PACE), Perform)


def test_after_a_rest_of_weeks_a_lost_finish_is_still_repeated() -> None:
    calls = history(*UP_TO_FINISH, ("finish", U))
    move = next_move(DRAFT_PLAN, calls, T0 + timedelta(days=30), PACE)
    assert isinstance(move, Perform) and move.step.key == "finish"


def test_the_authoritys_own_waiting_time_is_honoured() -> None:
    calls = history(("open", Outcome.RETRYABLE), retry_after=timedelta(minutes=20))
    move = next_move(DRAFT_PLAN, calls, T0, PACE)
    assert isinstance(move, Perform) and move.not_before == calls[-1].at + timedelta(minutes=20)


def test_restarts_back_off_although_each_opens_well() -> None:
    calls: list[Entry] = []
    for attempt in range(1, 9):
        calls += history(("open", A), ("upload:e1", U), ("retract", A), attempt=attempt)
    move = next_move(DRAFT_PLAN, calls, T0, PACE)
    assert isinstance(move, Perform)
    assert move.not_before - calls[-1].at >= timedelta(seconds=60)


def test_the_jitter_is_the_same_for_whoever_asks() -> None:
    calls = history(("open", Outcome.RETRYABLE))
    assert next_move(DRAFT_PLAN, calls, T0, PACE) == next_move(DRAFT_PLAN, calls, T0 + timedelta(hours=1), PACE)


def test_an_authority_that_cannot_be_asked_leaves_a_lost_answer_in_doubt() -> None:
    assert settled(("send", U), plan=SEND_ONLY).state is State.IN_DOUBT
    assert settled(("send", A), plan=SEND_ONLY).state is State.ACCEPTED
    assert step_after(("send", Outcome.NOT_SENT), plan=SEND_ONLY) == ("send", 1)


def test_an_authority_that_can_be_asked_is_asked() -> None:
    assert step_after(("send", U), plan=SEND_AND_LOOK) == ("look", 1)
    assert settled(("send", U), ("look", A), plan=SEND_AND_LOOK).state is State.ACCEPTED
    assert step_after(("send", U), ("look", U), plan=SEND_AND_LOOK) == ("look", 1)


def looked_up(*outcomes: Outcome, after: timedelta = SEND_AND_LOOK.arrives_within) -> list[Entry]:
    """Give a lost call, and what looking for it found so long after."""
    lost = Entry("lost", 1, "send", U, T0)
    return [lost, *(Entry(f"look-{n}", 1, "look", outcome, T0 + after) for n, outcome in enumerate(outcomes))]


@pytest.mark.parametrize("own", [True, False])
def test_not_found_settles_a_concluded_call_whichever_lease_it_was_made_under(own: bool) -> None:
    calls = [replace(entry, own=own) for entry in looked_up(Outcome.MISSING)]
    move = next_move(SEND_AND_LOOK, calls, T0, PACE)
    assert isinstance(move, Perform) and (move.step.key, move.attempt) == ("send", 1)
    assert not may_have_filed(SEND_AND_LOOK, calls)


def test_not_found_does_not_settle_a_call_that_its_worker_may_still_make() -> None:
    for own in (True, False):
        calls = looked_up(Outcome.MISSING)
        calls[0] = replace(calls[0], own=own, concluded=False)
        move = next_move(SEND_AND_LOOK, calls, T0, PACE)
        assert isinstance(move, Settle) and move.state is State.IN_DOUBT
        assert may_have_filed(SEND_AND_LOOK, calls)


def test_not_found_settles_nothing_while_the_call_may_still_be_on_its_way() -> None:
    calls = looked_up(Outcome.MISSING, after=timedelta(seconds=2))
    move = next_move(SEND_AND_LOOK, calls, T0, PACE)
    assert isinstance(move, Perform) and move.step.key == "look"
    assert move.not_before >= T0 + SEND_AND_LOOK.arrives_within
    assert may_have_filed(SEND_AND_LOOK, calls)


def test_a_refusal_after_a_call_that_was_not_found_is_a_refusal() -> None:
    calls = [*looked_up(Outcome.MISSING), Entry("again", 1, "send", Outcome.REJECTED, T0 + timedelta(minutes=9))]
    move = next_move(SEND_AND_LOOK, calls, T0, PACE)
    assert isinstance(move, Settle) and move.state is State.REJECTED


def test_a_call_made_after_another_was_not_found_is_looked_up_for_itself() -> None:
    again = Entry("again", 1, "send", U, T0 + timedelta(minutes=6))
    at = T0 + timedelta(minutes=7)
    for calls in (looked_up(Outcome.MISSING), looked_up(Outcome.MISSING, Outcome.GONE)):
        assert may_have_filed(SEND_AND_LOOK, [*calls, again])
        move = next_move(SEND_AND_LOOK, [*calls, again, Entry("look", 1, "look", Outcome.MISSING, at)], at, PACE)
        assert isinstance(move, Perform) and move.step.key == "look"


@pytest.mark.parametrize("refusal", [Outcome.REJECTED, Outcome.MISMATCH])
def test_a_refusal_after_a_lost_call_that_may_have_filed_is_in_doubt(refusal: Outcome) -> None:
    plan = Plan(steps=(Step("send", Lost.REPEAT),))
    assert settled(("send", U), ("send", refusal), plan=plan).state is State.IN_DOUBT
    assert settled(("send", Outcome.NOT_SENT), ("send", Outcome.REJECTED), plan=plan).state is State.REJECTED


def test_a_report_found_other_than_it_should_be_needs_attention_and_keeps_the_receipt() -> None:
    move = settled(("send", U), ("look", A), plan=SEND_AND_LOOK, discrepancy="it lacks a file")
    assert (move.state, move.receipt) == (State.ATTENTION, ReceiptKind.ACKNOWLEDGED)


# --- what people decided ----------------------------------------------------------------------------------------

NOT_FILED = (Verdict.NOT_ACCEPTED.step, Outcome.GONE)
WITHDRAWN = (Verdict.WITHDRAWN.step, Outcome.GONE)
FORGOTTEN = (*UP_TO_FINISH, ("finish", U), ("finish", Outcome.MISSING))


@pytest.mark.parametrize("gone", [A, Outcome.GONE, Outcome.MISSING])
def test_what_people_say_was_not_filed_is_taken_back_and_begun_anew(gone: Outcome) -> None:
    assert step_after(*FORGOTTEN, NOT_FILED) == ("retract", 1)
    assert step_after(*FORGOTTEN, NOT_FILED, ("retract", U)) == ("retract", 1)
    assert step_after(*FORGOTTEN, NOT_FILED, ("retract", gone)) == ("open", 2)


def test_people_who_were_wrong_are_corrected_by_the_authority() -> None:
    move = settled(*FORGOTTEN, NOT_FILED, ("retract", Outcome.ALREADY))
    assert (move.state, move.receipt, move.reference) == (State.ACCEPTED, ReceiptKind.INFERRED, "4564654")


def test_without_a_draft_the_decision_alone_begins_anew() -> None:
    assert step_after(("send", U), NOT_FILED, plan=SEND_ONLY) == ("send", 2)
    assert step_after(("send", U), ("look", Outcome.MISSING), NOT_FILED, plan=SEND_AND_LOOK) == ("send", 2)


def test_a_decision_takes_effect_at_once_and_forgets_the_trouble_before_it() -> None:
    calls = history(*UP_TO_FINISH, *[("finish", U)] * 30, NOT_FILED)
    move = next_move(DRAFT_PLAN, calls, T0 + timedelta(hours=1), PACE)
    assert isinstance(move, Perform) and move.not_before == calls[-1].at
    calls = history(*UP_TO_FINISH, *[("finish", U)] * 30, NOT_FILED, ("retract", A))
    move = next_move(DRAFT_PLAN, calls, T0 + timedelta(hours=1), PACE)
    assert isinstance(move, Perform) and move.not_before - calls[-1].at <= PACE.base


def test_undocumented_answers_from_before_a_decision_no_longer_count() -> None:
    calls = [replace(entry, discrepancy="undocumented") for entry in history(*[("send", U)] * 12)]
    assert isinstance(next_move(SEND_ONLY, calls, T0, PACE), Settle)
    decided = Entry("d", 1, *NOT_FILED, T0 + timedelta(hours=1))
    move = next_move(SEND_ONLY, [*calls, decided], T0 + timedelta(hours=1), PACE)
    assert isinstance(move, Perform) and move.attempt == 2


def test_a_receipt_that_comes_after_people_began_anew_stops_the_new_attempt() -> None:
    calls = history(*UP_TO_FINISH, ("finish", A), NOT_FILED, ("retract", Outcome.MISSING))
    calls += history(("open", A), ("upload:e1", A), attempt=2, start=T0 + timedelta(minutes=1))
    move = next_move(DRAFT_PLAN, calls, T0 + timedelta(hours=1), PACE)
    assert isinstance(move, Settle)
    assert (move.state, move.receipt, move.reference) == (State.ATTENTION, ReceiptKind.ACKNOWLEDGED, "4564654")


def test_a_withdrawal_takes_the_draft_back_first() -> None:
    begun = (("open", A), ("upload:e1", U))
    assert step_after(*begun, WITHDRAWN) == ("retract", 1)
    for gone in (A, Outcome.GONE, Outcome.MISSING):
        assert settled(*begun, WITHDRAWN, ("retract", gone)).state is State.WITHDRAWN
    assert settled(("open", U), WITHDRAWN).state is State.WITHDRAWN
    assert settled(("send", Outcome.NOT_SENT), WITHDRAWN, plan=SEND_ONLY).state is State.WITHDRAWN
    assert settled(*begun, WITHDRAWN, ("retract", Outcome.ALREADY)).state is State.ATTENTION
    calls = history(*begun, WITHDRAWN, ("retract", U))
    move = next_move(DRAFT_PLAN, calls, T0 + timedelta(hours=25), PACE)
    assert isinstance(move, Settle) and move.state is State.WITHDRAWN


@pytest.mark.parametrize(
    ("calls", "open_"),
    [
        ((), False),
        (UP_TO_FINISH, False),
        ((*UP_TO_FINISH, ("finish", U)), True),
        ((*UP_TO_FINISH, ("finish", Outcome.NOT_SENT)), False),
        ((*UP_TO_FINISH, ("finish", Outcome.UNAUTHORISED)), False),
        ((*UP_TO_FINISH, ("finish", U), ("finish", Outcome.NOT_SENT)), True),
        ((*UP_TO_FINISH, ("finish", U), ("finish", Outcome.REJECTED)), True),
        ((*UP_TO_FINISH, ("finish", U), ("finish", Outcome.REJECTED), ("retract", A)), False),
        ((*UP_TO_FINISH, ("finish", U), ("finish", Outcome.GONE)), False),
        ((*UP_TO_FINISH, ("finish", Outcome.MISSING)), True),
        ((*FORGOTTEN, NOT_FILED), False),
        ((*FORGOTTEN, NOT_FILED, ("retract", Outcome.ALREADY)), True),
        ((*UP_TO_FINISH, ("finish", A), NOT_FILED), True),
        ((("open", A), ("upload:e1", Outcome.ALREADY)), True),
        ((*UP_TO_FINISH, ("finish", A), ("retract", Outcome.GONE)), True),
    ],
)
def test_what_may_have_filed_is_known_from_the_ledger(calls: tuple[tuple[str, Outcome], ...], open_: bool) -> None:
    assert may_have_filed(DRAFT_PLAN, history(*calls)) is open_
