"""Exports under a legal demand, the items in them, and the copies that were written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "export_request",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("demand", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("envelope", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("content", sa.Boolean(), nullable=False),
        sa.Column("request_body", sa.String(), nullable=False),
        sa.Column("key_body", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("asked_in", sa.String(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_in", sa.String(), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checkpoint", sa.Integer(), nullable=True),
        sa.Column("frozen_body", sa.String(), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=True),
        sa.Column("certificates", sa.LargeBinary(), nullable=True),
        sa.Column("stamp", sa.LargeBinary(), nullable=True),
        sa.Column("stamped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_request")),
    )
    op.create_index(op.f("ix_export_request_reference"), "export_request", ["reference"], unique=False)
    op.create_table(
        "export_item",
        sa.Column("export", sa.String(), nullable=False),
        sa.Column("evidence_id", sa.String(), nullable=False),
        sa.Column("sha512", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["evidence_id"], ["evidence_item.id"], name=op.f("fk_export_item_evidence_id")),
        sa.ForeignKeyConstraint(["export"], ["export_request.id"], name=op.f("fk_export_item_export")),
        sa.PrimaryKeyConstraint("export", "evidence_id", name=op.f("pk_export_item")),
    )
    op.create_table(
        "export_copy",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("export", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_by", sa.String(), nullable=True),
        sa.Column("received_body", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["export"], ["export_request.id"], name=op.f("fk_export_copy_export")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_export_copy")),
    )
    op.create_index(op.f("ix_export_copy_export"), "export_copy", ["export"], unique=False)
