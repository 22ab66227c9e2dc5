"""Clocks of retention, references that outlive their case, and decisions to keep longer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clocks_started",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("reference", "about", name=op.f("pk_clocks_started")),
    )
    op.create_table(
        "keep_longer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words_body", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_body", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keep_longer")),
    )
    op.create_index(op.f("ix_keep_longer_reference"), "keep_longer", ["reference"], unique=False)
    op.create_table(
        "reference_record",
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("about", name=op.f("pk_reference_record")),
    )
    op.create_index(op.f("ix_reference_record_reference"), "reference_record", ["reference"], unique=False)
    op.create_table(
        "retention_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("begins", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("retention", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_clock")),
    )
    op.create_index(op.f("ix_retention_clock_ends"), "retention_clock", ["ends"], unique=False)
    op.create_index(op.f("ix_retention_clock_reference"), "retention_clock", ["reference"], unique=False)
