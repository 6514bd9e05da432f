"""people's work that was withdrawn or given to others, with what it takes to undo that

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

IDENTITY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def _reference(table: str, column: str, target: str, ondelete: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{target}"
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete=ondelete)


def upgrade() -> None:
    op.create_table(
        "work_changes",
        sa.Column("id", IDENTITY, autoincrement=True, nullable=False),
        sa.Column("project_id", IDENTITY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("person_id", IDENTITY, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("scope", DOCUMENT, nullable=False, comment="which of the person's work"),
        sa.Column("effect", DOCUMENT, nullable=False),
        sa.Column("undo_effect", DOCUMENT, nullable=True),
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("user_id", IDENTITY, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("undone_at", MOMENT, nullable=True),
        sa.CheckConstraint("kind IN ('withdraw', 'reassign')", name="ck_work_changes_kind_known"),
        sa.CheckConstraint(
            "state IN ('doing', 'done', 'undoing', 'undone')", name="ck_work_changes_state_known"
        ),
        _reference("work_changes", "project_id", "projects", "CASCADE"),
        _reference("work_changes", "person_id", "users", "RESTRICT"),
        _reference("work_changes", "user_id", "users", "RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_work_changes"),
        sa.UniqueConstraint("project_id", "number", name="uq_work_changes_project_id_number"),
    )
    op.create_table(
        "work_change_items",
        sa.Column("annotation_id", IDENTITY, nullable=False),
        sa.Column("replaced_id", IDENTITY, nullable=False),
        sa.Column("change_id", IDENTITY, nullable=False),
        sa.Column("undoes", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "gold",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="gold of the example changed",
        ),
        sa.Column("gold_id", IDENTITY, nullable=True),
        sa.Column("accepted_by", IDENTITY, nullable=True),
        sa.Column("accepted_at", MOMENT, nullable=True),
        _reference("work_change_items", "annotation_id", "annotations", "CASCADE"),
        _reference("work_change_items", "replaced_id", "annotations", "CASCADE"),
        _reference("work_change_items", "change_id", "work_changes", "CASCADE"),
        _reference("work_change_items", "gold_id", "annotations", "CASCADE"),
        _reference("work_change_items", "accepted_by", "users", "RESTRICT"),
        sa.PrimaryKeyConstraint("annotation_id", name="pk_work_change_items"),
        comment=(
            "revisions that a withdrawal or its undoing has written; gold_id and what follows say what was gold before"
        ),
    )
    op.create_index("ix_work_change_items_change_id", "work_change_items", ["change_id", "undoes"])
    op.create_index("ix_work_change_items_replaced_id", "work_change_items", ["replaced_id"])
    op.create_index("ix_work_change_items_gold_id", "work_change_items", ["gold_id"])


def downgrade() -> None:
    op.drop_table("work_change_items")
    op.drop_table("work_changes")
