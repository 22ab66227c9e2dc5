"""Legal demands, holds, and the people and accounts of cases as blind indexes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_indexed",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_case_indexed")),
    )
    op.create_table(
        "case_subject",
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("reference", "subject", name=op.f("pk_case_subject")),
    )
    op.create_index(op.f("ix_case_subject_subject"), "case_subject", ["subject"], unique=False)
    op.create_table(
        "index_key",
        sa.Column("register_name", sa.String(), nullable=False),
        sa.Column("check_index", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("register_name", name=op.f("pk_index_key")),
    )
    op.create_table(
        "legal_scope",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_legal_scope")),
    )
    op.create_table(
        "legal_demand",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("scope", sa.Integer(), nullable=False),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("nondisclosure_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document_body", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_how", sa.String(), nullable=True),
        sa.Column("verified_by", sa.String(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_body", sa.String(), nullable=True),
        sa.Column("closed_how", sa.String(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_body", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["scope"], ["legal_scope.number"], name=op.f("fk_legal_demand_scope")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_legal_demand")),
        sa.UniqueConstraint("digest", name=op.f("uq_legal_demand_digest")),
    )
    op.create_table(
        "scope_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("evidence_id", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["scope"], ["legal_scope.number"], name=op.f("fk_scope_entry_scope")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scope_entry")),
    )
    op.create_index(op.f("ix_scope_entry_reference"), "scope_entry", ["reference"], unique=False)
    op.create_index(op.f("ix_scope_entry_scope"), "scope_entry", ["scope"], unique=False)
    op.create_index(op.f("ix_scope_entry_subject"), "scope_entry", ["subject"], unique=False)
    op.create_table(
        "legal_hold",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("scope", sa.Integer(), nullable=False),
        sa.Column("demand", sa.Integer(), nullable=True),
        sa.Column("begins", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=True),
        sa.Column("advised", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("review_body", sa.String(), nullable=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("retention", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("placed_by", sa.String(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason_body", sa.String(), nullable=False),
        sa.Column("release_asked_by", sa.String(), nullable=True),
        sa.Column("release_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_asked_body", sa.String(), nullable=True),
        sa.Column("released_by", sa.String(), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_body", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["demand"], ["legal_demand.number"], name=op.f("fk_legal_hold_demand")),
        sa.ForeignKeyConstraint(["scope"], ["legal_scope.number"], name=op.f("fk_legal_hold_scope")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_legal_hold")),
        sa.UniqueConstraint("demand", name=op.f("uq_legal_hold_demand")),
    )
    op.create_index(op.f("ix_legal_hold_scope"), "legal_hold", ["scope"], unique=False)
    op.create_table(
        "hold_renewal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hold", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hold"], ["legal_hold.number"], name=op.f("fk_hold_renewal_hold")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold_renewal")),
    )
    op.create_index(op.f("ix_hold_renewal_hold"), "hold_renewal", ["hold"], unique=False)
