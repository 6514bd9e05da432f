"""leases without a batch, one holder an example

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

IDENTITY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COMMENT = "who labels an example at the moment, out of a batch or straight out of the pool"


def upgrade() -> None:
    # Reservations of some minutes: made anew, whoever works goes on without noticing.
    op.drop_table("leases")
    _create(batch_may_be_missing=True, unique=["example_id"], comment=COMMENT)


def downgrade() -> None:
    op.drop_table("leases")
    _create(batch_may_be_missing=False, unique=["batch_id", "example_id", "user_id"], comment=None)
    op.create_index("ix_leases_example_id", "leases", ["example_id"])


def _create(*, batch_may_be_missing: bool, unique: list[str], comment: str | None) -> None:
    op.create_table(
        "leases",
        sa.Column("id", IDENTITY, autoincrement=True, nullable=False),
        sa.Column("batch_id", IDENTITY, nullable=batch_may_be_missing),
        sa.Column("example_id", IDENTITY, nullable=False),
        sa.Column("user_id", IDENTITY, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], name="fk_leases_batch_id_batches", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["example_id"], ["examples.id"], name="fk_leases_example_id_examples", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_leases_user_id_users", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_leases"),
        sa.UniqueConstraint(*unique, name=f"uq_leases_{'_'.join(unique)}"),
        comment=comment,
    )
    op.create_index("ix_leases_user_id_expires_at", "leases", ["user_id", "expires_at"])
