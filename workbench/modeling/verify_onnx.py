"""Run an exported folder's ONNX models where there is no torch: ``python -I verify_onnx.py DIR EXPECTED OUT``.

Run as a file, in isolated mode; torch, transformers and the workbench can't be imported here. EXPECTED has the lines of
``export.expected``; OUT gets one line per example with what each model predicts: ``{"fp32", "int8"}``, classes of its
words or the start and end of its answer. One JSON document on stdout says how fast each was.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

CHUNK = 64
ABSENT = ("torch", "transformers", "workbench")


def main(folder: Path, expected: Path, out: Path) -> dict[str, Any]:
    """Predict the examples with each model.

    Returns:
        ``seconds`` of each model and ``versions``.
    """
    import onnxruntime

    sys.path.insert(0, str(folder))
    runner: Any = __import__("onnx_pipeline")
    # Not splitlines: U+2028 and its like may stand in a text as they are, and end no line there.
    lines = [json.loads(line) for line in expected.read_text(encoding="utf-8").split("\n") if line.strip()]
    rows: list[dict[str, Any]] = [{} for _ in lines]
    seconds = {}
    for weights in runner.WEIGHTS:
        model = runner.load(folder, weights)
        begin = time.monotonic()
        for start in range(0, len(lines), CHUNK):
            part = lines[start : start + CHUNK]
            if hasattr(model, "words"):
                found = model.words([line["words"] for line in part])
            else:
                given = model([line["question"] for line in part], [line["text"] for line in part])
                found = [[one["start"], one["end"]] for one in given]
            for row, said in zip(rows[start : start + CHUNK], found, strict=True):
                row[weights] = said
        seconds[weights] = time.monotonic() - begin
    with out.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")
    return {"seconds": seconds, "versions": {"onnxruntime": onnxruntime.__version__}}


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    for name in ABSENT:
        sys.modules[name] = None  # type: ignore[assignment]  # importing it fails from here on
    sys.stdout.write(json.dumps(main(*map(Path, sys.argv[1:]))) + "\n")
