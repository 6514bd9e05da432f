"""imports that are written piece by piece, sketches of texts, changes of label sets

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

IDENTITY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "loads",
        sa.Column("project_id", IDENTITY, nullable=False),
        sa.Column("first_import", IDENTITY, nullable=False),
        sa.Column("first_position", sa.Integer(), nullable=False),
        sa.Column(
            "owner", sa.String(length=300), nullable=False, comment="host, process and one attempt of it"
        ),
        sa.Column("written", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_loads_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_loads")),
        comment="an import being written: what the project has from these on is seen by nobody yet",
    )
    op.create_table(
        "sketches",
        sa.Column("import_id", IDENTITY, nullable=False),
        sa.Column("first_position", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="MinHash sketches, one after the other"),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_sketches_import_id_imports"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "first_position", name=op.f("pk_sketches")),
        comment="what near-duplicates are found by; a row for some thousand examples",
    )
    op.create_table(
        "label_changes",
        sa.Column("id", IDENTITY, autoincrement=True, nullable=False),
        sa.Column("project_id", IDENTITY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("labels", DOCUMENT, nullable=False, comment="what was changed into what"),
        sa.Column("before", DOCUMENT, nullable=False, comment="rows of the label set as they stood"),
        sa.Column("counts", DOCUMENT, nullable=False),
        sa.Column("batch_id", IDENTITY, nullable=True),
        sa.Column("user_id", IDENTITY, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], name=op.f("fk_label_changes_batch_id_batches"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_label_changes_project_id_projects"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_label_changes_user_id_users"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_changes")),
        sa.UniqueConstraint("project_id", "number", name=op.f("uq_label_changes_project_id_number")),
        comment="the history of label sets",
    )
    op.create_table(
        "label_change_items",
        sa.Column("annotation_id", IDENTITY, nullable=False),
        sa.Column("replaced_id", IDENTITY, nullable=False),
        sa.Column("change_id", IDENTITY, nullable=False),
        sa.Column("undoes", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "gold",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="what it replaced was gold",
        ),
        sa.Column("accepted_by", IDENTITY, nullable=True),
        sa.ForeignKeyConstraint(
            ["accepted_by"],
            ["users.id"],
            name=op.f("fk_label_change_items_accepted_by_users"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["annotation_id"],
            ["annotations.id"],
            name=op.f("fk_label_change_items_annotation_id_annotations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["change_id"],
            ["label_changes.id"],
            name=op.f("fk_label_change_items_change_id_label_changes"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["replaced_id"],
            ["annotations.id"],
            name=op.f("fk_label_change_items_replaced_id_annotations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("annotation_id", name=op.f("pk_label_change_items")),
        comment="revisions that a change of the label set has written, each with the one that it replaced",
    )
    with op.batch_alter_table("label_change_items", schema=None) as batch_op:
        batch_op.create_index("ix_label_change_items_change_id", ["change_id"], unique=False)
        batch_op.create_index("ix_label_change_items_replaced_id", ["replaced_id"], unique=False)
    with op.batch_alter_table("snapshot_items", schema=None) as batch_op:
        batch_op.create_index("ix_snapshot_items_example_id", ["example_id"], unique=False)
        batch_op.create_index("ix_snapshot_items_annotation_id", ["annotation_id"], unique=False)
