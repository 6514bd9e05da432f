"""A model that stays loaded and answers: ``python -m workbench.modeling.predict_loop MODEL_DIR DEVICE``.

First a line ``{"task", "labels", "context"}`` on stdout. Then, for each line of stdin, a JSON list of examples
(``text``, ``tokens``, ``question``, and where there are any ``before`` and ``after``), a line with the list of their
predictions, or ``{"error"}`` where they can't be predicted.
Ends with its stdin.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from workbench.domain import ExampleText
from workbench.errors import WorkbenchError
from workbench.modeling.predict import Predictor, load_predictor
from workbench.tasks import dump_prediction


def main(arguments: list[str]) -> int:
    """Answer until stdin ends; 0, or 1 where the model can't be loaded."""
    folder, device = arguments
    try:
        predictor = load_predictor(Path(folder), device)
    except WorkbenchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _say({"task": predictor.task, "labels": predictor.labels, "context": predictor.context})
    for line in sys.stdin:
        _say(_answer(predictor, json.loads(line)))
    return 0


def _answer(predictor: Predictor, rows: list[dict[str, Any]]) -> Any:
    examples = [
        ExampleText(
            row["text"],
            tuple((start, end) for start, end in row["tokens"]),
            row["question"],
            row.get("before", ""),
            row.get("after", ""),
        )
        for row in rows
    ]
    try:
        return [dump_prediction(predictor.task, found) for found in predictor.predict(examples)]
    except WorkbenchError as error:
        return {"error": str(error)}


def _say(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
