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

DIFFERENCES_SHOWN = 5
"""Differences that are reported in full."""

BATCH = 8
"""Texts that a pipeline reads at once."""

PLAIN_STRATEGIES = ("simple", "first")
"""Ways of the token-classification pipeline of transformers that are measured."""

Lines = list[dict[str, Any]]


def main(folder: Path, expected: Path) -> dict[str, Any]:
    """Compare what ``folder`` predicts with the lines of ``expected``.

    The pipeline that the folder brings must give what is expected wherever the model is clear. That of transformers,
    which decides sub-word by sub-word, can't in general, so it is measured.

    Returns:
        ``examples`` compared, ``skipped`` (the best two choices are as good as each other), ``choices`` compared (words
        or answers), ``differences`` (the first few), ``different`` (how many), ``pipeline`` (share of all examples for
        which the folder's pipeline gives the same), ``plain`` (for entities: of each strategy of the pipeline of
        transformers ``same``, the share of texts, and ``f1``, None without gold labels; for others None), ``seconds``
        (that transformers took), ``versions``.
    """
    import torch
    import transformers
    from transformers.utils import logging

    torch.set_num_threads(max(1, torch.get_num_threads() // 2))
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    info = json.loads((folder / "workbench.json").read_text(encoding="utf-8"))
    # Not splitlines: U+2028 and its like may stand in a text as they are, and end no line there.
    lines = [json.loads(line) for line in expected.read_text(encoding="utf-8").split("\n") if line.strip()]
    compare = _compare_answers if info["task"] == "qa" else _compare_tags
    versions = {
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    return {**compare(folder, lines, info), "versions": versions}


def _compare_tags(folder: Path, lines: Lines, info: dict[str, Any]) -> dict[str, Any]:
    from transformers import pipeline

    find = pipeline("word-classification", model=str(folder), trust_remote_code=True, device="cpu")
    names = find.model.config.id2label
    if (
        list(names.values()) != list(info["classes"])
        or {v: k for k, v in names.items()} != find.model.config.label2id
    ):
        raise ValueError("the labels in config.json are not those of the model")
    report = _Report()
    same = 0
    begin = time.monotonic()
    said = find([{"text": line["text"], "words": line["tokens"]} for line in lines], batch_size=BATCH)
    report.seconds = time.monotonic() - begin
    for line, groups in zip(lines, said, strict=True):
        found = [[one["start"], one["end"], one["entity_group"]] for one in groups]
        wanted = line["entities"]
        if wanted is None:
            places = zip(line["tokens"], line["payload"]["tags"], strict=True)
            wanted = [[*place, tag] for place, tag in places]
        same += found == wanted
        if None in line["classes"]:
            report.skipped += 1
        else:
            report.compare(line["id"], line["text"], wanted, found, len(line["tokens"]))
    plain = None if info["task"] != "ner" else _plain(folder, lines, info)
    return report.values(same / len(lines) if lines else None, plain)


def _plain(folder: Path, lines: Lines, info: dict[str, Any]) -> dict[str, Any]:
    """What the pipeline of transformers makes of the same texts."""
    from transformers import pipeline

    texts = [line for line in lines if line["text"].strip()]
    found = {}
    for strategy in PLAIN_STRATEGIES:
        tag = pipeline(
            "token-classification",
            model=str(folder),
            aggregation_strategy=strategy,
            stride=min(info["stride"], info["max_length"] // 2),
            device="cpu",
        )
        said = [
            [[one["start"], one["end"], one["entity_group"]] for one in groups]
            for groups in tag([line["text"] for line in texts], batch_size=BATCH)
        ]
        same = sum(line["entities"] == groups for line, groups in zip(texts, said, strict=True))
        found[strategy] = {"same": same / len(texts) if texts else None, "f1": _f1(texts, said)}
    return found


def _f1(lines: Lines, said: list[list[list[Any]]]) -> float | None:
    """Micro F1 of entities over the labeled lines."""
    labeled = [
        (set(map(tuple, line["gold"])), set(map(tuple, groups)))
        for line, groups in zip(lines, said, strict=True)
        if line["gold"] is not None
    ]
    total = sum(len(gold) + len(found) for gold, found in labeled)
    return 2 * sum(len(gold & found) for gold, found in labeled) / total if total else None


def _compare_answers(folder: Path, lines: Lines, info: dict[str, Any]) -> dict[str, Any]:
    from transformers import pipeline

    ask = pipeline("question-answering", model=str(folder), trust_remote_code=True, device="cpu")
    report = _Report()
    same = 0
    begin = time.monotonic()
    for line in lines:
        found = ask(question=line["question"], context=line["text"])
        if found["answer"] != line["text"][found["start"] : found["end"]]:
            raise ValueError("an answer does not stand where the pipeline says")
        place = [found["start"], found["end"]]
        same += place == line["answer"]
        if line["clear"]:
            report.compare(line["id"], line["question"], line["answer"], place)
        else:
            report.skipped += 1
    report.seconds = time.monotonic() - begin
    return report.values(same / len(lines) if lines else None)


class _Report:
    """Counts and the first differences."""

    def __init__(self) -> None:
        self.examples = self.skipped = self.choices = self.different = 0
        self.seconds = 0.0
        self.differences: list[dict[str, Any]] = []

    def compare(self, example: int, what: str, wanted: Any, found: Any, choices: int = 1) -> None:
        self.examples += 1
        self.choices += choices
        if wanted != found:
            self.different += 1
            if len(self.differences) < DIFFERENCES_SHOWN:
                self.differences.append({"example": example, "what": what, "wanted": wanted, "found": found})

    def values(self, agreement: float | None, plain: dict[str, Any] | None = None) -> dict[str, Any]:
        return {**vars(self), "pipeline": agreement, "plain": plain}


if __name__ == "__main__":
    sys.modules["workbench"] = None  # type: ignore[assignment]  # importing it fails from here on
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))) + "\n")
