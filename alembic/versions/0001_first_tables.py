"""The first tables: cases, evidence, submissions, the delivery ledger, the custody log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "authority_schema",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authority_schema")),
    )
    op.create_table(
        "case_record",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_case_record")),
    )
    op.create_index(op.f("ix_case_record_state"), "case_record", ["state"], unique=False)
    op.create_table(
        "custody_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("item", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_event")),
    )
    op.create_index(op.f("ix_custody_event_kind"), "custody_event", ["kind"], unique=False)
    op.create_index(op.f("ix_custody_event_reference"), "custody_event", ["reference"], unique=False)
    op.create_table(
        "evidence_item",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("md5", sa.String(), nullable=True),
        sa.Column("sha1", sa.String(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("ciphertext_sha256", sa.String(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_item")),
        sa.UniqueConstraint("reference", "item", "sha256", name=op.f("uq_evidence_item_reference_item_sha256")),
    )
    op.create_index(op.f("ix_evidence_item_reference"), "evidence_item", ["reference"], unique=False)
    op.create_table(
        "lane_pause",
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("lane", name=op.f("pk_lane_pause")),
    )
    op.create_table(
        "sealed_body",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealed_body")),
    )
    op.create_index(op.f("ix_sealed_body_reference"), "sealed_body", ["reference"], unique=False)
    op.create_table(
        "submission",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("package_body", sa.String(), nullable=True),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("receipt_kind", sa.String(), nullable=True),
        sa.Column("receipt_reference", sa.String(), nullable=True),
        sa.Column("receipt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt_body", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
        sa.UniqueConstraint(
            "reference",
            "authority",
            "environment",
            "version",
            name=op.f("uq_submission_reference_authority_environment_version"),
        ),
    )
    op.create_index(op.f("ix_submission_reference"), "submission", ["reference"], unique=False)
    op.create_index(op.f("ix_submission_state"), "submission", ["state"], unique=False)
    op.create_table(
        "view_claim",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("file_viewed", sa.Boolean(), nullable=True),
        sa.Column("exif_viewed", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("reference", "item", name=op.f("pk_view_claim")),
    )
    op.create_table(
        "approval",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_approval_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
        sa.UniqueConstraint("submission_id", "actor", "digest", name=op.f("uq_approval_submission_id_actor_digest")),
    )
    op.create_index(op.f("ix_approval_submission_id"), "approval", ["submission_id"], unique=False)
    op.create_table(
        "case_revision",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("body_id", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_digest", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["reference"], ["case_record.reference"], name=op.f("fk_case_revision_reference")),
        sa.PrimaryKeyConstraint("reference", "revision", name=op.f("pk_case_revision")),
    )
    op.create_table(
        "delivery",
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_delivery_submission_id")),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_delivery")),
    )
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["priority", "available_at"],
        unique=False,
        postgresql_where=sa.text("available_at IS NOT NULL"),
        sqlite_where=sa.text("available_at IS NOT NULL"),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("intent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("ids", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("discrepancy", sa.String(), nullable=False),
        sa.Column("retry_after_seconds", sa.Float(), nullable=True),
        sa.Column("exchange_body", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_ledger_entry_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
    )
    op.create_index(op.f("ix_ledger_entry_submission_id"), "ledger_entry", ["submission_id"], unique=False)
    op.create_table(
        "view_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("evidence_id", sa.String(), nullable=False),
        sa.Column("by_actor", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("extent", sa.String(), nullable=False),
        sa.Column("metadata_viewed", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["evidence_id"], ["evidence_item.id"], name=op.f("fk_view_record_evidence_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_view_record")),
        sa.UniqueConstraint(
            "evidence_id",
            "by_actor",
            "at",
            "extent",
            "metadata_viewed",
            name=op.f("uq_view_record_evidence_id_by_actor_at_extent_metadata_viewed"),
        ),
    )
    op.create_index(op.f("ix_view_record_evidence_id"), "view_record", ["evidence_id"], unique=False)
    op.create_table(
        "late_answer",
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("ids", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("discrepancy", sa.String(), nullable=False),
        sa.Column("exchange_body", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entry.id"], name=op.f("fk_late_answer_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_late_answer")),
    )
