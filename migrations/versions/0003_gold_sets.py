"""frozen gold sets, and who promoted a version and why

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

IDENTITY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "gold_sets",
        sa.Column("id", IDENTITY, autoincrement=True, nullable=False),
        sa.Column("project_id", IDENTITY, nullable=False),
        sa.Column("split", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", IDENTITY, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "split IN ('pool', 'train', 'validation', 'test')", name=op.f("ck_gold_sets_split_known")
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_gold_sets_number_positive")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_gold_sets_project_id_projects"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["snapshot_id"],
            ["snapshots.id"],
            name=op.f("fk_gold_sets_snapshot_id_snapshots"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gold_sets")),
        sa.UniqueConstraint(
            "project_id", "split", "number", name=op.f("uq_gold_sets_project_id_split_number")
        ),
        sa.UniqueConstraint("snapshot_id", name=op.f("uq_gold_sets_snapshot_id")),
        comment="the gold labels that versions were measured on, frozen when they were first used",
    )
    # Plain columns with their references in line: rebuilding a table that others refer to would cascade on SQLite,
    # and SQLite tells nobody what an in-line reference does on deletion, so it does the default.
    op.add_column(
        "evaluations",
        sa.Column(
            "gold_set_id",
            IDENTITY,
            sa.ForeignKey("gold_sets.id", name="fk_evaluations_gold_set_id_gold_sets"),
            nullable=True,
        ),
        inline_references=True,
    )
    op.add_column(
        "model_versions",
        sa.Column(
            "promoted_by",
            IDENTITY,
            sa.ForeignKey("users.id", name="fk_model_versions_promoted_by_users"),
            nullable=True,
        ),
        inline_references=True,
    )
    op.add_column(
        "model_versions",
        sa.Column("promoted_reason", sa.Text(), server_default=sa.text("''"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("model_versions", "promoted_reason")
    op.drop_column("model_versions", "promoted_by")
    op.drop_column("evaluations", "gold_set_id")
    op.drop_table("gold_sets")
