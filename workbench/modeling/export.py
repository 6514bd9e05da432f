"""Make the folder of an export from a model's: ``python -m workbench.modeling.export JOB``.

JOB is a folder with ``job.json`` (``model_dir``, ``out``, ``onnx``) and ``examples.jsonl``. Written are the folder
``out`` and ``expected.jsonl``: what the workbench predicts for the examples, for ``verify_export`` to compare with what
a fresh process without the workbench gets out of ``out``.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.domain import Answers, Payload, Prediction, Spans
from workbench.errors import WorkbenchError
from workbench.formats import tokenizer
from workbench.modeling import (
    answer_windows,
    question_answering_pipeline,
    tag_windows,
    word_classification_pipeline,
)
from workbench.modeling.artifact import INFO, ModelInfo, answers_questions, read_info, write_json
from workbench.modeling.inputs import Row, chunked, read_rows
from workbench.modeling.predict import Predictor, load_predictor
from workbench.tasks import dump_prediction, get_task
from workbench.tasks.ner import NerTask

KEPT = (".json", ".jinja", ".model", ".safetensors", ".txt")
"""Endings of the files that an export takes over: no pickle leaves the workbench."""

QUESTION_FILES = {"question_answering.py": question_answering_pipeline, "answer_windows.py": answer_windows}
WORD_FILES = {
    "word_classification.py": word_classification_pipeline,
    "tag_windows.py": tag_windows,
    "words.py": tokenizer,
}
"""The code that an export brings: its own pipeline first, which transformers loads where it is trusted."""

CLOSE = 1e-3
"""Two probabilities this close may change places with the length of the padding: such a choice is not compared."""

CHUNK = 64


def export(model_dir: Path, out: Path) -> ModelInfo:
    """Copy a trained model into a new folder that plain transformers loads.

    Raises:
        ModelUnavailable: The model's folder is not whole.
    """
    info = read_info(model_dir)
    out.mkdir(parents=True)
    for path in sorted(model_dir.iterdir()):
        if path.is_file() and path.suffix in KEPT:
            shutil.copyfile(path, out / path.name)
    _edit(out / "tokenizer_config.json", {"model_max_length": info.max_length})
    code = QUESTION_FILES if answers_questions(get_task(info.task)) else WORD_FILES
    for name, module in code.items():
        shutil.copyfile(str(module.__file__), out / name)
    _edit(out / "config.json", pipeline_settings(info))
    return info


def pipeline_settings(info: ModelInfo) -> dict[str, Any]:
    """What ``config.json`` says of the pipeline that an export brings."""
    asks = answers_questions(get_task(info.task))
    if asks:
        task, model = "question-answering", "AutoModelForQuestionAnswering"
        pipeline = question_answering_pipeline.QuestionAnsweringPipeline
        settings = {
            "workbench_question_answering": {key: getattr(info, key) for key in answer_windows.DEFAULTS}
        }
    else:
        task, model = "word-classification", "AutoModelForTokenClassification"
        pipeline = word_classification_pipeline.WordClassificationPipeline
        joins = isinstance(get_task(info.task), NerTask)
        values = {key: getattr(info, key) for key in tag_windows.DEFAULTS if key != "joins"}
        settings = {"workbench_words": {**values, "joins": joins}}
    file = next(iter(QUESTION_FILES if asks else WORD_FILES))
    impl = f"{Path(file).stem}.{pipeline.__name__}"
    return {"custom_pipelines": {task: {"impl": impl, "pt": [model]}}, **settings}


def _edit(path: Path, values: Mapping[str, Any]) -> None:
    data = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    write_json(path, {**data, **values})


def expected(predictor: Predictor, rows: list[Row]) -> Iterator[dict[str, Any]]:
    """What the workbench predicts of single texts, with what a plain process can be asked for beside it.

    A model that was trained with context predicts each text ``in_context`` too, as the workbench uses it.
    """
    if answers_questions(predictor.model.task):
        found = predictor.answer([row.content for row in rows]).predictions
        for row, prediction in zip(rows, found, strict=True):
            yield {**_common(predictor, row, prediction), **_answer(prediction)}
        return
    tagged = predictor.tag([replace(row.content, before="", after="") for row in rows])
    in_context = _in_context(predictor, rows)
    for index, (row, prediction) in enumerate(zip(rows, tagged.predictions, strict=True)):
        probabilities = tagged.probabilities[tagged.offsets[index] : tagged.offsets[index + 1]]
        yield {
            **_common(predictor, row, prediction),
            "tokens": row.content.tokens,
            "words": row.content.words,
            "classes": _classes(probabilities, predictor.model.info.classes),
            "entities": _entities(prediction.payload),
            "gold": _entities(row.payload),
            **({"in_context": in_context[index]} if in_context else {}),
        }


def _in_context(predictor: Predictor, rows: list[Row]) -> list[Any]:
    """The labels that the workbench gives where it reads what stands around each text; none for a model without."""
    if not predictor.context:
        return []
    found = predictor.tag([row.content for row in rows]).predictions
    return [dump_prediction(predictor.model.task, prediction)["payload"] for prediction in found]


def _entities(payload: Payload | None) -> list[list[Any]] | None:
    """Start, end and label of each; None where there are no spans to compare."""
    if not isinstance(payload, Spans):
        return None
    return [[span.start, span.end, span.label] for span in payload.spans]


def _common(predictor: Predictor, row: Row, prediction: Prediction) -> dict[str, Any]:
    payload = dump_prediction(predictor.model.task, prediction)["payload"]
    return {"id": row.id, "text": row.content.text, "question": row.content.question, "payload": payload}


def _classes(probabilities: np.ndarray[Any, Any], classes: tuple[str, ...]) -> list[str | None]:
    """The winning class of each token; None where the second is as good."""
    if not len(probabilities):
        return []
    two = np.sort(probabilities, axis=-1)[:, -2:]
    clear = two[:, -1] - two[:, 0] > CLOSE if probabilities.shape[1] > 1 else np.ones(len(two), dtype=bool)
    return [
        classes[best] if sure else None
        for best, sure in zip(probabilities.argmax(-1).tolist(), clear.tolist(), strict=True)
    ]


def _answer(prediction: Prediction) -> dict[str, Any]:
    assert isinstance(prediction.payload, Answers)
    given = prediction.payload.answers
    chances = sorted((entry[2] for entry in prediction.alternatives), reverse=True)
    close = len(chances) > 1 and chances[0] - chances[1] < CLOSE
    return {"answer": [given[0].start, given[0].end] if given else [0, 0], "clear": not close}


def main(arguments: list[str]) -> int:
    """Do the job in the folder given; the error that a person can mend goes to stderr in one line."""
    job = Path(arguments[0])
    work = json.loads((job / "job.json").read_text(encoding="utf-8"))
    try:
        info = export(Path(work["model_dir"]), Path(work["out"]))
        predictor = load_predictor(Path(work["out"]), "cpu")
        if work.get("onnx"):
            from workbench.modeling.onnx_export import export_onnx

            export_onnx(predictor.model, Path(work["out"]))
        rows = read_rows(job / "examples.jsonl", get_task(info.task))
        with (job / "expected.jsonl").open("w", encoding="utf-8") as file:
            for chunk in chunked(rows, CHUNK):
                for line in expected(predictor, chunk):
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
    except WorkbenchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))


__all__ = ["INFO", "expected", "export", "main"]
