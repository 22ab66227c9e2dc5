"""A message to send, and a marker that must never be repeated."""

from datetime import UTC, datetime

from reporter.alarms.model import Kind, Matter, Notice

MARKER = "Quixotic-Marker"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOTICE = Notice(3, Matter(Kind.IN_DOUBT, "submission-1", NOW, "TEST-000001", "ncmec:sandbox"), NOW, 2)
