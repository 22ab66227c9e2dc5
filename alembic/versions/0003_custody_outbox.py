"""Events wait in an outbox, as canonical JSON, until they are leaves of the custody log."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    outbox = op.create_table(
        "custody_outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_outbox")),
    )
    columns = [sa.column(name) for name in ("actor", "kind", "reference", "item", "detail")]
    at = sa.column("at", sa.DateTime(timezone=True))
    events = sa.select(at, *columns).select_from(sa.table("custody_event")).order_by(sa.column("id"))
    rows = [
        {"content": _content({**row, "at": _written(row["at"])})} for row in op.get_bind().execute(events).mappings()
    ]
    op.bulk_insert(outbox, rows)
    op.drop_table("custody_event")


def _written(at: datetime) -> str:
    naive = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    return naive.isoformat(timespec="microseconds") + "Z"


def _content(event: dict[str, object]) -> str:
    return json.dumps(event, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
