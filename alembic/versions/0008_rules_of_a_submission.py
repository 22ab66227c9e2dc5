"""A submission knows by which rules its authority is told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("submission", sa.Column("rules", sa.String(), nullable=False, server_default=sa.text("''")))
