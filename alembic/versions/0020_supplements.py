"""A submission may add to one that was accepted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("submission") as table:
        table.add_column(sa.Column("supplements", sa.String(), nullable=True))
        table.create_foreign_key(op.f("fk_submission_supplements_submission"), "submission", ["supplements"], ["id"])
