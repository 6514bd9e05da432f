"""Suspects runs: labels that are probably wrong, by models that did not learn from them.

With ``folds``, each example is judged by a model that was trained on the other folds (cross-validation); without, by
one model version. What a fold says is kept when it is whole, so that a run that was killed goes on behind it. Rules:
``evidence.confident`` for tokens, ``evidence.answers`` for questions.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import InvalidInput
from workbench.modeling.artifact import load_model
from workbench.modeling.device import choose_device
from workbench.modeling.doubts import Said, doubted_apart, joined, judge_of
from workbench.modeling.inputs import Row, chunked, read_rows, train_parameters
from workbench.modeling.predict import Predictor
from workbench.modeling.takeover import take_over
from workbench.modeling.trials import fingerprint, taught
from workbench.reporting import Reporter
from workbench.tasks import AnswerTask, Task, get_task

FOUND = "suspects.jsonl"
"""What a run leaves: a line for each suspected example."""


def find_suspects(attempt: Path, manifest: Mapping[str, Any], reporter: Reporter) -> dict[str, Any]:
    """Judge every example of a run by a model that did not learn from it, and write ``suspects.jsonl``.

    Args:
        attempt: The run's folder, with ``examples.jsonl``, all labeled; each line has ``fold`` (from 0), ``annotation``
            and ``seen`` (whether the version in ``model_dir`` learned from it).
        manifest: ``task``, ``labels``, ``parameters`` (of the trainings), ``folds`` or else ``model_dir``, and
            ``resume_from``, as ``take_over`` reads it.
        reporter: Hears of progress, in examples.

    Returns:
        ``device``, ``seconds``, ``examples``, ``tokens`` (0 for questions), ``suspected``, and ``thresholds``: how sure
        a model had to be of a label for it to count, by label, of what it had not learned from.

    Raises:
        InvalidInput: There is nothing to judge.
        Cancelled: The run was told to stop; whole folds stay.
        Anything that training raises.
    """
    begin = time.monotonic()
    search = _Search(attempt, manifest, reporter)
    said = search.said()
    part = attempt / f"{FOUND}.part"
    suspected = 0
    limits: dict[str, float] = {}
    with part.open("w", encoding="utf-8") as file:
        for seen, doubted, thresholds in doubted_apart(
            search.judge, search.rows, said, search.seen, search.sizes
        ):
            limits = limits or thresholds
            for each in doubted:
                line = {
                    "id": search.rows[each.place].id,
                    "annotation": search.annotations[each.place],
                    "seen": seen,
                    "quality": each.quality,
                    "items": each.items,
                }
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                suspected += 1
    part.replace(attempt / FOUND)
    reporter.log(f"{suspected} of {len(search.rows)} examples have a label that is probably wrong.")
    return {
        "device": choose_device(search.parameters.device).name,
        "seconds": time.monotonic() - begin,
        "examples": len(search.rows),
        "tokens": sum(len(row.content.tokens) for row in search.rows),
        "suspected": suspected,
        "thresholds": limits,
    }


class _Search:
    """The data of a run, and what models say of its folds."""

    def __init__(self, attempt: Path, manifest: Mapping[str, Any], reporter: Reporter) -> None:
        self._attempt = attempt
        self._manifest = manifest
        self._reporter = reporter
        self._kept = take_over(attempt, manifest)
        self._kept.mkdir(parents=True, exist_ok=True)
        self._mark = fingerprint(attempt, manifest, ("folds", "model_dir"))[:16]
        self.task: Task = get_task(str(manifest["task"]))
        self.judge = judge_of(self.task, tuple(manifest["labels"]))
        self.parameters = train_parameters(manifest)
        self.rows: list[Row] = list(read_rows(attempt / "examples.jsonl", self.task))
        if not self.rows:
            raise InvalidInput("there is no labeled example", remedy="label some examples first")
        lines = (attempt / "examples.jsonl").read_text(encoding="utf-8").split("\n")
        self._raw: list[dict[str, Any]] = [json.loads(line) for line in lines if line.strip()]
        self.seen = [bool(line.get("seen")) for line in self._raw]
        self.annotations = [int(line["annotation"]) for line in self._raw]
        answers = isinstance(self.task, AnswerTask)
        self.sizes = [1 if answers else len(row.content.tokens) for row in self.rows]
        self._folds = int(manifest.get("folds") or 0)
        self._done = 0
        self._begin = time.monotonic()

    def said(self) -> Said:
        """What was said of every example, in their order."""
        of = [int(line.get("fold") or 0) if self._folds else 0 for line in self._raw]
        places = [[at for at, own in enumerate(of) if own == fold] for fold in range(max(1, self._folds))]
        asked = [(fold, inside) for fold, inside in enumerate(places) if inside]
        parts = [self._fold(fold, inside) for fold, inside in asked]
        together = joined(parts)
        # Folds come one after another: each example's stretch goes back to where the example stands.
        owner = np.concatenate([np.repeat(inside, np.take(self.sizes, inside)) for _, inside in asked])
        order = np.argsort(owner, kind="stable")
        return {name: values[order] for name, values in together.items()}

    def _fold(self, fold: int, inside: Sequence[int]) -> Said:
        path = self._kept / f"{self._mark}.{fold}.npz"
        found: Said
        if path.is_file():
            self._reporter.log(f"Fold {fold + 1} is there from before.")
            with np.load(path) as stored:
                found = {name: stored[name] for name in stored.files}
        else:
            found = self._judged(fold, inside)
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                np.savez(file, allow_pickle=False, **found)
            part.replace(path)
        self._done += len(inside)
        self._progress()
        return found

    def _judged(self, fold: int, inside: Sequence[int]) -> dict[str, NDArray[Any]]:
        """What a model that has not learned from some examples says of them."""
        begin = time.monotonic()
        self._progress()
        work = self._attempt / "work"
        if self._folds:
            left_out = set(inside)
            others = [line for at, line in enumerate(self._raw) if at not in left_out]
            if not others:
                raise InvalidInput(
                    "one fold holds every example", remedy="label more, in more than one document"
                )
            predictor = taught(work, others, self._manifest, self.parameters, self._reporter)
            told = (
                f"Fold {fold + 1} of {self._folds}: learned from {len(others)} examples, judged {len(inside)}"
            )
        else:
            model = load_model(Path(self._manifest["model_dir"]))
            predictor = Predictor(model, choose_device(self.parameters.device))
            told = f"Judged {len(inside)} examples"
        parts: list[Said] = []
        before = self._done
        for chunk in chunked(iter([self.rows[at] for at in inside]), self.judge.chunk):
            self._reporter.check()
            parts.append(self.judge.ask(predictor, chunk))
            self._done += len(chunk)
            self._progress()
        self._done = before
        shutil.rmtree(work, ignore_errors=True)
        self._reporter.log(f"{told} ({time.monotonic() - begin:.0f} s).")
        return joined(parts)

    def _progress(self) -> None:
        spent = time.monotonic() - self._begin
        left = spent / self._done * (len(self.rows) - self._done) if self._done else None
        self._reporter.progress(self._done, len(self.rows), phase="judging labels", seconds_left=left)
