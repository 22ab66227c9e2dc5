"""All tables in one metadata, for migrations and for ``alembic check``."""

from __future__ import annotations

from sqlmodel import SQLModel

import reporter.actors.tables
import reporter.alarms.tables
import reporter.audit.tables
import reporter.cases.tables
import reporter.contacts.tables
import reporter.delivery.tables
import reporter.evidence.tables
import reporter.export.tables
import reporter.jobs.tables
import reporter.referrals.tables
import reporter.retention.tables
import reporter.submissions.tables
import reporter.tasks.tables  # noqa: F401

metadata = SQLModel.metadata
