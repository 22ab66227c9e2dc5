"""The custody log verified in parts, as a job does: each attack is found in one round, and alarms until all holds."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from reporter.audit import findings
from reporter.audit.faults import Wrong
from reporter.audit.log import CustodyLog
from reporter.db.engine import reading
from reporter.errors import CustodyError
from tests.integration import test_audit_verification as whole
from tests.integration.test_audit_verification import ATTACKS, ENTRIES, attack, write

clock, log, kept = whole.clock, whole.log, whole.kept
PART = 10
ROUND = ENTRIES // PART + 2


def found(engine: Engine) -> tuple[str, int | None]:
    with reading(engine) as connection:
        row = connection.execute(text("SELECT wrong, wrong_position FROM custody_check")).one()
    return row.wrong, row.wrong_position


def reached(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(text("SELECT position FROM custody_check")).scalar_one())


def test_a_log_that_holds_is_verified_round_and_round(engine: Engine, log: CustodyLog, kept: list[str]) -> None:
    seen = []
    for _ in range(ROUND):
        log.verification.go_on(PART)
        seen.append(reached(engine))
    assert seen == [10, 20, 30, 0, 10]
    write(engine, 30)
    log.sequencer.run()
    log.verification.go_on(PART)
    assert reached(engine) == 20
    assert found(engine) == ("", None)


@pytest.mark.parametrize("name", ATTACKS)
def test_each_attack_is_found_within_a_round(engine: Engine, log: CustodyLog, kept: list[str], name: str) -> None:
    log.verification.go_on(PART)  # it begins anywhere
    statements, _ = ATTACKS[name]
    attack(engine, *statements)
    for _ in range(ROUND):
        log.verification.go_on(PART)
    wrong, _ = found(engine)
    assert wrong != ""
    with reading(engine) as connection:
        since = findings.standing(connection)
    assert since is not None
    log.verification.go_on(PART)
    with reading(engine) as connection:
        assert findings.standing(connection) == since


def test_a_part_names_the_first_bad_entry_in_it(engine: Engine, log: CustodyLog, kept: list[str]) -> None:
    attack(engine, *ATTACKS["record"][0])
    log.verification.go_on(PART)
    assert found(engine) == (Wrong.RECORD_ALTERED, 9)


def test_what_was_found_stands_until_the_whole_log_holds(engine: Engine, log: CustodyLog, kept: list[str]) -> None:
    attack(engine, "UPDATE custody_record SET reference = 'TS-OTHER' WHERE position = 9")
    log.verification.go_on()
    attack(engine, "UPDATE custody_record SET reference = 'TS-4' WHERE position = 9")
    log.verification.go_on()
    assert found(engine) == (Wrong.RECORD_ALTERED, 9)
    foreign = "not a checkpoint"
    assert log.verification.run([foreign]).faults[0].wrong is Wrong.SIGNATURE_WRONG
    assert found(engine) == (Wrong.RECORD_ALTERED, 9)
    assert log.verification.run().faults == ()
    assert found(engine) == ("", None)
    log.verification.run([foreign])  # a file of somebody else's is no alarm
    assert found(engine) == ("", None)


def test_a_rewritten_history_is_found_by_what_was_signed_and_by_the_copy_outside(
    engine: Engine, log: CustodyLog, kept: list[str]
) -> None:
    attack(engine, "UPDATE custody_record SET content = replace(content, '\"a\"', '\"b\"') WHERE position = 9")
    whole.rebuild(engine)
    attack(engine, "DELETE FROM custody_checkpoint")
    log.verification.go_on(PART)
    assert found(engine) == (Wrong.NOT_CONTINUED, None)


def test_a_log_that_cannot_be_gone_on_with_is_found_where_it_is_kept(
    engine: Engine, log: CustodyLog, kept: list[str]
) -> None:
    attack(engine, "DELETE FROM custody_node WHERE level = 5 AND position = 0")
    write(engine, 1)
    with pytest.raises(CustodyError, match="lacks node 0 of level 5"):
        log.keep()
    assert found(engine) == (Wrong.NOT_CONTINUED, None)
