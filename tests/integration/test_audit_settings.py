"""A configuration that changed is an event: its keys, never its values."""

from datetime import UTC, datetime

from sqlalchemy import Engine

from reporter.audit import service as audit
from reporter.audit.settings import note_settings
from reporter.db.engine import transaction

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def told(engine: Engine) -> list[tuple[str, str | None, list[str]]]:
    with transaction(engine) as connection:
        return [(event.kind, event.item, event.detail.split()[1:]) for event in audit.events(connection)]


def test_only_changes_are_told_and_by_key_alone(engine: Engine) -> None:
    first = {"approval.people": "2", "organisation.name": '"SYNTHETIC"'}
    for settings in (first, first, {**first, "approval.people": "1"}, {**first, "delivery.concurrency": "8"}, first):
        note_settings(engine, AT, "machine-1", settings, "reporter")
    note_settings(engine, AT, "machine-2", {**first, "approval.people": "1"}, "reporter")
    assert told(engine) == [
        ("configuration_seen", "machine-1", []),
        ("configuration_changed", "machine-1", ["changed:approval.people"]),
        ("configuration_changed", "machine-1", ["changed:approval.people", "added:delivery.concurrency"]),
        ("configuration_changed", "machine-1", ["removed:delivery.concurrency"]),
        ("configuration_seen", "machine-2", []),
    ]
    with transaction(engine) as connection:
        assert "SYNTHETIC" not in repr(audit.events(connection))
