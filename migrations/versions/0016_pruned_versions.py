"""when the files of a model version were removed to save space

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    said = "its files were removed to save space"
    op.add_column(
        "model_versions", sa.Column("pruned_at", sa.DateTime(timezone=True), nullable=True, comment=said)
    )


def downgrade() -> None:
    # Not by a copy of the table: SQLite would take what refers to its rows away with the old one.
    op.drop_column("model_versions", "pruned_at")
