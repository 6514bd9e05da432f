"""Runs, the frozen data that they read, the versions that they make, and what those predict and score."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
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

from workbench.domain import RunState, Split
from workbench.storage.tables.columns import (
    Document_,
    Identity,
    Moment,
    created_column,
    id_column,
    metadata,
    one_of,
    reference,
)

runs = Table(
    "runs",
    metadata,
    id_column(),
    reference("project_id", "projects", ondelete="CASCADE"),
    Column("kind", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("parameters", Document_, nullable=False),
    Column("progress", Document_, nullable=False),
    Column("result", Document_, nullable=False),
    Column("error", Text),
    Column("attempt", Integer, nullable=False, server_default=text("1")),
    Column("launcher", String(40), nullable=False),
    Column("handle", Document_, nullable=False, comment="what the launcher needs to find the attempt again"),
    Column("device", String(100)),
    Column("cancel_requested", Boolean, nullable=False, server_default=false()),
    Column("heartbeat_at", Moment),
    reference("user_id", "users", nullable=True),
    created_column(),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    one_of("state", RunState),
    CheckConstraint("attempt > 0", name="attempt_positive"),
    Index("ix_runs_project_id_id", "project_id", "id"),
    Index("ix_runs_state", "state"),
)

run_events = Table(
    "run_events",
    metadata,
    id_column(),
    reference("run_id", "runs", ondelete="CASCADE"),
    Column("attempt", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at", Moment, nullable=False),
    Column("data", Document_, nullable=False),
    UniqueConstraint("run_id", "attempt", "sequence"),
    CheckConstraint("kind IN ('log', 'progress', 'metric')", name="kind_known"),
)

snapshots = Table(
    "snapshots",
    metadata,
    id_column(),
    reference("project_id", "projects", ondelete="CASCADE"),
    Column("content_hash", String(64), nullable=False),
    Column("labels", Document_, nullable=False),
    Column("counts", Document_, nullable=False),
    created_column(),
    Index("ix_snapshots_project_id_content_hash", "project_id", "content_hash"),
)

snapshot_items = Table(
    "snapshot_items",
    metadata,
    Column("snapshot_id", Identity, ForeignKey("snapshots.id", ondelete="CASCADE"), primary_key=True),
    Column("example_id", Identity, ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True),
    Column("annotation_id", Identity, ForeignKey("annotations.id", ondelete="RESTRICT"), nullable=False),
    Column("split", String(20), nullable=False),
    one_of("split", Split),
    Index("ix_snapshot_items_example_id", "example_id"),
    Index("ix_snapshot_items_annotation_id", "annotation_id"),
    comment="exactly which annotations a run read",
)

model_versions = Table(
    "model_versions",
    metadata,
    id_column(),
    reference("project_id", "projects", ondelete="CASCADE"),
    Column("number", Integer, nullable=False),
    Column("base_model", Text, nullable=False),
    reference("parent_id", "model_versions", nullable=True),
    Column("run_id", Identity, ForeignKey("runs.id", ondelete="RESTRICT"), nullable=False, unique=True),
    reference("snapshot_id", "snapshots"),
    Column("labels", Document_, nullable=False),
    Column("artifact", Text, nullable=False, comment="folder, relative to the models folder"),
    Column("artifact_sha256", String(64), nullable=False),
    Column("parameters", Document_, nullable=False),
    Column("metrics", Document_, nullable=False),
    Column("note", Text, nullable=False, server_default=text("''")),
    Column("promoted_at", Moment),
    reference("promoted_by", "users", nullable=True, ondelete=None),
    Column("promoted_reason", Text, nullable=False, server_default=text("''")),
    Column("archived_at", Moment),
    Column("pruned_at", Moment, comment="its files were removed to save space"),
    created_column(),
    UniqueConstraint("project_id", "number"),
    Index(
        "uq_model_versions_one_promoted",
        "project_id",
        unique=True,
        sqlite_where=text("promoted_at IS NOT NULL"),
        postgresql_where=text("promoted_at IS NOT NULL"),
    ),
)

predictions = Table(
    "predictions",
    metadata,
    Column(
        "model_version_id", Identity, ForeignKey("model_versions.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("example_id", Identity, ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True),
    Column("payload", Document_, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("details", Document_, nullable=False, comment="confidences, uncertainty, alternatives"),
    CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence_in_range"),
    Index("ix_predictions_example_id", "example_id"),
)

acquisition_scores = Table(
    "acquisition_scores",
    metadata,
    Column(
        "model_version_id", Identity, ForeignKey("model_versions.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("strategy", String(100), primary_key=True),
    Column("example_id", Identity, ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True),
    Column("score", Float, nullable=False, comment="higher = ask first"),
    Index("ix_acquisition_scores_rank", "model_version_id", "strategy", "score", "example_id"),
    Index("ix_acquisition_scores_example_id", "example_id"),
)

gold_sets = Table(
    "gold_sets",
    metadata,
    id_column(),
    reference("project_id", "projects", ondelete="CASCADE"),
    Column("split", String(20), nullable=False),
    Column("number", Integer, nullable=False),
    reference("snapshot_id", "snapshots", ondelete="CASCADE"),
    created_column(),
    one_of("split", Split),
    CheckConstraint("number > 0", name="number_positive"),
    UniqueConstraint("project_id", "split", "number"),
    UniqueConstraint("snapshot_id"),
    comment="the gold labels that versions were measured on, frozen when they were first used",
)

evaluations = Table(
    "evaluations",
    metadata,
    id_column(),
    reference("model_version_id", "model_versions", ondelete="CASCADE"),
    Column("split", String(20), nullable=False),
    Column("data_hash", String(64), nullable=False),
    Column("examples", Integer, nullable=False),
    Column("metrics", Document_, nullable=False),
    reference("run_id", "runs", nullable=True),
    reference("gold_set_id", "gold_sets", nullable=True, ondelete=None),
    created_column(),
    one_of("split", Split),
    UniqueConstraint("model_version_id", "split", "data_hash"),
)

suspects = Table(
    "suspects",
    metadata,
    Column("run_id", Identity, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("example_id", Identity, ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True),
    Column("annotation_id", Identity, ForeignKey("annotations.id", ondelete="CASCADE"), nullable=False),
    Column("quality", Float, nullable=False),
    Column("seen", Boolean, nullable=False, comment="whether the model had learned from this label"),
    Column("details", Document_, nullable=False, comment="what is doubted, and what the model says instead"),
    CheckConstraint("quality BETWEEN 0 AND 1", name="quality_in_range"),
    Index("ix_suspects_example_id", "example_id"),
    Index("ix_suspects_annotation_id", "annotation_id"),
    comment="labels that are probably wrong, as the newest search of a project found them",
)
