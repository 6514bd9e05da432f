"""Score and evaluate runs: one pass over the examples gives predictions, confidences and every single-pass score."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from workbench.modeling.chunks import Chunks
from workbench.modeling.inputs import chunked, count_lines, full_lines, read_rows
from workbench.modeling.reading import ChunkReader, Machine, Pace, Pass, Readers
from workbench.modeling.takeover import take_over
from workbench.modeling.trials import fingerprint
from workbench.reporting import Reporter


def infer(
    attempt: Path, manifest: Mapping[str, Any], reporter: Reporter, readers: Readers | None = None
) -> dict[str, Any]:
    """Read every example of a run in one pass.

    Writes ``predictions.jsonl``, in the order of ``examples.jsonl`` (in a run of kind score without the examples of
    split train, which are there for their features alone), and ``features/``. What an earlier attempt has on disk is
    not computed again.

    Args:
        attempt: The run's folder.
        manifest: ``kind``, ``model_dir`` and ``parameters`` (``strategies``, ``device``, ``max_length``,
            ``precision``, by default the device's own, ``features``: whether they are kept). A run of kind score
            computes every single-pass strategy of the task unless it names some; another kind computes those that it
            names. One of kind embed has no model: it keeps the features of the base model that ``parameters`` name.
            ``resume_from`` as ``take_over`` reads it.
        reporter: Hears of progress, in examples.
        readers: Others who read side by side; None reads here.

    Returns:
        ``device``, ``precision``, ``seconds``, ``examples`` (predicted), ``embedded`` (without a prediction),
        ``tokens`` (sub-words for questions), ``examples_per_second``, ``metrics``.

    Raises:
        ModelUnavailable: The model can't be loaded.
        InvalidInput, Unavailable: A strategy or a device is not what it should be.
        Cancelled: The run was told to stop.
    """
    begin = time.monotonic()
    reporter.check()
    machine = readers.machine(reporter.check) if readers else Machine.of(manifest.get("parameters") or {})
    wanted = Pass.of(manifest)
    examples = attempt / "examples.jsonl"
    total = count_lines(examples)
    take_over(attempt, manifest)
    chunks = Chunks(attempt, fingerprint(attempt, manifest, ("kind", "model_dir")))
    machine = Machine(machine.device, chunks.begin(machine.precision))
    if found := len(chunks):
        reporter.log(
            f"An earlier attempt has left {found} chunk{'s' if found > 1 else ''} of examples that need no reading."
        )
    device = machine.device
    reporter.log(f"Reading {total} examples on {device.name} ({device.title}, {machine.precision}).")
    sizes = [min(wanted.size, total - start) for start in range(0, total, wanted.size)]
    there = sum(size for number, size in enumerate(sizes) if number in chunks)
    pace = Pace(reporter, total, there, device, here=readers is None)
    if readers is None:
        _read_here(examples, ChunkReader(wanted, machine), chunks, pace, wanted)
    else:
        texts = _texts(examples, wanted.size, chunks)
        for number, lines, arrays in readers.read(texts, machine.precision, reporter.check):
            chunks.take(number, lines, arrays)
            pace.end_chunk(sizes[number])
    chunks.assemble(len(sizes), features=wanted.features)
    predicted = attempt / "predictions.jsonl"
    count = count_lines(predicted) if predicted.exists() else 0
    return {
        "device": device.name,
        "precision": machine.precision,
        "seconds": time.monotonic() - begin,
        "examples": count,
        "embedded": total - count,
        "tokens": sum(map(chunks.tokens, range(len(sizes)))),
        "examples_per_second": pace.examples_per_second,
        "metrics": {},
    }


def _read_here(examples: Path, reader: ChunkReader, chunks: Chunks, pace: Pace, wanted: Pass) -> None:
    rows = chunked(read_rows(examples, wanted.model.task), wanted.size)
    for number, chunk in enumerate(rows):
        if number not in chunks:
            pace.begin_chunk(len(chunk))
            chunks.put(number, *reader.read(chunk, pace.on_batch))
            pace.end_chunk(len(chunk))


def _texts(examples: Path, size: int, chunks: Chunks) -> Iterator[tuple[int, str]]:
    """Number and lines of each chunk that is not there."""
    for number, lines in enumerate(chunked(full_lines(examples), size)):
        if number not in chunks:
            yield number, "".join(lines)
