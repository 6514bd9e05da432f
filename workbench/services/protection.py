"""Why the files of a model version stay, whatever is pruned.

*Compared* is every version that was ever measured on a split. A comparison itself reads stored predictions and no
files, but its versions have to be measured on the same labels: when the split grows, a version's row on the new set
takes the model once more. So a version that has a row with a score in Compare keeps its files, archived or not, and
on the set of any time. One that was never measured has no such row; without its files it can still be measured where
it has predicted every labeled example (``VersionRow.measurable``).

*Exported* is what the audit log says of any time, and what lies in the exports folder: an export may have been killed
before its line was written, or its line may be younger than the backup that was restored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from workbench.config import Settings
from workbench.domain import ModelVersion, Project, RunState, versions_read
from workbench.jobs.attempt import read_json
from workbench.services.models import best_by_validation
from workbench.storage.store import Transaction

SUBJECT = re.compile(r"model version (\d+)")
"""What the audit log calls a version."""


def protections(
    tx: Transaction, settings: Settings, project: Project, versions: Sequence[ModelVersion], keep: int
) -> dict[int, tuple[str, ...]]:
    """Why each version's files stay, in words, by the version's number; nothing for one whose files may go.

    Args:
        tx: Any block. In a writing one that holds the versions, nothing of it changes to the block's end.
        settings: Say where exports lie.
        project: The project.
        versions: All of it, by number.
        keep: How many of the newest keep their files in any case.
    """
    reasons: dict[int, list[str]] = {version.number: [] for version in versions}
    if versions:
        for number, why in _told(tx, settings, project, versions):
            if number in reasons:
                reasons[number].append(why)
    for version in versions[-keep:]:
        reasons[version.number].append("the newest" if keep == 1 else f"one of the newest {keep}")
    return {number: tuple(said) for number, said in reasons.items()}


def _told(
    tx: Transaction, settings: Settings, project: Project, versions: Sequence[ModelVersion]
) -> Iterator[tuple[int, str]]:
    """Numbers of versions that stay whatever their age, each with a reason."""
    yield from ((version.number, "promoted") for version in versions if version.promoted)
    yield from ((number, "exported") for number in _exported(tx, settings, project))
    yield from ((number, "pushed to the hub") for number in _named(tx, project, "push"))
    for number, splits in _measured(tx, project).items():
        yield number, f"compared: measured on {', '.join(splits)}"
    yield best_by_validation(project, versions).number, "the best by validation"
    yield from ((version.number, "the newest that suggests labels") for version in _newest_usable(versions))
    yield from _read(tx, project)


def _newest_usable(versions: Sequence[ModelVersion]) -> Sequence[ModelVersion]:
    """The version that suggestions on open batches come from first; none where all are put away."""
    return [version for version in versions if version.usable][-1:]


def _read(tx: Transaction, project: Project) -> Iterator[tuple[int, str]]:
    """Versions that active runs read: those that they ask, and those that they continue."""
    for state in (RunState.RUNNING, RunState.QUEUED):
        for run in tx.runs.in_state(state):
            if run.project_id == project.id:
                for number in sorted(versions_read(run.parameters)):
                    yield number, f"read by run {run.id}, which is {run.state}"


def _measured(tx: Transaction, project: Project) -> dict[int, list[str]]:
    """Names of the splits that each version was ever measured on, by its number."""
    found: dict[int, list[str]] = {}
    for evaluation in tx.models.evaluations(project.id):
        splits = found.setdefault(evaluation.model_version, [])
        if evaluation.split.value not in splits:
            splits.append(evaluation.split.value)
    return found


def _exported(tx: Transaction, settings: Settings, project: Project) -> set[int]:
    found = _named(tx, project, "export")
    for path in settings.exports_dir.glob("*/evaluation.json"):
        said = read_json(path) or {}
        if said.get("project") == project.name and isinstance(said.get("model_version"), int):
            found.add(said["model_version"])
    return found


def _named(tx: Transaction, project: Project, action: str) -> set[int]:
    """Numbers of the versions that the audit log has a line of this action about."""
    subjects = tx.users.audited(project.id, [action])
    return {int(named[1]) for subject in subjects if (named := SUBJECT.fullmatch(subject))}
