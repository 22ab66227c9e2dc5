"""A submission knows how urgent its case was when it was approved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("submission", sa.Column("level", sa.Integer(), nullable=True))
