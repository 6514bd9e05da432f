"""adjudicated examples among a batch's items, and what people say of them

Revision ID: 0015
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0015"
down_revision = "0012"
branch_labels = None
depends_on = None

IDENTITY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def _to(column: str, table: str, ondelete: str) -> sa.ForeignKeyConstraint:
    name = f"fk_probe_answers_{column}_{table}"
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], name=name, ondelete=ondelete)


def upgrade() -> None:
    said = "its gold is known: an answer measures the person; see probes"
    op.add_column(
        "batch_items",
        sa.Column("probe", sa.Boolean(), nullable=False, server_default=sa.false(), comment=said),
    )
    op.create_table(
        "probe_answers",
        sa.Column("id", IDENTITY, autoincrement=True, nullable=False),
        sa.Column("batch_id", IDENTITY, nullable=False),
        sa.Column("example_id", IDENTITY, nullable=False),
        sa.Column("user_id", IDENTITY, nullable=False),
        sa.Column("gold_id", IDENTITY, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("payload", DOCUMENT, nullable=True),
        sa.Column("client_id", sa.String(100), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("comment", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('accepted', 'skipped', 'flagged', 'withdrawn')", name="ck_probe_answers_status_known"
        ),
        _to("batch_id", "batches", "CASCADE"),
        _to("example_id", "examples", "CASCADE"),
        _to("user_id", "users", "RESTRICT"),
        _to("gold_id", "annotations", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_probe_answers"),
        sa.UniqueConstraint("example_id", "user_id", name="uq_probe_answers_example_id_user_id"),
        comment="what people said of adjudicated examples that looked like any other; no labels of the project",
    )
    op.create_index("ix_probe_answers_batch_id", "probe_answers", ["batch_id"])
    op.create_index("ix_probe_answers_user_id", "probe_answers", ["user_id"])


def downgrade() -> None:
    op.drop_table("probe_answers")
    with op.batch_alter_table("batch_items") as batch:
        batch.drop_column("probe")
