"""What a scope says of a person or account is kept sealed, so that the index can be rebuilt under another key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("scope_entry", sa.Column("subject_body", sa.String(), nullable=True))
