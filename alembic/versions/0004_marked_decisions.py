"""Decisions are remembered by the object store too; a place in the ledger is taken once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("resolution") as resolution:
        resolution.add_column(sa.Column("marker", sa.String(), nullable=True))
        resolution.create_unique_constraint(op.f("uq_resolution_marker"), ["marker"])
    with op.batch_alter_table("forgotten_filing") as forgotten:
        forgotten.add_column(sa.Column("decision", sa.String(), nullable=False, server_default=sa.text("''")))
    with op.batch_alter_table("ledger_entry") as entry:
        entry.drop_index(op.f("ix_ledger_entry_submission_id"))
        entry.create_unique_constraint(op.f("uq_ledger_entry_position"), ["submission_id", "position"])
    with op.batch_alter_table("late_answer") as late:
        late.add_column(sa.Column("filed", sa.Boolean(), nullable=False, server_default=sa.false()))
