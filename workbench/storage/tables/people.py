"""People, their sessions, and what is kept of what they did."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

from workbench.domain import Role
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

users = Table(
    "users",
    metadata,
    id_column(),
    Column("name", String(200), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("system", Boolean, nullable=False, server_default=false()),
    Column("active", Boolean, nullable=False, server_default=true()),
    Column("password_hash", Text),
    created_column(),
    one_of("role", Role),
)

project_roles = Table(
    "project_roles",
    metadata,
    Column("project_id", Identity, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Identity, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(20), nullable=False),
    CheckConstraint("role IN ('none', 'annotator', 'reviewer', 'lead')", name="role_known"),
    comment="where somebody is something else in a project than elsewhere; none: it is not there for them",
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    reference("user_id", "users", ondelete="CASCADE"),
    created_column(),
    Column("expires_at", Moment, nullable=False),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    id_column(),
    Column("key", String(300), nullable=False, index=True),
    Column("at", Moment, nullable=False),
)

identities = Table(
    "identities",
    metadata,
    Column("issuer", String(500), primary_key=True),
    Column("subject", String(255), primary_key=True),
    reference("user_id", "users", ondelete="CASCADE"),
    created_column(),
    UniqueConstraint("issuer", "user_id", name="uq_identities_issuer_user_id"),
    comment="who a user is at an OpenID Connect provider, from the first sign-in there on",
)

pending_sign_ins = Table(
    "pending_sign_ins",
    metadata,
    Column("state_hash", String(64), primary_key=True),
    Column("nonce", String(100), nullable=False),
    Column("verifier", String(128), nullable=False),
    Column("target", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
    comment="sign-ins that have gone to an OpenID Connect provider; each answer takes its row away",
)

audit_events = Table(
    "audit_events",
    metadata,
    id_column(),
    Column("at", Moment, nullable=False),
    reference("user_id", "users", nullable=True),
    Column("project_id", Identity, index=True),
    Column("action", String(100), nullable=False),
    Column("subject", Text, nullable=False, server_default=text("''")),
    Column("data", Document_, nullable=False),
)
