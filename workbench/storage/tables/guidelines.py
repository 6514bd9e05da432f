"""What people are asked to label how: every version, and who has read which."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from workbench.storage.tables.columns import (
    Identity,
    Moment,
    created_column,
    id_column,
    metadata,
    reference,
)

guideline_versions = Table(
    "guideline_versions",
    metadata,
    id_column(),
    reference("project_id", "projects", ondelete="CASCADE"),
    Column("number", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=text("''"), comment="what has changed, in words"),
    reference("user_id", "users", nullable=True),
    created_column(),
    UniqueConstraint("project_id", "number"),
    comment="the newest is the project's guidelines",
)

guideline_reads = Table(
    "guideline_reads",
    metadata,
    Column("version_id", Identity, ForeignKey("guideline_versions.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Identity, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("seen_at", Moment, nullable=False),
    Index("ix_guideline_reads_user_id", "user_id"),
    comment="who has read which version",
)
