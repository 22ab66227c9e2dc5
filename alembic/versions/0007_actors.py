"""Enrolled people, their proofs, what two of them decided about it, and every statement that was signed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "home_identity",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("home", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_home_identity")),
    )
    op.create_table(
        "actor",
        sa.Column("handle", sa.String(), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("handle", name=op.f("pk_actor")),
    )
    op.create_table(
        "signed_statement",
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("home", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("public_key", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_signed_statement")),
    )
    op.create_index(op.f("ix_signed_statement_actor"), "signed_statement", ["actor"], unique=False)
    op.create_table(
        "actor_change",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_in", sa.String(), nullable=False),
        sa.Column("confirmed_by", sa.String(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_in", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["proposed_in"], ["signed_statement.nonce"], name=op.f("fk_actor_change_proposed_in")),
        sa.ForeignKeyConstraint(
            ["confirmed_in"], ["signed_statement.nonce"], name=op.f("fk_actor_change_confirmed_in")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_actor_change")),
    )
    op.create_table(
        "actor_proof",
        sa.Column("public_key", sa.String(), nullable=False),
        sa.Column("handle", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("change_number", sa.Integer(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["handle"], ["actor.handle"], name=op.f("fk_actor_proof_handle")),
        sa.ForeignKeyConstraint(["change_number"], ["actor_change.number"], name=op.f("fk_actor_proof_change_number")),
        sa.PrimaryKeyConstraint("public_key", name=op.f("pk_actor_proof")),
    )
    op.create_index(op.f("ix_actor_proof_handle"), "actor_proof", ["handle"], unique=False)
    with op.batch_alter_table("approval") as approval:
        approval.add_column(sa.Column("statement", sa.String(), nullable=True))
