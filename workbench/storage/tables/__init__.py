"""The schema. Every constraint is named; the CHECKs and unique constraints carry the invariants.

Alembic owns what is in a database (``migrations/``); this module is what it is compared with.
"""

from workbench.storage.tables.changes import work_change_items, work_changes
from workbench.storage.tables.columns import metadata
from workbench.storage.tables.data import (
    documents,
    examples,
    imports,
    labels,
    loads,
    oracle_answers,
    projects,
    sketches,
    sources,
)
from workbench.storage.tables.guidelines import guideline_reads, guideline_versions
from workbench.storage.tables.models import (
    acquisition_scores,
    evaluations,
    gold_sets,
    model_versions,
    predictions,
    run_events,
    runs,
    snapshot_items,
    snapshots,
    suspects,
)
from workbench.storage.tables.people import (
    audit_events,
    identities,
    pending_sign_ins,
    project_roles,
    sessions,
    sign_in_failures,
    users,
)
from workbench.storage.tables.work import (
    annotations,
    batch_items,
    batches,
    gold,
    label_change_items,
    label_changes,
    leases,
    probe_answers,
    remarks,
)

__all__ = [
    "acquisition_scores",
    "annotations",
    "audit_events",
    "batch_items",
    "batches",
    "documents",
    "evaluations",
    "examples",
    "gold",
    "gold_sets",
    "guideline_reads",
    "guideline_versions",
    "identities",
    "imports",
    "label_change_items",
    "label_changes",
    "labels",
    "leases",
    "loads",
    "metadata",
    "model_versions",
    "oracle_answers",
    "pending_sign_ins",
    "predictions",
    "probe_answers",
    "project_roles",
    "projects",
    "remarks",
    "run_events",
    "runs",
    "sessions",
    "sign_in_failures",
    "sketches",
    "snapshot_items",
    "snapshots",
    "sources",
    "suspects",
    "users",
    "work_change_items",
    "work_changes",
]
