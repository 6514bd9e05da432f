"""The schema. Every constraint is named; the CHECKs and unique constraints carry the invariants.

Alembic owns what is in a database (``migrations/``); this module is what it is compared with.
"""

# No `from __future__ import annotations` here: that name is a table.
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from workbench.domain import AnnotationStatus, Role, RunState, Split

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Identity = BigInteger().with_variant(Integer, "sqlite")
Document_ = JSON().with_variant(JSONB(), "postgresql")
Moment = DateTime(timezone=True)


def _id() -> Column[int]:
    return Column("id", Identity, primary_key=True, autoincrement=True)


def _ref(name: str, target: str, *, nullable: bool = False, ondelete: str | None = "RESTRICT") -> Column[int]:
    return Column(name, Identity, ForeignKey(f"{target}.id", ondelete=ondelete), nullable=nullable)


def _one_of(column: str, values: type) -> CheckConstraint:
    quoted = ", ".join(f"'{value}'" for value in values)  # type: ignore[attr-defined]
    return CheckConstraint(f"{column} IN ({quoted})", name=f"{column}_known")


def _created() -> Column[object]:
    return Column("created_at", Moment, nullable=False)


users = Table(
    "users",
    metadata,
    _id(),
    Column("name", String(200), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("system", Boolean, nullable=False, server_default=false()),
    Column("active", Boolean, nullable=False, server_default=true()),
    Column("password_hash", Text),
    _created(),
    _one_of("role", Role),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    _ref("user_id", "users", ondelete="CASCADE"),
    _created(),
    Column("expires_at", Moment, nullable=False),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    _id(),
    Column("key", String(300), nullable=False, index=True),
    Column("at", Moment, nullable=False),
)

audit_events = Table(
    "audit_events",
    metadata,
    _id(),
    Column("at", Moment, nullable=False),
    _ref("user_id", "users", nullable=True),
    Column("project_id", Identity, index=True),
    Column("action", String(100), nullable=False),
    Column("subject", Text, nullable=False, server_default=text("''")),
    Column("data", Document_, nullable=False),
)

projects = Table(
    "projects",
    metadata,
    _id(),
    Column("name", String(200), nullable=False, unique=True),
    Column("task", String(40), nullable=False),
    Column("guidelines", Text, nullable=False, server_default=text("''")),
    Column("settings", Document_, nullable=False),
    _created(),
)

labels = Table(
    "labels",
    metadata,
    _id(),
    _ref("project_id", "projects", ondelete="CASCADE"),
    Column("name", String(200), nullable=False),
    Column("position", Integer, nullable=False),
    Column("color", String(20), nullable=False),
    Column("key", String(20)),
    Column("description", Text, nullable=False, server_default=text("''")),
    Column("retired", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("project_id", "name"),
    UniqueConstraint("project_id", "key"),
)

sources = Table(
    "sources",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False, comment="zlib-compressed bytes of the file as it came"),
    CheckConstraint("size >= 0", name="size_not_negative"),
)

imports = Table(
    "imports",
    metadata,
    _id(),
    _ref("project_id", "projects", ondelete="CASCADE"),
    Column("file_name", Text, nullable=False),
    Column("sha256", String(64), ForeignKey("sources.sha256", ondelete="RESTRICT"), nullable=False),
    Column("format", String(40), nullable=False),
    Column("mapping", Document_, nullable=False),
    Column("split", String(20)),
    Column("counts", Document_, nullable=False),
    _ref("user_id", "users", nullable=True),
    _created(),
    _one_of("split", Split),
    Index("ix_imports_project_id_sha256", "project_id", "sha256"),
)

loads = Table(
    "loads",
    metadata,
    Column("project_id", Identity, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("first_import", Identity, nullable=False),
    Column("first_position", Integer, nullable=False),
    Column("owner", String(300), nullable=False, comment="host, process and one attempt of it"),
    Column("written", Integer, nullable=False, server_default=text("0")),
    Column("total", Integer, nullable=False),
    Column("heartbeat_at", Moment, nullable=False),
    _created(),
    comment="an import being written: what the project has from these on is seen by nobody yet",
)

sketches = Table(
    "sketches",
    metadata,
    Column("import_id", Identity, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True),
    Column("first_position", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False, comment="MinHash sketches, one after the other"),
    comment="what near-duplicates are found by; a row for some thousand examples",
)

documents = Table(
    "documents",
    metadata,
    _id(),
    _ref("project_id", "projects", ondelete="CASCADE"),
    _ref("import_id", "imports", ondelete="CASCADE"),
    Column("name", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("meta", Document_, nullable=False),
    UniqueConstraint("import_id", "name"),
    Index("ix_documents_project_id", "project_id"),
)

examples = Table(
    "examples",
    metadata,
    _id(),
    _ref("project_id", "projects", ondelete="CASCADE"),
    _ref("import_id", "imports", ondelete="CASCADE"),
    _ref("document_id", "documents", ondelete="CASCADE"),
    Column("position", Integer, nullable=False, comment="order within the project"),
    Column("external_id", Text, nullable=False),
    Column("split", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("question", Text),
    Column(
        "tokens", Document_, nullable=False, comment="flat list: start, end, start, end, … in code points"
    ),
    Column(
        "words", Integer, nullable=False, comment="tokens, or for QA the words of the question and context"
    ),
    Column("content_hash", String(32), nullable=False),
    Column("locator", Document_, nullable=False),
    Column("meta", Document_, nullable=False),
    _one_of("split", Split),
    UniqueConstraint("project_id", "position"),
    UniqueConstraint("import_id", "external_id"),
    Index("ix_examples_project_id_split_position", "project_id", "split", "position"),
    Index("ix_examples_project_id_content_hash", "project_id", "content_hash"),
    Index("ix_examples_document_id_position", "document_id", "position"),
)

oracle_answers = Table(
    "oracle_answers",
    metadata,
    Column("example_id", Identity, ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True),
    Column("payload", Document_, nullable=False),
    comment="labels kept aside at import, as a simulated annotator's answers",
)

batches = Table(
    "batches",
    metadata,
    _id(),
    _ref("project_id", "projects", ondelete="CASCADE"),
    Column("number", Integer, nullable=False),
    Column("strategy", String(100), nullable=False),
    _ref("model_version_id", "model_versions", nullable=True),
    Column("unit", String(20), nullable=False),
    Column("size", Integer, nullable=False),
    Column("parameters", Document_, nullable=False),
    _ref("user_id", "users", nullable=True),
    _created(),
    UniqueConstraint("project_id", "number"),
    CheckConstraint("size > 0", name="size_positive"),
    CheckConstraint("unit IN ('examples', 'words')", name="unit_known"),
)

batch_items = Table(
    "batch_items",
    metadata,
    Column("batch_id", Identity, ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("example_id", Identity, ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("score", Float),
    Column("reason", Document_, nullable=False),
    UniqueConstraint("batch_id", "position"),
    Index("ix_batch_items_example_id", "example_id"),
)

leases = Table(
    "leases",
    metadata,
    _id(),
    _ref("batch_id", "batches", nullable=True, ondelete="CASCADE"),
    _ref("example_id", "examples", ondelete="CASCADE"),
    _ref("user_id", "users", ondelete="CASCADE"),
    Column("expires_at", Moment, nullable=False),
    UniqueConstraint("example_id"),
    Index("ix_leases_user_id_expires_at", "user_id", "expires_at"),
    comment="who labels an example at the moment, out of a batch or straight out of the pool",
)

annotations = Table(
    "annotations",
    metadata,
    _id(),
    _ref("example_id", "examples", ondelete="CASCADE"),
    _ref("author_id", "users"),
    Column("revision", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("payload", Document_),
    Column("client_id", String(100), nullable=False, unique=True),
    Column("seconds", Float),
    Column("comment", Text, nullable=False, server_default=text("''")),
    _ref("batch_id", "batches", nullable=True),
    _ref("suggestion_version_id", "model_versions", nullable=True),
    _created(),
    UniqueConstraint("example_id", "author_id", "revision"),
    CheckConstraint("revision > 0", name="revision_positive"),
    CheckConstraint("seconds IS NULL OR seconds >= 0", name="seconds_not_negative"),
    CheckConstraint("status <> 'accepted' OR payload IS NOT NULL", name="accepted_has_payload"),
    _one_of("status", AnnotationStatus),
    Index("ix_annotations_author_id_created_at", "author_id", "created_at"),
    comment="append-only: a correction is a new revision",
)

gold = Table(
    "gold",
    metadata,
    Column("example_id", Identity, ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "annotation_id",
        Identity,
        ForeignKey("annotations.id", ondelete="RESTRICT"),
        nullable=False,
        unique=True,
    ),
    Column("accepted_at", Moment, nullable=False),
    _ref("accepted_by", "users", nullable=True),
    comment="the accepted annotation of an example",
)

label_changes = Table(
    "label_changes",
    metadata,
    _id(),
    _ref("project_id", "projects", ondelete="CASCADE"),
    Column("number", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("labels", Document_, nullable=False, comment="what was changed into what"),
    Column("before", Document_, nullable=False, comment="rows of the label set as they stood"),
    Column("counts", Document_, nullable=False),
    _ref("batch_id", "batches", nullable=True),
    _ref("user_id", "users", nullable=True),
    _created(),
    Column("undone_at", Moment),
    UniqueConstraint("project_id", "number"),
    comment="the history of label sets",
)

label_change_items = Table(
    "label_change_items",
    metadata,
    Column("annotation_id", Identity, ForeignKey("annotations.id", ondelete="CASCADE"), primary_key=True),
    _ref("replaced_id", "annotations", ondelete="CASCADE"),
    _ref("change_id", "label_changes", ondelete="CASCADE"),
    Column("undoes", Boolean, nullable=False, server_default=false()),
    Column("gold", Boolean, nullable=False, server_default=false(), comment="what it replaced was gold"),
    _ref("accepted_by", "users", nullable=True),
    Index("ix_label_change_items_change_id", "change_id"),
    Index("ix_label_change_items_replaced_id", "replaced_id"),
    comment="revisions that a change of the label set has written, each with the one that it replaced",
)

runs = Table(
    "runs",
    metadata,
    _id(),
    _ref("project_id", "projects", ondelete="CASCADE"),
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
    _ref("user_id", "users", nullable=True),
    _created(),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    _one_of("state", RunState),
    CheckConstraint("attempt > 0", name="attempt_positive"),
    Index("ix_runs_project_id_id", "project_id", "id"),
    Index("ix_runs_state", "state"),
)

run_events = Table(
    "run_events",
    metadata,
    _id(),
    _ref("run_id", "runs", ondelete="CASCADE"),
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
    _id(),
    _ref("project_id", "projects", ondelete="CASCADE"),
    Column("content_hash", String(64), nullable=False),
    Column("labels", Document_, nullable=False),
    Column("counts", Document_, nullable=False),
    _created(),
    Index("ix_snapshots_project_id_content_hash", "project_id", "content_hash"),
)

snapshot_items = Table(
    "snapshot_items",
    metadata,
    Column("snapshot_id", Identity, ForeignKey("snapshots.id", ondelete="CASCADE"), primary_key=True),
    Column("example_id", Identity, ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True),
    Column("annotation_id", Identity, ForeignKey("annotations.id", ondelete="RESTRICT"), nullable=False),
    Column("split", String(20), nullable=False),
    _one_of("split", Split),
    Index("ix_snapshot_items_example_id", "example_id"),
    Index("ix_snapshot_items_annotation_id", "annotation_id"),
    comment="exactly which annotations a run read",
)

model_versions = Table(
    "model_versions",
    metadata,
    _id(),
    _ref("project_id", "projects", ondelete="CASCADE"),
    Column("number", Integer, nullable=False),
    Column("base_model", Text, nullable=False),
    _ref("parent_id", "model_versions", nullable=True),
    Column("run_id", Identity, ForeignKey("runs.id", ondelete="RESTRICT"), nullable=False, unique=True),
    _ref("snapshot_id", "snapshots"),
    Column("labels", Document_, nullable=False),
    Column("artifact", Text, nullable=False, comment="folder, relative to the models folder"),
    Column("artifact_sha256", String(64), nullable=False),
    Column("parameters", Document_, nullable=False),
    Column("metrics", Document_, nullable=False),
    Column("note", Text, nullable=False, server_default=text("''")),
    Column("promoted_at", Moment),
    _ref("promoted_by", "users", nullable=True, ondelete=None),
    Column("promoted_reason", Text, nullable=False, server_default=text("''")),
    Column("archived_at", Moment),
    _created(),
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
    _id(),
    _ref("project_id", "projects", ondelete="CASCADE"),
    Column("split", String(20), nullable=False),
    Column("number", Integer, nullable=False),
    _ref("snapshot_id", "snapshots", ondelete="CASCADE"),
    _created(),
    _one_of("split", Split),
    CheckConstraint("number > 0", name="number_positive"),
    UniqueConstraint("project_id", "split", "number"),
    UniqueConstraint("snapshot_id"),
    comment="the gold labels that versions were measured on, frozen when they were first used",
)

evaluations = Table(
    "evaluations",
    metadata,
    _id(),
    _ref("model_version_id", "model_versions", ondelete="CASCADE"),
    Column("split", String(20), nullable=False),
    Column("data_hash", String(64), nullable=False),
    Column("examples", Integer, nullable=False),
    Column("metrics", Document_, nullable=False),
    _ref("run_id", "runs", nullable=True),
    _ref("gold_set_id", "gold_sets", nullable=True, ondelete=None),
    _created(),
    _one_of("split", Split),
    UniqueConstraint("model_version_id", "split", "data_hash"),
)
