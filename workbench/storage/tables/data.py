"""Projects, their label sets, and what was imported for them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from workbench.domain import Split
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

projects = Table(
    "projects",
    metadata,
    id_column(),
    Column("name", String(200), nullable=False, unique=True),
    Column("task", String(40), nullable=False),
    Column("guidelines", Text, nullable=False, server_default=text("''")),
    Column("settings", Document_, nullable=False),
    created_column(),
)

labels = Table(
    "labels",
    metadata,
    id_column(),
    reference("project_id", "projects", ondelete="CASCADE"),
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
    id_column(),
    reference("project_id", "projects", ondelete="CASCADE"),
    Column("file_name", Text, nullable=False),
    Column("sha256", String(64), ForeignKey("sources.sha256", ondelete="RESTRICT"), nullable=False),
    Column("format", String(40), nullable=False),
    Column("mapping", Document_, nullable=False),
    Column("split", String(20)),
    Column("counts", Document_, nullable=False),
    reference("user_id", "users", nullable=True),
    created_column(),
    one_of("split", Split),
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
    created_column(),
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
    id_column(),
    reference("project_id", "projects", ondelete="CASCADE"),
    reference("import_id", "imports", ondelete="CASCADE"),
    Column("name", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("meta", Document_, nullable=False),
    UniqueConstraint("import_id", "name"),
    Index("ix_documents_project_id", "project_id"),
)

examples = Table(
    "examples",
    metadata,
    id_column(),
    reference("project_id", "projects", ondelete="CASCADE"),
    reference("import_id", "imports", ondelete="CASCADE"),
    reference("document_id", "documents", ondelete="CASCADE"),
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
    one_of("split", Split),
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
