"""Training by the plain `Trainer` recipe against the workbench's own.

    python benchmarks/train.py --train eng.train --test eng.testa

Both read the same examples and end with a saved model; batch size, learning rate, epochs, seeds and base model are the
same. The recipe is the one of the transformers examples: batches in random order, padded to their longest. Each run has
a process of its own, and the two take turns. Prints sentences (or questions) per second, the ratio, and both scores.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.corpora import LabeledText, label_set, read, sample, write_attempt
from workbench.domain import Answers
from workbench.reporting import SilentReporter
from workbench.tasks import AnswerTask, TaggingTask, get_task

PEERS = ("recipe", "workbench")
WINDOW = {"ner": (256, 64), "pos": (256, 64), "qa": (384, 128)}
SCORE = {"ner": "f1", "pos": "accuracy", "qa": "f1"}


def main() -> None:
    """Run it."""
    options = _options()
    if options.peer:
        print(json.dumps(run_peer(options)))
        return
    results: dict[str, list[dict[str, float]]] = {peer: [] for peer in PEERS}
    for seed in range(1, options.seeds + 1):
        for peer in PEERS if seed % 2 else PEERS[::-1]:
            found = _in_a_process(peer, seed)
            results[peer].append(found)
            print(
                f"seed {seed} {peer:>9}: {found['rate']:.1f} examples/s wall, {found['cpu_rate']:.1f} per CPU second, "
                f"{SCORE[options.task]} {found['score']:.4f}",
                flush=True,
            )
    _print(results, SCORE[options.task])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, help="default: every tenth document of --train is kept for it")
    parser.add_argument("--task", choices=sorted(WINDOW), default="ner")
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--test-examples", type=int, default=1000)
    parser.add_argument("--epochs", type=float, default=1)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--base-model", default="minilm")
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=1, help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_a_process(peer: str, seed: int) -> dict[str, float]:
    command = [sys.executable, __file__, *sys.argv[1:], "--peer", peer, "--seed", str(seed)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _print(results: dict[str, list[dict[str, float]]], score: str) -> None:
    for name, title in (("rate", "examples per second"), ("cpu_rate", "examples per CPU second")):
        medians = {peer: statistics.median(run[name] for run in runs) for peer, runs in results.items()}
        ratio = medians["workbench"] / medians["recipe"]
        print(
            f"{title}: recipe {medians['recipe']:.1f}, workbench {medians['workbench']:.1f}, ratio {ratio:.2f}"
        )
    for peer, runs in results.items():
        scores = [run["score"] for run in runs]
        print(
            f"{score}, {peer}: mean {statistics.fmean(scores):.4f}, {min(scores):.4f} to {max(scores):.4f} "
            f"over {len(scores)} seeds"
        )


def run_peer(options: argparse.Namespace) -> dict[str, float]:
    """One run of one of the two: its rate, from examples to a saved model, and its score."""
    everything = read(options.train, options.task)
    if options.test:
        kept = read(options.test, options.task)
    else:
        cut = len(everything) // 10
        everything, kept = everything[cut:], everything[:cut]
    learn = sample(everything, options.examples)
    measure = sample(kept, options.test_examples)
    labels = label_set(everything, options.task)
    _import_libraries(options, labels)
    with tempfile.TemporaryDirectory() as folder:
        train = train_by_recipe if options.peer == "recipe" else train_by_workbench
        wall, cpu = train(options, learn, labels, Path(folder))
        score = _score(Path(folder) / "model", options.task, measure, labels)
    done = len(learn) * options.epochs
    return {"rate": done / wall, "cpu_rate": done / cpu, "score": score}


def _import_libraries(options: argparse.Namespace, labels: Sequence[str]) -> None:
    """Both peers import the same libraries, before the clock starts: a model that is loaded imports them all."""
    from transformers import Trainer  # noqa: F401

    from workbench.modeling.artifact import load_network
    from workbench.modeling.base_models import resolve_base_model
    from workbench.modeling.train import train  # noqa: F401

    task = get_task(options.task)
    load_network(resolve_base_model(options.base_model).folder, task, task.model_labels(labels), strict=False)


def _score(model: Path, task: str, examples: Sequence[LabeledText], labels: Sequence[str]) -> float:
    from workbench.modeling.predict import load_predictor

    texts = [content for content, _ in examples]
    predicted = [found.payload for found in load_predictor(model).predict(texts)]
    metrics = get_task(task).evaluate([payload for _, payload in examples], predicted, texts, labels)
    return float(metrics[SCORE[task]])


def train_by_workbench(
    options: argparse.Namespace, learn: list[LabeledText], labels: list[str], folder: Path
) -> tuple[float, float]:
    """Wall and CPU seconds of the worker's own code."""
    from workbench.modeling.train import train

    write_attempt(folder, options.task, learn)
    parameters = {
        "base_model": options.base_model,
        "epochs": options.epochs,
        "learning_rate": options.learning_rate,
        "batch_size": options.batch_size,
        "seed": options.seed,
        "min_steps": 1,
    }
    manifest = {"task": options.task, "labels": labels, "parameters": parameters}
    wall, cpu = time.perf_counter(), time.process_time()
    train(folder, manifest, SilentReporter())
    return time.perf_counter() - wall, time.process_time() - cpu


