"""How good versions are on labeled examples that no model chose and that they have not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.domain import ModelVersion, Project, is_partial
from workbench.services.judging import stacked
from workbench.services.labelmaps import mapped_predictions
from workbench.statistics import bootstrap
from workbench.storage.store import Transaction
from workbench.tasks import as_asked, get_task

ENOUGH = 20
"""With fewer examples an interval would be as wide as the scale."""

RECENT = 400
"""Examples, the newest first, that the score of "the versions of then" is over."""


@dataclass(frozen=True, slots=True)
class AuditScore:
    """A score on examples drawn by lot.

    Attributes:
        examples: How many.
        score: The primary metric, None with fewer than ``ENOUGH``.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    examples: int
    score: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """What the examples drawn by lot say.

    Attributes:
        labeled: Labeled examples drawn by lot, without those with partial labels.
        versions: By version number its own score, on those that it had predicted and not learned from.
        then: Each example judged by the newest version that had predicted and not learned from it.
    """

    labeled: int
    versions: dict[int, AuditScore]
    then: AuditScore


def audit(tx: Transaction, project: Project, versions: Sequence[ModelVersion]) -> Audit:
    """Judge versions on labeled examples drawn by lot, by what they predicted before these were labeled.

    Partial labels are left out: nothing can be measured on them.
    """
    task = get_task(project.task)
    ids = tx.evidence.drawn_by_lot(project.id)[: 5 * RECENT]
    gold = {key: found[0].payload for key, found in tx.annotations.gold_of(ids).items()}
    ids = [key for key in ids if not is_partial(gold.get(key))]
    contents = {example.id: example.content for example in tx.examples.by_ids(ids)}
    counts: dict[int, dict[int, dict[str, float]]] = {}
    for version in versions:
        learned = tx.evidence.in_snapshot(version.snapshot_id, ids)
        asked = {key: contents[key] for key in ids if key not in learned and key in contents}
        predicted = mapped_predictions(tx, project, version, asked)
        counts[version.number] = {}
        for key, prediction in predicted.items():
            truth = gold.get(key)
            if truth is not None:
                content = as_asked(contents[key], truth)
                counts[version.number][key] = task.score_example(truth, prediction.payload, content)

    def score(rows: Sequence[dict[str, float]]) -> AuditScore:
        if len(rows) < ENOUGH:
            return AuditScore(len(rows))
        found = bootstrap(stacked(rows), task.aggregate)
        return AuditScore(len(rows), found.value, found.low, found.high)

    newest: dict[int, dict[str, float]] = {}
    for number in sorted(counts):
        newest.update(counts[number])
    recent = [newest[key] for key in ids if key in newest][:RECENT]
    own = {number: score(list(rows.values())) for number, rows in counts.items()}
    return Audit(len(ids), own, score(recent))
