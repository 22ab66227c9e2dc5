"""Exports that were taken back: when, by whom, and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("export_request", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("export_request", sa.Column("withdrawn_by", sa.String(), nullable=True))
    op.add_column("export_request", sa.Column("withdrawn_body", sa.String(), nullable=True))
