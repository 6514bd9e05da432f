"""versions of guidelines, and who has read which

Revision ID: 0012
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0014"
branch_labels = None
depends_on = None

IDENTITY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def _reference(table: str, column: str, target: str, ondelete: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{target}"
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete=ondelete)


def upgrade() -> None:
    op.create_table(
        "guideline_versions",
        sa.Column("id", IDENTITY, autoincrement=True, nullable=False),
        sa.Column("project_id", IDENTITY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "note",
            sa.Text(),
            server_default=sa.text("''"),
            nullable=False,
            comment="what has changed, in words",
        ),
        sa.Column("user_id", IDENTITY, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        _reference("guideline_versions", "project_id", "projects", "CASCADE"),
        _reference("guideline_versions", "user_id", "users", "RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_guideline_versions"),
        sa.UniqueConstraint("project_id", "number", name="uq_guideline_versions_project_id_number"),
        comment="the newest is the project's guidelines",
    )
    op.create_table(
        "guideline_reads",
        sa.Column("version_id", IDENTITY, nullable=False),
        sa.Column("user_id", IDENTITY, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        _reference("guideline_reads", "version_id", "guideline_versions", "CASCADE"),
        _reference("guideline_reads", "user_id", "users", "CASCADE"),
        sa.PrimaryKeyConstraint("version_id", "user_id", name="pk_guideline_reads"),
        comment="who has read which version",
    )
    op.create_index("ix_guideline_reads_user_id", "guideline_reads", ["user_id"])
    op.execute(
        "INSERT INTO guideline_versions (project_id, number, text, created_at) "
        "SELECT id, 1, guidelines, created_at FROM projects WHERE guidelines <> ''"
    )


def downgrade() -> None:
    op.drop_table("guideline_reads")
    op.drop_table("guideline_versions")
