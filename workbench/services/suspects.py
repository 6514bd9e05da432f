"""Labels that are probably wrong: look for them, go through them, have them labeled again."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from workbench.config import Settings
from workbench.domain import Example, Json, Payload, Project, Run, RunKind, RunState, Split, TrainParameters
from workbench.errors import InvalidInput, NotFound, WrongState
from workbench.jobs.completion import FINISHERS
from workbench.services.corrections import MOST, Correction, CorrectionService
from workbench.services.judging import as_split
from workbench.services.labelmaps import version_map
from workbench.services.models import artifact_folder
from workbench.services.runs import RunService
from workbench.services.snapshots import in_context, used_labels, write_examples
from workbench.services.training import check_base_model, check_context, check_parameters
from workbench.storage.evidence import Suspect
from workbench.storage.models import GoldRow, SnapshotRow
from workbench.storage.rows import chunks
from workbench.storage.store import Store
from workbench.tasks import AnswerTask, as_asked, get_task

FOLDS = 3
MOST_FOLDS = 20
FEWEST = 20
"""Labeled examples below which a model that learned from the others knows too little to judge any."""

MANY = 0.15
"""Share of suspects from which the models that judged are to be doubted, not the labels."""

SEED = 20_263
FOUND = "suspects.jsonl"
QUESTION = "answer"
"""Stands for the label of a doubted answer, which has none."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A stretch of an example whose label is doubted.

    Attributes:
        start: Its first code point; for a question that of the answer which the model gives (0, 0 for none).
        end: Behind its last.
        given: The label, ``O`` for none; for a question the text of the answer.
        proposed: What the model says in its place.
        given_probability: That the model gives the label, 0..1.
        probability: That it gives what it says.
    """

    start: int
    end: int
    given: str
    proposed: str
    given_probability: float
    probability: float

    def sentence(self, text: str) -> str:
        """What is doubted, for an annotator."""
        if self.given in ("O", "no answer") or self.proposed in ("O", "no answer"):
            given = "nothing" if self.given in ("O", "no answer") else self.given
            proposed = "nothing" if self.proposed in ("O", "no answer") else self.proposed
        else:
            given, proposed = self.given, self.proposed
        words = " ".join(text[self.start : self.end].split())
        where = f"“{words[:60]}” is" if words and words != proposed else "The answer is"
        return f"{where} {given} here; a model says {proposed} ({self.probability:.0%} sure)"


@dataclass(frozen=True, slots=True)
class SuspectExample:
    """An example with its label and what is doubted of it, the most doubtful examples first."""

    example: Example
    payload: Payload
    quality: float
    seen: bool
    doubts: tuple[Doubt, ...]

    @property
    def labels(self) -> set[str]:
        """Labels that are given or proposed where something is doubted."""
        return {name for doubt in self.doubts for name in (doubt.given, doubt.proposed)}

    @property
    def sentence(self) -> str:
        """What is doubted, for an annotator."""
        said = [doubt.sentence(self.example.content.text) for doubt in self.doubts]
        return "; ".join(said[:3]) + (f"; and {len(said) - 3} more" if len(said) > 3 else "") + "."


@dataclass(frozen=True, slots=True)
class Suspects:
    """What the newest search found and nobody has looked at since.

    Attributes:
        run: The search.
        found: How many examples it suspected.
        rows: Those left, the most doubtful first; what a model had learned from comes last.
    """

    run: Run
    found: int
    rows: tuple[Suspect, ...]

    @property
    def examined(self) -> int:
        """Labeled examples that were judged."""
        return int(self.run.result.get("examples") or 0)

    @property
    def how(self) -> str:
        """Who judged, and what that is worth."""
        folds = self.run.parameters.get("folds")
        if folds:
            return (
                f"Judged out of fold: {folds} models, each on what it had not learned from (cross-validation by whole "
                "documents)."
            )
        seen = sum(row.seen for row in self.rows)
        said = f"Judged by version {self.run.parameters['model_version']}, which had not learned from these labels"
        if not seen:
            return f"{said}."
        return (
            f"{said}, except for {seen:,} that are marked: a model that learned a wrong label tends to repeat it, so "
            "more of those are wrong than are found."
        )

    @property
    def warning(self) -> str | None:
        """What to say where more is suspected than can be wrong, or None."""
        if not self.examined or self.found <= MANY * self.examined:
            return None
        return (
            f"{self.found / self.examined:.0%} of the examined examples are suspected: the models that judged are "
            "weak, and most of these labels will be right. Look at the first ones only, or let a better model judge."
        )

    def labels(self) -> list[str]:
        """Labels that are given or proposed in any doubt, the most frequent first."""
        counts: Counter[str] = Counter()
        for row in self.rows:
            counts.update({name for item in row.details["items"] for name in _names(item)})
        return [name for name, _ in counts.most_common()]

    def with_label(self, label: str | None) -> Suspects:
        """Those in which a label is given or proposed where something is doubted; all for None."""
        if label is None:
            return self
        rows = [row for row in self.rows if any(label in _names(item) for item in row.details["items"])]
        return replace(self, rows=tuple(rows))


class SuspectService:
    """Search, list, correct."""

    def __init__(
        self, store: Store, settings: Settings, runs: RunService, corrections: CorrectionService
    ) -> None:
        self._store = store
        self._settings = settings
        self._runs = runs
        self._corrections = corrections

    def launch(
        self,
        project: Project,
        *,
        folds: int = FOLDS,
        model_version: int | None = None,
        splits: Sequence[Split | str] = tuple(Split),
        parameters: TrainParameters | None = None,
        user_id: int | None = None,
    ) -> Run:
        """Queue a search over the labeled examples of some splits.

        Args:
            project: The project.
            folds: How many parts the examples are cut into, by whole documents; as many models are trained, each on all
                but one part, which it then judges.
            model_version: Number of a version that judges all of them instead, at no training: right for what it has
                not learned from, such as the test split. What it has learned from is marked so.
            splits: Whose labels are judged; all of these examples are learned from too.
            parameters: Of the trainings.
            user_id: Who asks.

        Raises:
            NotFound: There is no such version.
            ModelUnavailable: Its files are gone, or there is no such base model.
            InvalidInput: Too few examples are labeled, a number is out of range, or the label set has changed since the
                version was trained.
        """
        chosen = self._parameters(parameters)
        check_context(project, chosen)
        wanted = tuple(dict.fromkeys(as_split(split) for split in splits))
        with self._store.read() as tx:
            rows = list(tx.models.gold_rows(project.id, wanted))
            version = tx.models.by_number(project.id, model_version) if model_version is not None else None
            if version is not None and version_map(tx, project, version) is not None:
                raise InvalidInput(
                    f"the label set has changed since version {version.number} was trained",
                    remedy="take a newer version, or cross-validation (--folds)",
                )
            learned = set()
            if version is not None:
                learned = tx.evidence.in_snapshot(version.snapshot_id, [row.example_id for row in rows])
        self._check(project, rows, folds, cross_validated=version is None)
        of_fold = folds_of(rows, folds) if version is None else {}
        by_id = {row.example_id: row for row in rows}

        def more(row: SnapshotRow) -> dict[str, Any]:
            found = by_id[row.example_id]
            return {
                "annotation": found.annotation_id,
                "fold": of_fold.get(found.example_id, 0),
                "seen": found.example_id in learned,
            }

        def prepare(folder: Path) -> dict[str, Any]:
            context = chosen.context if version is None else version.context
            labeled = in_context(self._store, self._rows(project, rows), context)
            counts = write_examples(folder / "examples.jsonl", labeled, more)
            judge = f"{folds} models" if version is None else f"version {version.number}"
            return {
                "labels": list(used_labels(project, rows) if version is None else version.labels),
                "parameters": asdict(chosen),
                "folds": folds if version is None else None,
                "model_dir": str(artifact_folder(self._settings, version)) if version else None,
                "resume_from": None,
                "notes": [f"Judging the labels of {sum(counts.values())} examples by {judge}."],
            }

        kept = {
            **asdict(chosen),
            "folds": folds if version is None else None,
            "model_version": model_version,
            "splits": [str(split) for split in wanted],
        }
        return self._runs.launch(project, RunKind.SUSPECTS, kept, prepare, user_id=user_id)

    def newest(self, project: Project) -> Suspects:
        """What the newest search that ended found and nobody has looked at since.

        Raises:
            NotFound: There was none.
        """
        run = next(
            (
                each
                for each in self._runs.list(project)
                if each.kind is RunKind.SUSPECTS and each.state is RunState.SUCCEEDED
            ),
            None,
        )
        if run is None:
            raise NotFound(
                f"nobody has looked for label errors in {project.name} yet",
                remedy=f"look for them: workbench suspects {project.name} --find",
            )
        with self._store.read() as tx:
            return Suspects(run, int(run.result.get("suspected") or 0), tuple(tx.evidence.suspects(run.id)))

    def shown(self, project: Project, rows: Sequence[Suspect]) -> tuple[SuspectExample, ...]:
        """Suspects with their texts and labels, in their order; a question as the label words it."""
        ids = [row.example_id for row in rows]
        with self._store.read() as tx:
            examples = {one.id: one for one in tx.examples.by_ids(ids) if one.project_id == project.id}
            gold = {key: found[0].payload for key, found in tx.annotations.gold_of(ids).items()}
        found = []
        for row in rows:
            payload = gold.get(row.example_id)
            if payload is not None and row.example_id in examples:
                doubts = tuple(Doubt(**item) for item in row.details["items"])
                example = examples[row.example_id]
                asked = replace(example, content=as_asked(example.content, payload))
                found.append(SuspectExample(asked, payload, row.quality, row.seen, doubts))
        return tuple(found)

    def correct(self, project: Project, rows: Sequence[Suspect], user_id: int | None = None) -> Correction:
        """A correction batch of suspects, each with what is doubted of it.

        Raises:
            InvalidInput: There are none, or too many.
            WrongState: All of them wait in a batch already.
        """
        if not rows:
            raise WrongState(
                "no suspected label is left to look at", remedy="look for more, or take the filter away"
            )
        chosen = list(rows[:MOST])
        whys = {each.example.id: each.sentence for each in self.shown(project, chosen)}
        return self._corrections.create(
            project,
            [row.example_id for row in chosen],
            "suspected label error",
            whys=whys,
            user_id=user_id,
        )

    def _parameters(self, parameters: TrainParameters | None) -> TrainParameters:
        chosen = parameters or TrainParameters()
        check_parameters(chosen)
        chosen = replace(chosen, base_model=check_base_model(chosen.base_model), from_version=None)
        if chosen.device == "auto" and self._settings.device != "auto":
            chosen = replace(chosen, device=self._settings.device)
        return chosen

    @staticmethod
    def _check(project: Project, rows: Sequence[GoldRow], folds: int, *, cross_validated: bool) -> None:
        fewest = FEWEST if cross_validated else 1
        if len(rows) < fewest:
            raise InvalidInput(
                f"{len(rows)} labeled examples are too few to find errors among",
                remedy=f"label {fewest} or more",
            )
        if cross_validated and not 2 <= folds <= MOST_FOLDS:
            raise InvalidInput(f"{folds} can't be the number of folds", remedy=f"give 2 to {MOST_FOLDS}")
        if get_task(project.task).model_labels(("X",)) and not project.label_names:
            raise InvalidInput(f"{project.name} has no labels", remedy="add labels to the project")

    def _rows(self, project: Project, rows: Sequence[GoldRow]) -> Iterator[SnapshotRow]:
        """The labeled examples that a model can read."""
        answers = isinstance(get_task(project.task), AnswerTask)
        for chunk in chunks(rows, 2_000):
            with self._store.read() as tx:
                found = {each.id: each for each in tx.examples.by_ids([row.example_id for row in chunk])}
            for row in chunk:
                example = found.get(row.example_id)
                if example is not None and (answers or example.content.tokens):
                    document = str(row.document_id)
                    yield SnapshotRow(
                        example.id, example.position, row.split, document, example.content, row.payload
                    )


def folds_of(rows: Sequence[GoldRow], folds: int) -> dict[int, int]:
    """A fold for each example, whole documents together, as even as documents allow; always the same.

    Where there are fewer documents than folds, examples are dealt out singly.

    Returns:
        By example id a number from 0.
    """
    groups: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        groups[row.document_id].append(row.example_id)
    parts = list(groups.values())
    if len(parts) < folds:
        parts = [[row.example_id] for row in rows]
    random.Random(SEED).shuffle(parts)
    parts.sort(key=len, reverse=True)
    sizes = [0] * folds
    fold_of: dict[int, int] = {}
    for part in parts:
        smallest = sizes.index(min(sizes))
        sizes[smallest] += len(part)
        fold_of.update(dict.fromkeys(part, smallest))
    return fold_of


def _names(item: Json) -> set[str]:
    return {str(item["given"]), str(item["proposed"])}


@FINISHERS.register("suspects")
def finish_suspects(
    store: Store, settings: Settings, run: Run, attempt: Path, result: Mapping[str, Any]
) -> dict[str, Any]:
    """Keep what was found. Called again for the same run, it changes nothing."""
    lines = (attempt / FOUND).read_text(encoding="utf-8").split("\n")
    found = [json.loads(line) for line in lines if line.strip()]
    rows = [
        Suspect(each["id"], each["annotation"], each["quality"], each["seen"], {"items": each["items"]})
        for each in found
    ]
    with store.write() as tx:
        tx.evidence.put_suspects(run.project_id, run.id, rows)
    kept = ("device", "seconds", "examples", "tokens", "suspected", "thresholds")
    return {"run": run.id, **{name: result[name] for name in kept}}
