"""Looking into a comparison: lists, confusions, confidence, parts, the report."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.comparison.test_comparison import ANN, BOB, BOB_ORG, NER_ROWS, answers, judged_project, spans, tags
from workbench.domain import Split
from workbench.errors import InvalidInput
from workbench.services import Workbench
from workbench.services.comparison import Analysis
from workbench.services.differences import (
    LENGTHS,
    Change,
    Wanted,
    behind,
    changed,
    confident_errors,
    confusion,
    error_kinds,
    error_labels,
    length_class,
    length_name,
    unsure_right,
)
from workbench.services.evaluation import measure
from workbench.services.report import make_report, markdown
from workbench.services.slices import slice_kinds, slices
from workbench.tasks.mistakes import Kind
from workbench.ui.report_html import report_html

VOID = ("meta", "br", "line", "circle")
UNSEEN = (frozenset[str](), frozenset[str]())


def analysed(workbench: Workbench) -> Analysis:
    project, _ = judged_project(workbench, "ner", NER_ROWS)
    return workbench.comparison.analyse(project, 1, 2)


def with_confidences(analysis: Analysis, side: int, values: dict[int, tuple[float, ...]]) -> Analysis:
    examples = list(analysis.examples)
    for index, sure in values.items():
        pair = list(examples[index].confidences)
        pair[side] = sure
        whole = list(examples[index].confidence)
        whole[side] = min(sure, default=1.0)
        examples[index] = replace(
            examples[index], confidences=(pair[0], pair[1]), confidence=(whole[0], whole[1])
        )
    return replace(analysis, judgement=replace(analysis.judgement, examples=tuple(examples)))


def test_lists_by_what_changed(sqlite_workbench: Workbench) -> None:
    analysis = analysed(sqlite_workbench)
    assert [changed(analysis, change) for change in (Change.FIXED, Change.BROKEN, Change.BOTH)] == [
        [0, 3],
        [1],
        [],
    ]
    document = analysis.examples[3].example.document_id
    assert changed(analysis, Change.FIXED, Wanted(document=document)) == [3]
    assert changed(analysis, Change.FIXED, Wanted(kind=Kind.MISSED, label="PER")) == [0, 3]
    assert changed(analysis, Change.FIXED, Wanted(kind=Kind.TYPE)) == []
    assert changed(analysis, Change.FIXED, Wanted(length=0)) == [0, 3]
    assert changed(analysis, Change.FIXED, Wanted(length=1)) == []
    assert error_labels(analysis) == ["PER", "ORG"]
    assert error_kinds(analysis) == ({Kind.MISSED: 2}, {Kind.SPURIOUS: 1})


def test_an_error_must_have_label_and_kind_at_once(sqlite_workbench: Workbench) -> None:
    rows = [(spans(ANN), spans(ANN), spans(BOB_ORG))]
    project, _ = judged_project(sqlite_workbench, "ner", rows)
    analysis = sqlite_workbench.comparison.analyse(project, 1, 2)
    assert changed(analysis, Change.BROKEN, Wanted(label="ORG", kind=Kind.SPURIOUS)) == [0]
    assert changed(analysis, Change.BROKEN, Wanted(label="ORG", kind=Kind.MISSED)) == []


def test_confusion_and_what_is_behind_it(sqlite_workbench: Workbench) -> None:
    analysis = analysed(sqlite_workbench)
    assert confusion(analysis, 0) == {("PER", "PER"): 2, ("PER", ""): 2}
    assert confusion(analysis, 1) == {("PER", "PER"): 4, ("", "ORG"): 1}
    for side in (0, 1):
        gold = sum(number for (label, _), number in confusion(analysis, side).items() if label)
        assert gold == 4
    assert behind(analysis, 0, "PER", "") == [0, 3]
    assert behind(analysis, 1, "", "ORG") == [1]
    assert behind(analysis, 0, "PER", "PER") == [0, 1]


def test_confident_errors_and_unsure_right_ones(sqlite_workbench: Workbench) -> None:
    rows = [
        (spans(ANN), spans(), spans(BOB)),
        (spans(ANN), spans(), spans(ANN, BOB)),
        (spans(ANN), spans(), spans(ANN)),
        (spans(BOB), spans(), spans(BOB)),
        (spans(), spans(), spans()),
    ]
    project, _ = judged_project(sqlite_workbench, "ner", rows)
    analysis = with_confidences(
        sqlite_workbench.comparison.analyse(project, 1, 2),
        1,
        {0: (0.7,), 1: (0.99, 0.9), 2: (0.8,), 3: (0.6,)},
    )
    errors = confident_errors(analysis, 1)
    assert [(each.index, each.confidence) for each in errors] == [(1, 0.9), (0, 0.7)]
    assert errors[0].mistake is not None and errors[0].mistake.kind is Kind.SPURIOUS
    assert [(each.index, each.confidence) for each in unsure_right(analysis, 1)] == [(3, 0.6), (2, 0.8)]
    assert confident_errors(analysis, 0) == []  # entities that were missed have no confidence


def test_no_answer_can_be_a_confident_error(sqlite_workbench: Workbench) -> None:
    rows = [(answers((0, 3)), answers(), answers((0, 3)))]
    project, _ = judged_project(sqlite_workbench, "qa", rows, labels=(), question="Who?")
    (error,) = confident_errors(sqlite_workbench.comparison.analyse(project, 1, 2), 0)
    assert error.confidence == 0.5


def test_lengths(sqlite_workbench: Workbench) -> None:
    analysis = analysed(sqlite_workbench)
    assert length_class(analysis.examples[0].content) == 0
    assert [length_name(index, False) for index in range(len(LENGTHS))][::4] == [
        "1 to 5 words",
        "41 words or more",
    ]
    assert length_name(0, True) == "0 to 59 words"
    assert length_name(1, True) == "60 to 109 words"


def test_parts_add_up_to_the_whole(sqlite_workbench: Workbench) -> None:
    analysis = analysed(sqlite_workbench)
    assert list(slice_kinds(analysis)) == ["seen", "document"], "all are of one length"
    (only,) = slices(analysis, "length", UNSEEN)
    assert (only.name, only.examples) == ("1 to 5 words", 4)
    assert (only.a, only.b) == pytest.approx((analysis.comparison.score_a, analysis.comparison.score_b))
    by_document = slices(analysis, "document", UNSEEN)
    assert sum(part.examples for part in by_document) == 4
    assert {part.low for part in by_document} == {None}


def test_parts_by_what_training_has_seen(sqlite_workbench: Workbench) -> None:
    analysis = analysed(sqlite_workbench)
    seen = (frozenset({"Ann"}), frozenset({"Ann", "Bob"}))
    by_name = {part.name: part for part in slices(analysis, "seen", seen)}
    assert set(by_name) == {"seen by version 2 only", "seen by both"}
    ann, bob = by_name["seen by both"], by_name["seen by version 2 only"]
    # Ann: in gold three times, found twice by version 1 and always by version 2.
    assert (ann.a, ann.b) == pytest.approx((2 * 2 / (2 + 3), 1.0))
    # Bob: in gold once; version 1 never has it, version 2 once right and once as ORG, spurious.
    assert (bob.a, bob.b) == pytest.approx((0.0, 2 * 1 / (2 + 1)))


def test_parts_of_words(sqlite_workbench: Workbench) -> None:
    rows = [(tags("NN", None, "NN"), tags("NN", "VB", "VB"), tags("NN", "NN", "NN"))]
    project, _ = judged_project(sqlite_workbench, "pos", rows, labels=("NN", "VB"))
    analysis = sqlite_workbench.comparison.analyse(project, 1, 2)
    parts = slices(analysis, "seen", (frozenset({"Ann"}), frozenset({"Ann"})))
    assert [(part.name, part.a, part.b) for part in parts] == [
        ("new to both", 0.0, 1.0),
        ("seen by both", 1.0, 1.0),
    ]


def test_parts_by_metadata(sqlite_workbench: Workbench, tmp_path: Path) -> None:
    rows = [
        {"tokens": ["Ann", "x"], "spans": [{"start": 0, "end": 3, "label": "PER"}], "source": s}
        for s in "aab"
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row | {"id": index}) for index, row in enumerate(rows)))
    project = sqlite_workbench.projects.create("m", "ner", ["PER"])
    sqlite_workbench.datasets.import_files(project, [path], split=Split.TEST)
    from tests.selection.pool import add_predictions, add_version

    with sqlite_workbench.store.read() as tx:
        ids = [row.example_id for row in tx.models.gold_rows(project.id, [Split.TEST])]
    for number in (1, 2):
        add_predictions(
            sqlite_workbench, add_version(sqlite_workbench, project, number), dict.fromkeys(ids, spans())
        )
    analysis = sqlite_workbench.comparison.analyse(project, 1, 2)
    assert slice_kinds(analysis)["meta:source"] == "Metadata: source"
    assert [(part.name, part.examples) for part in slices(analysis, "meta:source", UNSEEN)] == [
        ("a", 2),
        ("b", 1),
    ]


class Balanced(HTMLParser):
    """Notes what a browser would have to fetch, and tags that are never closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert tag in VOID or self.open.pop() == tag


