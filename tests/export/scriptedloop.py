"""A loop that speaks as ``modeling.predict_loop`` does, with no model and no torch: its module, started as that is.

``workbench.json`` in its folder names the task and the labels. It finds the first word of each text: an entity of the
first label, a tag of the first label (the last one for all other words), an answer. With ``context`` it is the less
sure (0.9, 0.7, 0.5) the more of what stands before and after a text it is told. A text says what else it does: "refuse"
is answered with an error, "die" ends the process in the middle of its work. On the device "broken" it can't be
loaded.
"""

import json
import os
import sys
from pathlib import Path

from workbench.domain import Answer, Answers, ExampleText, Payload, Prediction, Span, Spans, Tags
from workbench.tasks import dump_prediction


def main() -> int:
    if sys.argv[2] == "broken":
        sys.stderr.write("the weights can't be read\n")
        return 1
    about = json.loads((Path(sys.argv[1]) / "workbench.json").read_text())
    say({"task": about["task"], "labels": about["labels"], "context": about.get("context", 0)})
    for line in sys.stdin:
        rows = [
            ExampleText(
                row["text"],
                tuple(map(tuple, row["tokens"])),
                None,
                row.get("before", ""),
                row.get("after", ""),
            )
            for row in json.loads(line)
        ]
        if rows[0].text == "die":
            sys.stderr.write("the memory is full\n")
            sys.stderr.flush()
            os._exit(7)
        if rows[0].text == "refuse":
            say({"error": "the text is too long"})
        else:
            said = []
            for row in rows:
                sure = 0.9 - 0.2 * bool(row.before) - 0.2 * bool(row.after)
                count = len(row.tokens) if about["task"] == "pos" else 1
                said.append(Prediction(labels_of(about["task"], about["labels"], row), sure, (sure,) * count))
            say([dump_prediction(about["task"], one) for one in said])
    return 0


def labels_of(task: str, labels: list[str], row: ExampleText) -> Payload:
    if task == "qa":
        return Answers((Answer(0, len(row.text.split()[0])),))
    if task == "pos":
        return Tags((labels[0], *[labels[-1]] * (len(row.tokens) - 1)))
    return Spans((Span(*row.tokens[0], labels[0]),))


def say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
