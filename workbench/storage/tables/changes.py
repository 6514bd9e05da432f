"""What a lead has done to one person's work: withdrawn it, or given what they hold to somebody else."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from workbench.storage.tables.columns import (
    Document_,
    Identity,
    Moment,
    created_column,
    id_column,
    metadata,
    reference,
)

work_changes = Table(
    "work_changes",
    metadata,
    id_column(),
    reference("project_id", "projects", ondelete="CASCADE"),
    Column("number", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    reference("person_id", "users"),
    Column("state", String(20), nullable=False),
    Column("scope", Document_, nullable=False, comment="which of the person's work"),
    Column("effect", Document_, nullable=False),
    Column("undo_effect", Document_),
    Column("note", Text, nullable=False, server_default=text("''")),
    reference("user_id", "users", nullable=True),
    created_column(),
    Column("undone_at", Moment),
    UniqueConstraint("project_id", "number"),
    CheckConstraint("kind IN ('withdraw', 'reassign')", name="kind_known"),
    CheckConstraint("state IN ('doing', 'done', 'undoing', 'undone')", name="state_known"),
)

work_change_items = Table(
    "work_change_items",
    metadata,
    Column("annotation_id", Identity, ForeignKey("annotations.id", ondelete="CASCADE"), primary_key=True),
    reference("replaced_id", "annotations", ondelete="CASCADE"),
    reference("change_id", "work_changes", ondelete="CASCADE"),
    Column("undoes", Boolean, nullable=False, server_default=false()),
    Column("gold", Boolean, nullable=False, server_default=false(), comment="gold of the example changed"),
    reference("gold_id", "annotations", nullable=True, ondelete="CASCADE"),
    reference("accepted_by", "users", nullable=True),
    Column("accepted_at", Moment),
    Index("ix_work_change_items_change_id", "change_id", "undoes"),
    Index("ix_work_change_items_replaced_id", "replaced_id"),
    Index("ix_work_change_items_gold_id", "gold_id"),
    comment="revisions that a withdrawal or its undoing has written; gold_id and what follows say what was gold before",
)
