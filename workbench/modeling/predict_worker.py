"""Predict in a process of its own: ``python -m workbench.modeling.predict_worker MODEL_DIR DEVICE``.

Reads one example a line from stdin (``text``, ``tokens``, ``question``) and writes one line of JSON: first
``{"task", "labels"}``, then a prediction per example. What a person can mend goes to stderr in one line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from workbench.domain import ExampleText
from workbench.errors import WorkbenchError
from workbench.modeling.predict import load_predictor
from workbench.tasks import dump_prediction


def main(arguments: list[str]) -> int:
    """Predict stdin's examples; 0, or 1 after an error."""
    folder, device = arguments
    try:
        predictor = load_predictor(Path(folder), device)
        rows = [json.loads(line) for line in sys.stdin if line.strip()]
        examples = [
            ExampleText(row["text"], tuple((start, end) for start, end in row["tokens"]), row["question"])
            for row in rows
        ]
        sys.stdout.write(json.dumps({"task": predictor.task, "labels": predictor.labels}) + "\n")
        for prediction in predictor.predict(examples):
            line = dump_prediction(predictor.task, prediction)
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    except WorkbenchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
