"""What somebody signed about a time is found by both."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index(op.f("ix_signed_statement_actor"), "signed_statement")
    op.create_index("ix_signed_statement_said", "signed_statement", ["actor", "at"], unique=False)
