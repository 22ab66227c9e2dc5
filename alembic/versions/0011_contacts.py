"""Contacts, known again by blind indexes, and what two people write about naming them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    register = op.create_table(
        "contact_register",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_register")),
    )
    op.bulk_insert(register, [{"id": 1, "changes": 0}])
    op.create_table(
        "contact",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    op.create_index(op.f("ix_contact_digest"), "contact", ["digest"], unique=False)
    op.create_table(
        "contact_mark",
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("sort", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_contact_mark_contact_id")),
        sa.PrimaryKeyConstraint("contact_id", "mark", name=op.f("pk_contact_mark")),
    )
    op.create_index(op.f("ix_contact_mark_mark"), "contact_mark", ["mark"], unique=False)
    op.create_table(
        "named_mark",
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("submission_id", "mark", name=op.f("pk_named_mark")),
    )
    op.create_index(op.f("ix_named_mark_mark"), "named_mark", ["mark"], unique=False)
    op.create_table(
        "contact_word",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason_body", sa.String(), nullable=False),
        sa.Column("statement", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_word")),
        sa.UniqueConstraint("purpose", "digest", "actor", name=op.f("uq_contact_word_purpose_digest_actor")),
    )
    op.create_index(op.f("ix_contact_word_digest"), "contact_word", ["digest"], unique=False)
