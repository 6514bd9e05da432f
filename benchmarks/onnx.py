"""ONNX int8 against the torch pipeline: `python benchmarks/onnx.py EXPORT FILE.conll [--limit 1000] [--threads 2]`.

EXPORT was made with `workbench export-model --onnx` from a version that finds entities; FILE has labeled sentences in
columns. Prints sentences a second of the transformers pipeline at each batch size and of the ONNX models, on the same
texts and threads, and the F1 of each on the words of the file.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.corpora import read
from workbench.domain import ExampleText, Payload, Spans
from workbench.tasks.schemes import TokenSpan, token_spans
from workbench.tasks.tagging import to_token_spans

BATCH_SIZES = (1, 4, 8, 16, 32)
ROUNDS = 2


def rate(texts: Sequence[str], ask: Callable[[], object]) -> float:
    """Sentences a second, in the best of some rounds."""
    seconds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - begin)
    return len(texts) / min(seconds)


def spans_of(payload: Payload, example: ExampleText) -> set[TokenSpan]:
    """Entities as ranges of words."""
    assert isinstance(payload, Spans)
    return set(to_token_spans(payload.spans, example))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("export", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--limit", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(given.threads)

    import torch
    from transformers import pipeline

    from workbench.modeling.onnx_pipeline import Tagger, load
    from workbench.modeling.predict import load_predictor

    torch.set_num_threads(given.threads)
    labeled = [row for row in read(given.file, "ner") if row[0].tokens][: given.limit]
    examples = [example for example, _ in labeled]
    texts = [example.text for example in examples]
    gold = [spans_of(payload, example) for example, payload in labeled]

    def f1(found: Sequence[set[TokenSpan]]) -> float:
        right = sum(len(a & b) for a, b in zip(gold, found, strict=True))
        return 2 * right / (sum(map(len, gold)) + sum(map(len, found)))

    find = pipeline(
        "token-classification", model=str(given.export), aggregation_strategy="simple", device="cpu"
    )
    rates = {}
    for size in BATCH_SIZES:
        rates[size] = rate(texts, lambda size=size: find(texts, batch_size=size))
        print(f"torch pipeline, batch size {size:>2}: {rates[size]:7.1f} sentences/s", flush=True)
    best = max(rates.values())
    said = load_predictor(given.export, "cpu").predict(examples)
    original = f1([spans_of(one.payload, example) for one, example in zip(said, examples, strict=True)])
    print(f"torch: F1 {original:.4f}")
    for weights in ("fp32", "int8"):
        model = load(given.export, weights, threads=given.threads)
        assert isinstance(model, Tagger)
        fast = rate(texts, lambda model=model: model(texts))
        words = model.words([example.words for example in examples])
        found = [set(token_spans([tag or "O" for tag in tags])) for tags in words]
        value = f1(found)
        print(
            f"ONNX {weights}: {fast:7.1f} sentences/s, {fast / best:.2f} times the pipeline's best; "
            f"F1 {value:.4f} ({value - original:+.4f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
