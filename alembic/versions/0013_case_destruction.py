"""The destruction of whole cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_destruction",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason_body", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_reason_body", sa.String(), nullable=True),
        sa.Column("key_ids", sa.String(), nullable=False),
        sa.Column("key_removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("certificate", sa.String(), nullable=True),
        sa.Column("recalled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["reference"], ["case_record.reference"], name=op.f("fk_case_destruction_reference")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_destruction")),
        sa.UniqueConstraint("reference", name=op.f("uq_case_destruction_reference")),
    )
