"""A submission may add to one that was accepted."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


#: The same on both databases. SQLite would otherwise copy the table anew, which its children's rows do not let happen.
_COLUMN = """
ALTER TABLE submission ADD COLUMN supplements VARCHAR
CONSTRAINT fk_submission_supplements_submission REFERENCES submission (id)
"""


def upgrade() -> None:
    op.execute(_COLUMN)