def train_by_recipe(
    options: argparse.Namespace, learn: list[LabeledText], labels: list[str], folder: Path
) -> tuple[float, float]:
    """Wall and CPU seconds of the recipe of the transformers examples."""
    import datasets
    import torch
    from transformers import (
        DataCollatorForTokenClassification,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
    )

    from workbench.modeling.artifact import ModelInfo, load_network, save_model
    from workbench.modeling.base_models import resolve_base_model
    from workbench.modeling.tokenizer import load_tokenizer

    task = get_task(options.task)
    start = resolve_base_model(options.base_model)
    asks = isinstance(task, AnswerTask)
    length, stride = WINDOW[options.task]
    tokenizer = load_tokenizer(start.folder, for_words=not asks)
    classes = task.model_labels(labels)
    wall, cpu = time.perf_counter(), time.process_time()
    torch.manual_seed(options.seed)
    network = load_network(start.folder, task, classes, strict=False)
    if asks:
        rows = _question_rows(tokenizer.hf, learn, length, stride)
        collator: Any = DataCollatorWithPadding(tokenizer.hf)
    else:
        assert isinstance(task, TaggingTask)
        rows = _word_rows(tokenizer.hf, task, learn, classes, length)
        collator = DataCollatorForTokenClassification(tokenizer.hf)
    Trainer(
        model=network,
        args=TrainingArguments(
            str(folder / "trainer"),
            per_device_train_batch_size=options.batch_size,
            num_train_epochs=options.epochs,
            learning_rate=options.learning_rate,
            weight_decay=0.01,
            seed=options.seed,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            logging_strategy="no",
        ),
        train_dataset=datasets.Dataset.from_dict(rows),
        data_collator=collator,
    ).train()
    info = ModelInfo(options.task, tuple(labels), tuple(classes), length, stride, options.base_model)
    save_model(folder / "model", network, tokenizer, info, {})
    return time.perf_counter() - wall, time.process_time() - cpu


def _word_rows(
    tokenizer: Any, task: TaggingTask, learn: list[LabeledText], classes: Sequence[str], length: int
) -> dict[str, list[Any]]:
    words = [[content.text[start:end] for start, end in content.tokens] for content, _ in learn]
    encoded = tokenizer(words, is_split_into_words=True, truncation=True, max_length=length)
    rows = []
    for number, (content, payload) in enumerate(learn):
        targets = task.targets(payload, content, classes)
        row, before = [], None
        for word in encoded.word_ids(number):
            row.append(-100 if word is None or word == before else int(targets[word]))
            before = word
        rows.append(row)
    return {"input_ids": encoded["input_ids"], "attention_mask": encoded["attention_mask"], "labels": rows}


def _question_rows(
    tokenizer: Any, learn: list[LabeledText], length: int, stride: int
) -> dict[str, list[Any]]:
    encoded = tokenizer(
        [(content.question or "").strip() for content, _ in learn],
        [content.text for content, _ in learn],
        truncation="only_second",
        max_length=length,
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    starts, ends = [], []
    for window, offsets in enumerate(encoded["offset_mapping"]):
        payload = learn[encoded["overflow_to_sample_mapping"][window]][1]
        assert isinstance(payload, Answers)
        context = [place for place, part in enumerate(encoded.sequence_ids(window)) if part == 1]
        first, last = context[0], context[-1]
        answer = payload.answers[0] if payload.answers else None
        if answer is None or offsets[first][0] > answer.start or offsets[last][1] < answer.end:
            starts.append(0)
            ends.append(0)
            continue
        starts.append(max(place for place in context if offsets[place][0] <= answer.start))
        ends.append(min(place for place in context if offsets[place][1] >= answer.end))
    keys = [key for key in ("input_ids", "attention_mask", "token_type_ids") if key in encoded]
    return {**{key: encoded[key] for key in keys}, "start_positions": starts, "end_positions": ends}


if __name__ == "__main__":
    main()
