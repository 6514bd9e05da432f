"""Load an exported folder with plain transformers and compare: ``python -I verify_export.py DIR EXPECTED``.

Run as a file, in isolated mode, so that nothing of the workbench is needed or used; it even can't be imported here.
One JSON document on stdout says what was compared and what differed.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

WORDS_SHOWN = 5
"""Differences that are reported in full."""

BATCH = 8
"""Texts that the pipeline reads at once."""


def main(folder: Path, expected: Path) -> dict[str, Any]:
    """Compare what ``folder`` predicts with the lines of ``expected``.

    Returns:
        ``examples`` compared, ``skipped`` (longer than a window), ``choices`` compared (tokens or answers),
        ``differences`` (the first few), ``different`` (how many), ``pipeline`` (share of the examples for which the
        plain pipeline gives the same entities or answers; None where it can't say), ``seconds`` (that the pipeline
        took), ``versions``.
    """
    import torch
    import transformers
    from transformers.utils import logging

    torch.set_num_threads(max(1, torch.get_num_threads() // 2))
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    info = json.loads((folder / "workbench.json").read_text(encoding="utf-8"))
    lines = [json.loads(line) for line in expected.read_text(encoding="utf-8").splitlines()]
    compare = _compare_answers if info["task"] == "qa" else _compare_tags
    versions = {
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    return {**compare(folder, lines, info), "versions": versions}


def _compare_tags(folder: Path, lines: list[dict[str, Any]], info: dict[str, Any]) -> dict[str, Any]:
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    model = AutoModelForTokenClassification.from_pretrained(
        str(folder), local_files_only=True, use_safetensors=True, dtype=torch.float32
    ).eval()
    names = model.config.id2label
    if (
        list(names.values()) != list(info["classes"])
        or {v: k for k, v in names.items()} != model.config.label2id
    ):
        raise ValueError("the labels in config.json are not those of the model")
    report = _Report()
    for line in lines:
        encoded = tokenizer([line["words"]], is_split_into_words=True, return_tensors="pt")
        if encoded["input_ids"].shape[1] > info["max_length"]:
            report.skipped += 1
            continue
        with torch.inference_mode():
            best = model(**encoded).logits[0].argmax(-1).tolist()
        found: dict[int, str] = {}
        for column, word in enumerate(encoded.word_ids()):
            if word is not None:
                found.setdefault(word, names[best[column]])
        report.examples += 1
        for index, wanted in enumerate(line["classes"]):
            if wanted is not None and index in found:
                report.compare(line["id"], line["words"][index], wanted, found[index])
    tag = pipeline(
        "token-classification",
        model=str(folder),
        aggregation_strategy="simple",
        stride=min(info["stride"], info["max_length"] // 2),
        device="cpu",
    )
    texts = [line for line in lines if line["text"].strip()]
    begin = time.monotonic()
    said = tag([line["text"] for line in texts], batch_size=BATCH)
    report.seconds = time.monotonic() - begin
    agreeing = [
        [[one["start"], one["end"], one["entity_group"]] for one in found] == line["entities"]
        for line, found in zip(texts, said, strict=True)
        if line["entities"] is not None
    ]
    return report.values(sum(agreeing) / len(agreeing) if agreeing else None)


def _compare_answers(folder: Path, lines: list[dict[str, Any]], info: dict[str, Any]) -> dict[str, Any]:
    from transformers import pipeline

    ask = pipeline("question-answering", model=str(folder), trust_remote_code=True, device="cpu")
    report = _Report()
    same = 0
    begin = time.monotonic()
    for line in lines:
        found = ask(question=line["question"], context=line["text"])
        if found["answer"] != line["text"][found["start"] : found["end"]]:
            raise ValueError("an answer does not stand where the pipeline says")
        report.examples += 1
        same += [found["start"], found["end"]] == line["answer"]
        if line["clear"]:
            report.compare(line["id"], line["question"], line["answer"], [found["start"], found["end"]])
    report.seconds = time.monotonic() - begin
    return report.values(same / len(lines) if lines else None)


class _Report:
    """Counts and the first differences."""

    def __init__(self) -> None:
        self.examples = self.skipped = self.choices = self.different = 0
        self.seconds = 0.0
        self.differences: list[dict[str, Any]] = []

    def compare(self, example: int, what: str, wanted: Any, found: Any) -> None:
        self.choices += 1
        if wanted != found:
            self.different += 1
            if len(self.differences) < WORDS_SHOWN:
                self.differences.append({"example": example, "what": what, "wanted": wanted, "found": found})

    def values(self, agreement: float | None) -> dict[str, Any]:
        return {**vars(self), "pipeline": agreement}


if __name__ == "__main__":
    sys.modules["workbench"] = None  # type: ignore[assignment]  # importing it fails from here on
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))) + "\n")
