"""budgets of batches in an annotator's seconds

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NAME = "ck_batches_unit_known"


def upgrade() -> None:
    _allow("unit IN ('examples', 'words', 'seconds')")


def downgrade() -> None:
    op.execute("UPDATE batches SET unit = 'words' WHERE unit = 'seconds'")
    _allow("unit IN ('examples', 'words')")


def _allow(units: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f(NAME), "batches", type_="check")
        op.create_check_constraint(op.f(NAME), "batches", units)
        return
    # SQLite tells nobody of its CHECKs: the table is made anew, with both named again.
    checks = (
        sa.CheckConstraint("size > 0", name=op.f("ck_batches_size_positive")),
        sa.CheckConstraint(units, name=op.f(NAME)),
    )
    with op.batch_alter_table("batches", recreate="always", table_args=checks):
        pass
