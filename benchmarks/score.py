"""Scoring a pool against the pipeline of transformers: `python benchmarks/score.py --model DIR --train eng.train`.

DIR holds a fine-tuned tagging model (`workbench export-model`); without --model one is trained first on the sentences
after those that are scored. Both sides read the same sentences on the same threads, one after another in one process.
Prints sentences a second of the pipeline at its default and at batch sizes 4 to 32, of the engine in fp32 and in int8
(tokenizing, suggestions and every single-pass score included), how well int8 agrees with fp32, and what share of the
machine's own rate of fp32 matrix products fp32 reaches.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.corpora import label_set, read, sample, write_attempt
from workbench.acquisition import score_tagging_batch, single_pass
from workbench.domain import ExampleText
from workbench.modeling.artifact import load_model
from workbench.modeling.device import choose_device
from workbench.modeling.encode import encode_tagging
from workbench.modeling.predict import Predictor, Tagged
from workbench.reporting import SilentReporter

BATCH_SIZES = (4, 8, 16, 32)
ROUNDS = 2


def seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The fastest of some rounds."""
    taken = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def pipeline_rates(folder: Path, texts: Sequence[str], by_one: int) -> dict[int, float]:
    """Sentences a second of the pipeline, by batch size; 1 is its default, measured on the first
    ``by_one``; printed as they come."""
    from transformers import pipeline

    find = pipeline("token-classification", model=str(folder), device="cpu")
    find(list(texts[:50]))
    rates = {}
    for size in (1, *BATCH_SIZES):
        if size == 1:
            rates[1] = by_one / seconds(lambda: [find(text) for text in texts[:by_one]], 1)
        else:
            rates[size] = len(texts) / seconds(lambda size=size: find(list(texts), batch_size=size), 1)
        print(f"pipeline, batch size {size:>2}: {rates[size]:7.1f} sentences/s", flush=True)
    return rates


def product_rate() -> float:
    """Floating-point operations a second of a large fp32 matrix product."""
    size = 1024
    left, right = torch.rand(size, size), torch.rand(size, size)
    return 2 * size**3 / seconds(lambda: left @ right, 20)


def operations(predictor: Predictor, examples: Sequence[ExampleText]) -> float:
    """Floating-point operations of one pass, padding left out: two a weight of the encoder's products and sub-word,
    and those of attention, which grow with the square of the length."""
    info, network = predictor.model.info, predictor.model.network
    windows = encode_tagging(
        predictor.model.tokenizer, examples, max_length=info.max_length, stride=info.stride
    )
    weights = sum(
        module.weight.numel() for module in network.modules() if isinstance(module, torch.nn.Linear)
    )
    config = network.config
    attention = 4 * config.hidden_size * config.num_hidden_layers * float((windows.lengths**2).sum())
    return 2.0 * weights * float(windows.lengths.sum()) + attention


def mnlp(found: Tagged) -> NDArray[np.float64]:
    """What the strategy of that name ranks by."""
    return score_tagging_batch(["mnlp"], found.probabilities, found.offsets)["mnlp"]


def rank_correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Spearman's."""
    from scipy.stats import spearmanr

    return float(spearmanr(a, b).statistic)


def train_one(train: Path, skip: int, folder: Path, examples: int) -> Path:
    """A model fine-tuned on sentences that will not be scored."""
    from workbench.modeling.train import train as fine_tune

    rest = read(train, "ner")[skip:]
    learn, labels = sample(rest, examples), label_set(rest, "ner")
    write_attempt(folder, "ner", learn)
    parameters = {"base_model": "minilm", "epochs": 2, "learning_rate": 1e-4, "device": "cpu"}
    manifest = {"task": "ner", "labels": labels, "parameters": parameters}
    fine_tune(folder, manifest, SilentReporter())
    return folder / "model"


def compare(folder: Path, examples: Sequence[ExampleText], by_one: int) -> None:
    """Measure and print."""
    texts = [example.text for example in examples]
    choose_device("cpu").keep_memory()  # as a run that scores does
    gc.freeze()  # half a million objects of the libraries are not looked through again in the middle of a measurement
    rates = pipeline_rates(folder, texts, by_one)
    best = max(rates.values())
    found: dict[str, Tagged] = {}
    for precision in ("fp32", "int8"):
        predictor = Predictor(load_model(folder), choose_device("cpu"), precision=precision)
        predictor.tag(examples[:50])

        def score(predictor: Predictor = predictor, precision: str = precision) -> None:
            seen = predictor.tag(examples, disagreement=True)
            score_tagging_batch(single_pass("ner"), seen.probabilities, seen.offsets, seen.disagreement)
            found[precision] = seen

        # A virtual machine is faster in one minute than in another: what it can do is asked beside each pass.
        passes = []
        for _ in range(ROUNDS):
            before, taken = product_rate(), seconds(score, 1)
            passes.append((taken, (before + product_rate()) / 2))
        rate = len(examples) / min(taken for taken, _ in passes)
        print(f"engine, {precision}: {rate:7.1f} sentences/s, {rate / best:.2f} times the pipeline's best")
        if precision == "fp32":
            work = operations(predictor, examples)
            shares = ", ".join(
                f"{work / taken / product:.0%} of {product / 1e9:.0f}" for taken, product in passes
            )
            print(f"  of the machine's fp32 matrix products beside each pass: {shares} GFLOP/s")
    same = found["fp32"].probabilities.argmax(1) == found["int8"].probabilities.argmax(1)
    print(
        f"int8 against fp32: the same label on {same.mean():.2%} of tokens, rank correlation of MNLP "
        f"{rank_correlation(mnlp(found['fp32']), mnlp(found['int8'])):.4f}"
    )


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--sentences", type=int, default=4000)
    parser.add_argument("--by-one", type=int, default=500, help="sentences for the pipeline's default")
    parser.add_argument("--learn", type=int, default=3000, help="sentences to train on, without --model")
    given = parser.parse_args()
    labeled = [row for row in read(given.train, "ner") if row[0].tokens]
    examples = [example for example, _ in labeled[: given.sentences]]
    with tempfile.TemporaryDirectory() as folder:
        model = given.model or train_one(given.train, given.sentences, Path(folder), given.learn)
        compare(model, examples, given.by_one)


if __name__ == "__main__":
    main()
