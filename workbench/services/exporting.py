"""Model versions as folders that ``transformers`` loads, checked before they are called exported."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import __version__
from workbench.config import Settings
from workbench.domain import (
    Evaluation,
    ExampleText,
    ModelVersion,
    Payload,
    Prediction,
    Project,
    Split,
    is_partial,
)
from workbench.errors import InvalidInput, ModelUnavailable, RunFailed, WorkbenchError
from workbench.jobs.artifacts import hash_folder
from workbench.services.alonecheck import check_alone
from workbench.services.hubpush import Pushed, push_export
from workbench.services.isolated import json_lines, run_module, run_outside
from workbench.services.modelcard import CardFacts, model_card
from workbench.services.modelfolder import beside, files_of, put, recover, refuse_target, write_sums
from workbench.services.models import ModelService, refuse_pruned
from workbench.services.onnxcheck import check_onnx
from workbench.services.prediction import example_for, folder_task, plain
from workbench.services.runs import RunService
from workbench.services.standing import StandingModel
from workbench.storage.store import Store
from workbench.tasks import get_task

CHECKED = {"qa": 200}
CHECKED_OTHERS = 1_000
"""Most examples that an export is compared on, the first of the test split."""

STORED_AGREEMENT = 0.95
"""Least share of the stored predictions (of another device, perhaps) that an export must repeat."""


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """An export that is there, and holds.

    Attributes:
        folder: Where.
        version: Number of the model version.
        files: Name and size in bytes of each.
        verification: What ``verify_export`` returns, ``stored``, ``alone`` (see ``check_alone``; None without context)
            and ``onnx`` (see ``check_onnx``; None without ONNX).
        seconds: How long it took.
    """

    folder: Path
    version: int
    files: tuple[tuple[str, int], ...]
    verification: Mapping[str, Any]
    seconds: float

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for _, size in self.files)


class ExportService:
    """Export model versions, and use what was exported."""

    def __init__(self, store: Store, settings: Settings, runs: RunService) -> None:
        self._store = store
        self._settings = settings
        self._runs = runs
        self._models = ModelService(store, settings)

    def export_model(
        self,
        project: Project,
        version: int | str,
        out: Path,
        *,
        force: bool = False,
        onnx: bool = False,
        user_id: int | None = None,
        on_step: Callable[[str], None] = lambda _: None,
    ) -> ExportedModel:
        """Write a version's folder, and prove it before it is there.

        The folder is made beside ``out``, loaded in a fresh process without the workbench, its predictions compared
        with the workbench's own, and then renamed.

        Args:
            project: The project.
            version: A number, ``best`` or ``latest``.
            out: The folder to make.
            force: Replace the folder where it holds a model.
            onnx: Export to ONNX too, in fp32 and int8.
            user_id: Who asks.
            on_step: Told what is being done.

        Raises:
            NotFound: There is no such version.
            AlreadyExists: The folder exists and ``force`` is off.
            InvalidInput: ``force`` is on but what is there is no model, or there is nothing to check the export on.
            ModelUnavailable: The version's files are pruned, gone, damaged, or can't be loaded.
            RunFailed: The export predicts something else than the version.
        """
        begin = time.monotonic()
        found = self._models.resolve(project, version)
        out = out.absolute()
        recover(out)
        refuse_target(out, force)
        source = self._models.artifact_path(found)
        if hash_folder(source) != found.artifact_sha256:
            raise ModelUnavailable(
                f"the files of version {found.number} are not those that were trained ({source})",
                remedy="restore them from a backup, or train a new version",
            )
        with self._unpruned(found), beside(out) as part:
            verification = self._make(project, found, source, part, onnx, on_step)
            self._describe(project, found, part, verification)
            write_sums(part)
            put(part, out, force)
        with self._store.write() as tx:
            tx.users.audit(
                user_id, "export", f"model version {found.number}", {"folder": str(out)}, project.id
            )
        files = tuple((path.relative_to(out).as_posix(), path.stat().st_size) for path in files_of(out))
        return ExportedModel(out, found.number, files, verification, time.monotonic() - begin)

    @contextmanager
    def _unpruned(self, version: ModelVersion) -> Iterator[None]:
        """Where reading the files fails because they were pruned meanwhile, say that."""
        try:
            yield
        except (WorkbenchError, OSError):
            with self._store.read() as tx:
                refuse_pruned(tx.models.by_id(version.id))
            raise

    def _make(
        self,
        project: Project,
        version: ModelVersion,
        source: Path,
        part: Path,
        onnx: bool,
        on_step: Callable[[str], None],
    ) -> dict[str, Any]:
        """Write the model's own files into ``part`` and say what loading them elsewhere has shown."""
        with tempfile.TemporaryDirectory(prefix="workbench-export-") as job_dir:
            job = Path(job_dir)
            gold, count = self._write_examples(project, version, job / "examples.jsonl")
            work = {"model_dir": str(source), "out": str(part), "onnx": onnx}
            (job / "job.json").write_text(json.dumps(work))
            more = ", exporting it to ONNX" if onnx else ""
            on_step(f"Copying version {version.number}{more} and asking it about {count} examples")
            run_module("export", [str(job)])
            on_step("Loading the folder in a fresh process, without the workbench")
            verification = self._verify(version, part, job / "expected.jsonl")
            verification["alone"] = check_alone(project, json_lines(job / "expected.jsonl"), gold)
            verification["onnx"] = None
            if onnx:
                on_step("Running the ONNX models in a fresh process, without torch")
                verification["onnx"] = check_onnx(project, part, job, gold, verification["seconds"])
            return verification

    def stand(self, folder: Path) -> StandingModel:
        """A model folder, loaded in a process of its own until it is closed. Raises ModelUnavailable."""
        return StandingModel(folder, self._settings.device)

    def predict(self, folder: Path, text: str, question: str | None = None) -> dict[str, Any]:
        """What an exported folder says of one text, as plain values. Raises ModelUnavailable, InvalidInput."""
        example = example_for(folder_task(folder), text, question)
        return plain(example, self.predict_one(folder, example))

    def predict_one(self, folder: Path, example: ExampleText) -> Prediction:
        """What a model folder says of one example. Raises ModelUnavailable, InvalidInput."""
        with closing(self.stand(folder)) as model:
            return model.predict([example])[0]

    def push(
        self,
        project: Project,
        version: ModelVersion,
        folder: Path,
        repository: str,
        *,
        public: bool = False,
        token: str | None = None,
        user_id: int | None = None,
    ) -> Pushed:
        """Put an export of a version on the hub, and write down who did; see ``hubpush.push_export``."""
        done = push_export(folder, repository, public=public, token=token)
        with self._store.write() as tx:
            told = {"repository": repository, "commit": done.commit}
            tx.users.audit(user_id, "push", f"model version {version.number}", told, project.id)
        return done

    def _write_examples(
        self, project: Project, version: ModelVersion, path: Path
    ) -> tuple[dict[int, Payload], int]:
        """Write the examples to compare on, of the first split that has any, labeled or not.

        Returns:
            The gold labels of those that have some, by the example's id, and how many examples there are.
        """
        for split in (Split.TEST, Split.VALIDATION, Split.TRAIN, Split.POOL):
            with self._store.read() as tx:
                examples, _ = tx.examples.page(
                    project.id, split=split, limit=CHECKED.get(project.task, CHECKED_OTHERS)
                )
            if examples:
                break
        else:
            raise InvalidInput(
                f"{project.name} has no example to check an export on", remedy="import some data first"
            )
        ids = [example.id for example in examples]
        gold = self._gold(ids)
        contexts: dict[int, tuple[str, str]] = {}
        if version.context:
            with self._store.read() as tx:
                contexts = tx.examples.contexts(ids, version.context)
        task = get_task(project.task)
        with path.open("w", encoding="utf-8") as file:
            for example in examples:
                before, after = contexts.get(example.id, ("", ""))
                line = {
                    "id": example.id,
                    "text": example.content.text,
                    "tokens": example.content.tokens,
                    "question": example.content.question,
                    "payload": task.dump(gold[example.id]) if example.id in gold else None,
                    "before": before,
                    "after": after,
                }
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        return gold, len(examples)

    def _gold(self, ids: Sequence[int]) -> dict[int, Payload]:
        """Gold labels of examples, where they have some that something can be measured on."""
        with self._store.read() as tx:
            found = tx.annotations.gold_of(ids)
        return {
            key: annotation.payload
            for key, (annotation, _) in found.items()
            if annotation.payload is not None and not is_partial(annotation.payload)
        }

    def _verify(self, version: ModelVersion, folder: Path, expected: Path) -> dict[str, Any]:
        verification: dict[str, Any] = json.loads(
            run_outside("verify_export", [str(folder), str(expected)]).splitlines()[-1]
        )
        if verification["different"]:
            first = verification["differences"][0]
            raise RunFailed(
                f"the exported folder predicts something else than version {version.number} in "
                f"{verification['different']} of {verification['examples']} examples, first in {first['example']}",
                remedy="nothing was exported; run `workbench doctor`",
            )
        rows = json_lines(expected)
        with self._store.read() as tx:
            stored = tx.models.predictions(version.id, [row["id"] for row in rows])
        now = {row["id"]: row.get("in_context", row["payload"]) for row in rows}
        pairs = [(now[row["id"]], stored[row["id"]]["payload"]) for row in rows if row["id"] in stored]
        same = sum(again == then for again, then in pairs)
        if pairs and same < STORED_AGREEMENT * len(pairs):
            raise RunFailed(
                f"version {version.number} predicts something else now than when it was evaluated: "
                f"{same} of {len(pairs)} stored predictions are repeated",
                remedy="nothing was exported; evaluate the version again",
            )
        made_with = {"annotation-workbench": __version__, **verification["versions"]}
        return {**verification, "versions": made_with, "stored": {"compared": len(pairs), "same": same}}

    def _describe(
        self, project: Project, version: ModelVersion, folder: Path, verification: Mapping[str, Any]
    ) -> None:
        """Write the card and the evaluation."""
        info = json.loads((folder / "workbench.json").read_text(encoding="utf-8"))
        evaluations = _newest(self._models.evaluations(project), version)
        snapshot = self._models.snapshot(version)
        facts = CardFacts(project, version, snapshot, evaluations, info, verification)
        (folder / "README.md").write_text(model_card(facts), encoding="utf-8")
        document = {
            "project": project.name,
            "task": project.task,
            "model_version": version.number,
            "base_model": version.base_model,
            "labels": version.labels,
            "snapshot": {"hash": snapshot.content_hash, "counts": dict(snapshot.counts)},
            "parameters": dict(version.parameters),
            "validation": dict(version.metrics.get("validation", {})),
            "evaluations": [
                {
                    "split": str(evaluation.split),
                    "examples": evaluation.examples,
                    "data_hash": evaluation.data_hash,
                    "metrics": dict(evaluation.metrics),
                }
                for evaluation in evaluations
            ],
            "verification": dict(verification),
        }
        text = json.dumps(document, ensure_ascii=False, indent=1)
        (folder / "evaluation.json").write_text(text + "\n", encoding="utf-8")


def _newest(evaluations: Sequence[Evaluation], version: ModelVersion) -> list[Evaluation]:
    """The newest evaluation of each split, test first."""
    newest = {found.split: found for found in evaluations if found.model_version == version.number}
    return [
        newest[split] for split in (Split.TEST, Split.VALIDATION, Split.TRAIN, Split.POOL) if split in newest
    ]
