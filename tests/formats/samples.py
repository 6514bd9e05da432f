"""A small file of each format for each task type that it holds."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from workbench.formats.bundle import packed

CONLL = "-DOCSTART- -X- -X- O\n\nAda NNP B-NP B-PER\nLovelace NNP I-NP I-PER\nwrote VBD O O\n\nParis NNP O B-LOC\n"
CONLLU = (
    "# newdoc id = d\n# sent_id = s1\n# text = Don't go.\n1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_\n"
    "1\tDo\tdo\tAUX\tVB\t_\t3\taux\t_\t_\n2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t_\t_\n"
    "3\tgo\tgo\tVERB\tVB\t_\t0\troot\t_\tSpaceAfter=No\n3.1\tgone\t_\t_\t_\t_\t_\t_\t_\t_\n"
    "4\t.\t.\tPUNCT\t.\t_\t3\tpunct\t_\t_\n\n"
)
SQUAD = (
    '{"version": "v2.0", "data": [{"title": "T", "paragraphs": [{"context": "Ada wrote it in 1843.", "qas": ['
    '{"id": "q1", "question": "Who?", "answers": [{"text": "Ada", "answer_start": 0}], "is_impossible": false},'
    '{"id": "q2", "question": "Why?", "answers": [], "is_impossible": true}]}]}]}'
)
JSONL_NER = (
    '{"text": "Ada wrote it.", "spans": [{"start": 0, "end": 3, "label": "PER"}], "meta": {"k": [1]}}\n'
)
JSONL_POS = '{"tokens": ["Ada", "wrote"], "tags": ["NNP", null]}\n'
JSONL_QA = (
    '{"question": "Who?", "context": "Ada wrote it.", "answers": {"text": ["Ada"], "answer_start": [0]}}\n'
)
STUDIO = (
    '[{"data": {"text": "Ada wrote it.", "k": [1]}, "annotations": [{"was_cancelled": true, "result": [{}]}, '
    '{"result": [{"from_name": "label", "to_name": "text", "type": "labels", '
    '"value": {"start": 0, "end": 3, "labels": ["PER"]}}]}]},\n{"data": {"text": "No one."}}]'
)
STUDIO_QA = STUDIO.replace('"k": [1]', '"question": "Who?"').replace(
    '"No one."', '"No one.", "question": "Why?"'
)
TEXT = "Ada wrote it.\n\nParis is big.\n"
CSV = 'id,text\n1,Ada wrote it.\n2,"Paris, big"\n'
CSV_QA = "question,context,answer\nWho?,Ada wrote it.,Ada\n"

SAMPLES = {
    ("conll", "ner"): CONLL,
    ("conll", "pos"): CONLL,
    ("conllu", "pos"): CONLLU,
    ("conllu", "ner"): CONLLU,
    ("squad", "qa"): SQUAD,
    ("jsonl", "ner"): JSONL_NER,
    ("jsonl", "pos"): JSONL_POS,
    ("jsonl", "qa"): JSONL_QA,
    ("label-studio", "ner"): STUDIO,
    ("label-studio", "pos"): STUDIO,
    ("label-studio", "qa"): STUDIO_QA,
    ("text", "ner"): TEXT,
    ("text", "pos"): TEXT,
    ("table", "ner"): CSV,
    ("table", "pos"): CSV,
    ("table", "qa"): CSV_QA,
}
"""Files that are text throughout."""


def parquet(rows: list[dict[str, Any]], **classes: list[str]) -> bytes:
    """A Parquet file; ``classes`` names the classes of columns of lists, as the Hugging Face libraries do."""
    features = {
        column: {"feature": {"names": names, "_type": "ClassLabel"}, "_type": "List"}
        for column, names in classes.items()
    }
    table = pa.Table.from_pylist(rows)
    if classes:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


BRAT = {
    "a.txt": "Ada wrote it.\nParis is big.\n",
    "a.ann": "T1\tPER 0 3\tAda\nA1\tConfident T1\n#1\tAnnotatorNotes T1\tsure of T1\n",
    "b.txt": "No one.\n",
    "b.ann": "",
    "annotation.conf": "[entities]\nPER\n",
}
ANSWERS = {"text": ["Ada"], "answer_start": [0]}
FILES: dict[tuple[str, str], bytes] = {pair: text.encode() for pair, text in SAMPLES.items()} | {
    ("brat", "ner"): packed({name: text.encode() for name, text in BRAT.items()}),
    ("parquet", "ner"): parquet(
        [{"id": "1", "tokens": ["Ada", "wrote"], "ner_tags": [1, 0]}], ner_tags=["O", "B-PER", "I-PER"]
    ),
    ("parquet", "pos"): parquet(
        [{"id": "1", "tokens": ["Ada", "wrote"], "pos_tags": [1, -1]}], pos_tags=["VBD", "NNP"]
    ),
    ("parquet", "qa"): parquet(
        [{"id": "1", "question": "Who?", "context": "Ada wrote it.", "answers": ANSWERS}]
    ),
}
