"""What is asked of annotators and what they said: batches, leases, annotations, gold, changes of label sets."""

# No `from __future__ import annotations` in this package: that name is a table.
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
    true,
)

from workbench.domain import AnnotationStatus
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

batches = Table(
    "batches",
    metadata,
    id_column(),
    reference("project_id", "projects", ondelete="CASCADE"),
    Column("number", Integer, nullable=False),
    Column("strategy", String(100), nullable=False),
    reference("model_version_id", "model_versions", nullable=True),
    Column("unit", String(20), nullable=False),
    Column("size", Integer, nullable=False),
    Column("parameters", Document_, nullable=False),
    reference("user_id", "users", nullable=True),
    created_column(),
    UniqueConstraint("project_id", "number"),
    CheckConstraint("size > 0", name="size_positive"),
    CheckConstraint("unit IN ('examples', 'words', 'seconds')", name="unit_known"),
)

batch_items = Table(
    "batch_items",
    metadata,
    Column("batch_id", Identity, ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("example_id", Identity, ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("score", Float),
    Column("reason", Document_, nullable=False),
    Column(
        "open", Boolean, nullable=False, server_default=true(), comment="waits for somebody; see openitems"
    ),
    Column(
        "probe",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="its gold is known: an answer measures the person; see probes",
    ),
    UniqueConstraint("batch_id", "position"),
    Index("ix_batch_items_example_id", "example_id"),
    Index("ix_batch_items_open", "batch_id", "open", "position"),
)

leases = Table(
    "leases",
    metadata,
    id_column(),
    reference("batch_id", "batches", nullable=True, ondelete="CASCADE"),
    reference("example_id", "examples", ondelete="CASCADE"),
    reference("user_id", "users", ondelete="CASCADE"),
    Column("expires_at", Moment, nullable=False),
    UniqueConstraint("example_id", "user_id"),
    Index("ix_leases_user_id_expires_at", "user_id", "expires_at"),
    comment="who labels an example at the moment, out of a batch or straight out of the pool",
)

annotations = Table(
    "annotations",
    metadata,
    id_column(),
    reference("example_id", "examples", ondelete="CASCADE"),
    reference("author_id", "users"),
    Column("revision", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("payload", Document_),
    Column("client_id", String(100), nullable=False, unique=True),
    Column("seconds", Float),
    Column("comment", Text, nullable=False, server_default=text("''")),
    reference("batch_id", "batches", nullable=True),
    reference("suggestion_version_id", "model_versions", nullable=True),
    created_column(),
    UniqueConstraint("example_id", "author_id", "revision"),
    CheckConstraint("revision > 0", name="revision_positive"),
    CheckConstraint("seconds IS NULL OR seconds >= 0", name="seconds_not_negative"),
    CheckConstraint("status <> 'accepted' OR payload IS NOT NULL", name="accepted_has_payload"),
    one_of("status", AnnotationStatus),
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
    reference("accepted_by", "users", nullable=True),
    comment="the accepted annotation of an example",
)

probe_answers = Table(
    "probe_answers",
    metadata,
    id_column(),
    reference("batch_id", "batches", ondelete="CASCADE"),
    reference("example_id", "examples", ondelete="CASCADE"),
    reference("user_id", "users"),
    reference("gold_id", "annotations", ondelete="CASCADE"),
    Column("revision", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("payload", Document_),
    Column("client_id", String(100), nullable=False),
    Column("seconds", Float),
    Column("comment", Text, nullable=False, server_default=text("''")),
    created_column(),
    UniqueConstraint("example_id", "user_id"),
    one_of("status", AnnotationStatus),
    Index("ix_probe_answers_batch_id", "batch_id"),
    Index("ix_probe_answers_user_id", "user_id"),
    comment="what people said of adjudicated examples that looked like any other; no labels of the project",
)

remarks = Table(
    "remarks",
    metadata,
    id_column(),
    reference("annotation_id", "annotations", ondelete="CASCADE"),
    reference("author_id", "users"),
    Column("text", Text, nullable=False),
    created_column(),
    Column("seen_at", Moment),
    Index("ix_remarks_annotation_id", "annotation_id"),
    comment="what a reviewer says to the author of a revision",
)

label_changes = Table(
    "label_changes",
    metadata,
    id_column(),
    reference("project_id", "projects", ondelete="CASCADE"),
    Column("number", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("labels", Document_, nullable=False, comment="what was changed into what"),
    Column("before", Document_, nullable=False, comment="rows of the label set as they stood"),
    Column("counts", Document_, nullable=False),
    reference("batch_id", "batches", nullable=True),
    reference("user_id", "users", nullable=True),
    created_column(),
    Column("undone_at", Moment),
    UniqueConstraint("project_id", "number"),
    comment="the history of label sets",
)

label_change_items = Table(
    "label_change_items",
    metadata,
    Column("annotation_id", Identity, ForeignKey("annotations.id", ondelete="CASCADE"), primary_key=True),
    reference("replaced_id", "annotations", ondelete="CASCADE"),
    reference("change_id", "label_changes", ondelete="CASCADE"),
    Column("undoes", Boolean, nullable=False, server_default=false()),
    Column("gold", Boolean, nullable=False, server_default=false(), comment="what it replaced was gold"),
    reference("accepted_by", "users", nullable=True),
    Index("ix_label_change_items_change_id", "change_id"),
    Index("ix_label_change_items_replaced_id", "replaced_id"),
    comment="revisions that a change of the label set has written, each with the one that it replaced",
)
