"""Looks, integrity and destruction: purposes of views, permits to open, verifications, destructions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("view_record", sa.Column("purpose", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("view_record", sa.Column("via", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("submission", sa.Column("viewed", sa.String(), nullable=True))
    op.create_table(
        "open_permit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("evidence_id", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by", sa.String(), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["evidence_id"], ["evidence_item.id"], name=op.f("fk_open_permit_evidence_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_permit")),
    )
    op.create_index(op.f("ix_open_permit_evidence_id"), "open_permit", ["evidence_id"], unique=False)
    op.create_table(
        "verification",
        sa.Column("evidence_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["evidence_id"], ["evidence_item.id"], name=op.f("fk_verification_evidence_id")),
        sa.PrimaryKeyConstraint("evidence_id", name=op.f("pk_verification")),
    )
    op.create_index(op.f("ix_verification_at"), "verification", ["at"], unique=False)
    op.create_index(op.f("ix_verification_finding"), "verification", ["finding"], unique=False)
    op.create_table(
        "verification_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_run")),
    )
    op.create_table(
        "destruction",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("evidence_id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason_body", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_reason_body", sa.String(), nullable=True),
        sa.Column("key_ids", sa.String(), nullable=False),
        sa.Column("key_removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("object_removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("certificate", sa.String(), nullable=True),
        sa.Column("recalled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["evidence_id"], ["evidence_item.id"], name=op.f("fk_destruction_evidence_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destruction")),
        sa.UniqueConstraint("evidence_id", name=op.f("uq_destruction_evidence_id")),
    )
    op.create_index(op.f("ix_destruction_reference"), "destruction", ["reference"], unique=False)
