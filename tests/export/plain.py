"""What anybody can do with exports, outside the project: ``python -I plain.py NER POS QA``; JSON on stdout."""

import json
import sys
from pathlib import Path

sys.modules["workbench"] = None  # importing it fails from here on
import transformers  # noqa: E402
from transformers import pipeline  # noqa: E402

TEXT = "anna visited rome yesterday . "
ner, pos, qa = sys.argv[1:]
said = {"version": transformers.__version__}
for task, folder in (("ner", ner), ("pos", pos)):
    find = pipeline(
        "token-classification", model=folder, aggregation_strategy="simple", stride=8, device="cpu"
    )
    said[task] = {"short": find(TEXT), "long": find(TEXT * 12)}
    label = pipeline("word-classification", model=folder, trust_remote_code=True, device="cpu")
    said[f"{task} words"] = {
        "short": label(TEXT),
        "long": label(TEXT * 12),
        "batched": label([TEXT * 12, TEXT, " "], batch_size=2),
        "given": label({"text": TEXT, "words": [(0, 4), (5, 17)]}),
    }
ask = pipeline("question-answering", model=qa, trust_remote_code=True, device="cpu")
question = "who did ?"
said["qa"] = {
    "one": ask(question=question, context=TEXT),
    "two": ask(question=[question] * 2, context=[TEXT, "nobody left rome"]),
    "dicts": ask([{"question": question, "context": TEXT}]),
    "batched": ask([{"question": question, "context": TEXT * 12}] * 3, batch_size=2),
    "single": ask(question=question, context=TEXT * 12),
    "windows": ask(question=question, context=TEXT * 12, max_seq_len=24, doc_stride=4),
    "top": ask(question=question, context=TEXT, top_k=3),
    "forced": ask(question=question, context="nobody left rome", handle_impossible_answer=False),
    "none": ask(question=question, context="nobody left rome", handle_impossible_answer=True, top_k=20),
    "short": ask(question=question, context=TEXT, max_answer_len=1),
}
said["modules"] = sorted(
    Path(module.__file__).name
    for name, module in sys.modules.items()
    if name.startswith("transformers_modules.") and getattr(module, "__file__", None)
)
sys.stdout.write(json.dumps(said, default=float) + "\n")
