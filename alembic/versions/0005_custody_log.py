"""The custody log: the tree, its records and checkpoints; what is append-only is held so by triggers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

#: Each table that takes new rows only, with its key.
APPEND_ONLY = {
    "custody_node": ("level", "position"),
    "custody_checkpoint": ("size",),
    "custody_timestamp": ("size",),
}
#: Rows of these may go (a record that is destroyed, an event that became a leaf), but never change.
UNCHANGING = {"custody_record": ("position",), "custody_outbox": ("id",)}


def upgrade() -> None:
    op.create_table(
        "custody_node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_custody_node")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "custody_record",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_custody_record")),
    )
    op.create_index(op.f("ix_custody_record_reference"), "custody_record", ["reference"], unique=False)
    op.create_index(
        "ix_custody_record_destroyed",
        "custody_record",
        ["position"],
        unique=False,
        postgresql_where=sa.text("kind = 'records_destroyed'"),
        sqlite_where=sa.text("kind = 'records_destroyed'"),
    )
    op.create_table(
        "custody_checkpoint",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_custody_checkpoint")),
    )
    op.create_table(
        "custody_timestamp",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_custody_timestamp")),
    )
    op.create_table(
        "settings_seen",
        sa.Column("machine", sa.String(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("digests", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("machine", name=op.f("pk_settings_seen")),
    )
    _guard_sqlite() if op.get_bind().dialect.name == "sqlite" else _guard_postgresql()


def _guard_sqlite() -> None:
    """Refuse each kind of change; the last one is ``INSERT OR REPLACE``, which deletes without telling."""
    refusal = "SELECT RAISE(ABORT, 'the custody log is append-only')"
    for table, key in (APPEND_ONLY | UNCHANGING).items():
        taken = f"SELECT 1 FROM {table} WHERE " + " AND ".join(f"{column} = NEW.{column}" for column in key)  # noqa: S608
        op.execute(f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN {refusal}; END")
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN EXISTS ({taken}) BEGIN {refusal}; END"
        )
        if table in APPEND_ONLY:
            op.execute(f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN {refusal}; END")


def _guard_postgresql() -> None:
    """Refuse each kind of change, also to a session that plays replica."""
    op.execute(
        "CREATE FUNCTION custody_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the custody log is append-only'; END $$"
    )
    for table in APPEND_ONLY | UNCHANGING:
        changes = "UPDATE OR DELETE OR TRUNCATE" if table in APPEND_ONLY else "UPDATE OR TRUNCATE"
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE {changes} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION custody_refuse()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only")