def test_the_report_says_the_same_in_all_three_forms(sqlite_workbench: Workbench) -> None:
    project, ids = judged_project(sqlite_workbench, "ner", NER_ROWS)
    for number in (1, 2):
        measure(sqlite_workbench.store, project, sqlite_workbench.models.get(project, number), Split.TEST)
    sqlite_workbench.models.set_note(project, 2, "<b>bold</b> | note")
    analysis = sqlite_workbench.comparison.analyse(project, 1, 2)
    report = make_report(sqlite_workbench, project, analysis, UNSEEN)
    again = json.loads(json.dumps(report))
    assert again == report
    assert report["verdict"] == analysis.comparison.sentence
    assert report["comparison"]["broken_examples"] == [ids[1]]
    assert report["gold_set"]["data_hash"] == analysis.comparison.data_hash
    assert [each["example"] for each in report["examples"]["fixed"]] == [ids[0], ids[3]]
    text = markdown(report)
    assert analysis.comparison.sentence in text and "| PER | 4 |" in text
    assert "&lt;b>bold&lt;/b> \\| note" in text
    html = report_html(report, analysis, project)
    parser = Balanced()
    parser.feed(html)
    assert parser.open == [] and parser.fetched == []
    assert "<script" not in html and "&lt;b&gt;bold" in html
    assert "can&#x27;t tell which is better" in html and "url(" not in html


