"""which items of batches still wait for somebody, kept with each item

Revision ID: 0010
Revises: 0009
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

LOT_STEP, LOT_SIZE = 618_033, 1_000_003

# A person's word on an example is their newest revision of it.
NEWEST = """a.example_id = batch_items.example_id AND NOT EXISTS (
    SELECT 1 FROM annotations later
    WHERE later.example_id = a.example_id AND later.author_id = a.author_id AND later.revision > a.revision)"""
LABELED = f"EXISTS (SELECT 1 FROM annotations a WHERE {NEWEST} AND a.status <> 'withdrawn')"
CORRECTED = f"""EXISTS (
    SELECT 1 FROM annotations a JOIN batches made ON made.id = batch_items.batch_id
    WHERE {NEWEST} AND a.status <> 'withdrawn' AND a.created_at >= made.created_at)"""
SETTLED = """EXISTS (
    SELECT 1 FROM gold g JOIN annotations a ON a.id = g.annotation_id JOIN users u ON u.id = a.author_id
    WHERE g.example_id = batch_items.example_id AND (u.system OR g.accepted_by IS NOT NULL))"""
WANTED = f"CASE WHEN batch_items.example_id * {LOT_STEP} % {LOT_SIZE} < :cut THEN :people ELSE 1 END"
FULL = f"""(SELECT count(*) FROM annotations a
    WHERE {NEWEST} AND a.status IN ('accepted', 'skipped', 'flagged')) >= {WANTED}"""
CLOSED = """UPDATE batch_items SET open = :no WHERE batch_id IN (
    SELECT id FROM batches WHERE project_id = :project AND (strategy = 'correction') = :correction) AND ({})"""


def upgrade() -> None:
    said = "waits for somebody; see openitems"
    column = sa.Column("open", sa.Boolean(), nullable=False, server_default=sa.true(), comment=said)
    op.add_column("batch_items", column)
    op.create_index("ix_batch_items_open", "batch_items", ["batch_id", "open", "position"])
    connection = op.get_bind()
    for project, settings in connection.execute(sa.text("SELECT id, settings FROM projects")).all():
        said = json.loads(settings) if isinstance(settings, str) else settings
        sharing = {"people": 1, "share": 1.0, **said.get("sharing", {})}
        alone = sharing["people"] <= 1 or sharing["share"] <= 0
        values = {"project": project, "no": False}
        cut = {"cut": round(sharing["share"] * LOT_SIZE), "people": sharing["people"]}
        others = sa.text(CLOSED.format(LABELED if alone else f"{SETTLED} OR {FULL}"))
        connection.execute(others, values | {"correction": False} | ({} if alone else cut))
        connection.execute(sa.text(CLOSED.format(CORRECTED)), values | {"correction": True})


def downgrade() -> None:
    op.drop_index("ix_batch_items_open", "batch_items")
    with op.batch_alter_table("batch_items") as batch:
        batch.drop_column("open")
