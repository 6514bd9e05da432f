"""an example may be held by several people

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _replace("uq_leases_example_id", "uq_leases_example_id_user_id", ["example_id", "user_id"])


def downgrade() -> None:
    _replace("uq_leases_example_id_user_id", "uq_leases_example_id", ["example_id"])


def _replace(old: str, new: str, columns: list[str]) -> None:
    op.execute("DELETE FROM leases")  # reservations of some minutes: made anew without anybody noticing
    with op.batch_alter_table("leases") as batch:
        batch.drop_constraint(old, type_="unique")
        batch.create_unique_constraint(new, columns)