def test_the_command_compares_and_writes_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench import cli
    from workbench.config import Settings
    from workbench.services import open_workbench

    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    workbench = open_workbench(Settings(home=tmp_path / "home", database_url=None))
    project, ids = judged_project(workbench, "ner", NER_ROWS)
    workbench.close()
    cli.load()
    runner = CliRunner()
    files = [str(tmp_path / f"report{ending}") for ending in (".html", ".md", ".json")]
    options = [part for path in files for part in ("--report", path)]
    done = runner.invoke(cli.base.app, ["compare", project.name, "1", "2", "--json", *options])
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert (data["a"], data["b"], data["gold_set"], data["broken_examples"]) == (1, 2, 1, [ids[1]])
    assert data["worse"].startswith("Version 2 got worse on no label; 1 of 4")
    assert data["warnings"] == {}
    assert all(Path(path).stat().st_size > 500 for path in files)
    (tmp_path / "folder.html").mkdir()
    for place, said in (("missing/dir/r.html", "there is no folder"), ("folder.html", "can't be written")):
        refused = runner.invoke(
            cli.base.app, ["compare", project.name, "1", "2", "--report", str(tmp_path / place)]
        )
        assert isinstance(refused.exception, InvalidInput) and said in str(refused.exception)
    archived = runner.invoke(cli.base.app, ["archive", project.name, "1", "--json"])
    assert json.loads(archived.stdout)["archived"] is True
    noted = runner.invoke(cli.base.app, ["note", project.name, "1", "old", "--json"])
    assert json.loads(noted.stdout)["note"] == "old"


def test_the_report_of_questions_has_their_words(sqlite_workbench: Workbench) -> None:
    rows = [(answers((0, 3)), answers((0, 3)), answers()), (answers(), answers(), answers())]
    project, _ = judged_project(sqlite_workbench, "qa", rows, labels=(), question="Who?")
    analysis = sqlite_workbench.comparison.analyse(project, 1, 2)
    report = make_report(sqlite_workbench, project, analysis, UNSEEN)
    text, html = markdown(report), report_html(report, analysis, project)
    assert "## By kind of question" in text and "| questions with an answer | 1 |" in text
    assert "<h2>By kind of question</h2>" in html
    # Many questions have one context: their lines are told apart by what is asked.
    assert text.split("## Broken")[1].splitlines()[2].endswith(" Who?")
