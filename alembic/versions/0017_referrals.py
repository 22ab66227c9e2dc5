"""Referrals: items, decisions, reopenings, attachments sealed unopened, answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_WHEN = sa.DateTime(timezone=True)
_ITEM = (["referral_id", "number"], ["referral_item.referral_id", "referral_item.number"])


def upgrade() -> None:
    op.create_table(
        "referral",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("sender_kind", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("received_at", _WHEN, nullable=False),
        sa.Column("added_at", _WHEN, nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
        sa.UniqueConstraint("digest", name=op.f("uq_referral_digest")),
    )
    op.create_table(
        "referral_item",
        sa.Column("referral_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_at", _WHEN, nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_referral_item_referral_id")),
        sa.PrimaryKeyConstraint("referral_id", "number", name=op.f("pk_referral_item")),
    )
    op.create_index(op.f("ix_referral_item_state"), "referral_item", ["state"], unique=False)
    op.create_table(
        "referral_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("referral_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("clause", sa.String(), nullable=False),
        sa.Column("exemption", sa.String(), nullable=True),
        sa.Column("case_reference", sa.String(), nullable=True),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", _WHEN, nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("statement", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(*_ITEM, name=op.f("fk_referral_decision_referral_id_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_decision")),
        sa.UniqueConstraint(
            "referral_id", "number", "round", "place", name=op.f("uq_referral_decision_referral_id_number_round_place")
        ),
    )
    op.create_index(op.f("ix_referral_decision_case_reference"), "referral_decision", ["case_reference"], unique=False)
    op.create_table(
        "referral_reopening",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("referral_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", _WHEN, nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(*_ITEM, name=op.f("fk_referral_reopening_referral_id_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_reopening")),
        sa.UniqueConstraint(
            "referral_id", "number", "round", name=op.f("uq_referral_reopening_referral_id_number_round")
        ),
    )
    op.create_table(
        "referral_attachment",
        sa.Column("evidence_id", sa.String(), nullable=False),
        sa.Column("referral_id", sa.String(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["evidence_id"], ["evidence_item.id"], name=op.f("fk_referral_attachment_evidence_id")),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_referral_attachment_referral_id")),
        sa.PrimaryKeyConstraint("evidence_id", name=op.f("pk_referral_attachment")),
    )
    op.create_index(op.f("ix_referral_attachment_referral_id"), "referral_attachment", ["referral_id"], unique=False)
    op.create_table(
        "referral_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("referral_id", sa.String(), nullable=False),
        sa.Column("at", _WHEN, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_referral_answer_referral_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral_answer")),
    )
    op.create_index(op.f("ix_referral_answer_referral_id"), "referral_answer", ["referral_id"], unique=False)
