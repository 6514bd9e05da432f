"""budgets of batches in an annotator's seconds

Revision ID: 0009
Revises: 0008
"""

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
    with op.batch_alter_table("batches") as batch:
        batch.drop_constraint(op.f(NAME), type_="check")
        batch.create_check_constraint(op.f(NAME), units)
