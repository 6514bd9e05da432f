"""labels that are probably wrong

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

IDENTITY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "suspects",
        sa.Column("run_id", IDENTITY, nullable=False),
        sa.Column("example_id", IDENTITY, nullable=False),
        sa.Column("annotation_id", IDENTITY, nullable=False),
        sa.Column("quality", sa.Float(), nullable=False),
        sa.Column(
            "seen", sa.Boolean(), nullable=False, comment="whether the model had learned from this label"
        ),
        sa.Column(
            "details", DOCUMENT, nullable=False, comment="what is doubted, and what the model says instead"
        ),
        sa.CheckConstraint("quality BETWEEN 0 AND 1", name=op.f("ck_suspects_quality_in_range")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_suspects_run_id_runs", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["example_id"], ["examples.id"], name="fk_suspects_example_id_examples", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["annotation_id"],
            ["annotations.id"],
            name="fk_suspects_annotation_id_annotations",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "example_id", name="pk_suspects"),
        comment="labels that are probably wrong, as the newest search of a project found them",
    )
    op.create_index("ix_suspects_example_id", "suspects", ["example_id"])
    op.create_index("ix_suspects_annotation_id", "suspects", ["annotation_id"])


def downgrade() -> None:
    op.drop_table("suspects")
