"""The words of whoever last reviewed an extension are found from its row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keep_longer", sa.Column("review_body", sa.String(), nullable=True))
