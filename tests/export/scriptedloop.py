"""A loop that speaks as ``modeling.predict_loop`` does, with no model and no torch: its module, started as that is.

It finds the first token of each text. A text says what else it does: "refuse" is answered with an error, "die" ends the
process in the middle of its work. On the device "broken" it can't be loaded.
"""

import json
import os
import sys


def main() -> int:
    if sys.argv[2] == "broken":
        sys.stderr.write("the weights can't be read\n")
        return 1
    say({"task": "ner", "labels": ["PER"]})
    for line in sys.stdin:
        rows = json.loads(line)
        if rows[0]["text"] == "die":
            sys.stderr.write("the memory is full\n")
            sys.stderr.flush()
            os._exit(7)
        if rows[0]["text"] == "refuse":
            say({"error": "the text is too long"})
        else:
            spans = [
                {"start": row["tokens"][0][0], "end": row["tokens"][0][1], "label": "PER"} for row in rows
            ]
            say([{"payload": {"spans": [span]}, "confidence": 0.9, "confidences": [0.9]} for span in spans])
    return 0


def say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
