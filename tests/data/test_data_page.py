"""The Data page's wiring: browse, open, import with a preview, export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.formats.samples import SAMPLES
from workbench.domain import Split
from workbench.services import Workbench
from workbench.web.shared import shared_workbench

PAGE = str(Path(__file__).parents[2] / "pages" / "1_Data.py")
CONLL = "EU NNP B-ORG\nrejects VBZ O\n\nParis NNP B-LOC\n\nNobody NN O\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """The workbench that the page opens in this test."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    opened = shared_workbench()
    yield opened
    opened.close()


@pytest.fixture
def conll(tmp_path: Path) -> Path:
    path = tmp_path / "news.conll"
    path.write_text(CONLL, encoding="utf-8")
    return path


def open_data(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def said(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.success, *app.info, *app.error, *app.warning, *app.subheader]
    return "\n".join(str(part.value) for part in parts) + "\n".join(html.body for html in app.get("html"))


def fill_path(app: AppTest, path: Path) -> AppTest:
    field = next(item for item in app.text_input if "path" in item.label)
    return field.set_value(str(path)).run()


def button(app: AppTest, words: str):  # type: ignore[no-untyped-def]
    return next(item for item in app.button if words in item.label)


def test_an_empty_project_shows_the_import(home: Workbench) -> None:
    home.projects.create("news", "ner")
    app = open_data()
    assert not app.exception
    assert app.query_params["view"] == "import"
    assert "CoNLL columns" in said(app)


def test_a_file_is_previewed_imported_browsed_and_opened(home: Workbench, conll: Path) -> None:
    project = home.projects.create("news", "ner")
    app = fill_path(open_data(), conll)
    assert not app.exception
    assert "tags are IOB2" in said(app)
    assert "EU" in said(app) and "ORG" in said(app)
    assert home.datasets.counts(project).total == 0
    button(app, "Import 3 examples as pool").click().run()
    assert not app.exception
    assert home.datasets.counts(project).examples[Split.POOL] == 3
    assert "Imported 3 examples" in said(app)

    app = open_data()
    assert "**3 examples**" in said(app)
    next(item for item in app.text_input if item.label == "Search").set_value("paris").run()
    assert "**1 example**" in said(app)
    button(app, "Open").click().run()
    assert not app.exception
    assert "History" in [item.value for item in app.subheader]
    assert "revision 1" in said(app)


def test_columns_are_shown_and_can_be_mended(home: Workbench, conll: Path) -> None:
    project = home.projects.create("news", "pos")
    app = fill_path(open_data(), conll)
    column = next(item for item in app.selectbox if item.label == "Tags are in column")
    assert column.value == 1
    column.select(2).run()
    assert not app.exception
    assert "B-ORG" in said(app)
    button(app, "Import 3 examples").click().run()
    assert "B-LOC" in home.projects.get("news").label_names
    assert home.datasets.imports(project)[0].mapping["columns"] == {"token": 0, "tag": 2}


def test_a_bad_file_is_told_with_its_line_and_nothing_is_offered(home: Workbench, tmp_path: Path) -> None:
    home.projects.create("news", "ner")
    bad = tmp_path / "bad.conll"
    bad.write_text("a B-X\nb\n", encoding="utf-8")
    app = fill_path(open_data(), bad)
    assert "bad.conll, line 2" in app.error[0].value
    assert not any("Import " in item.label for item in app.button)


def test_the_same_file_is_recognised_and_imported_again_only_when_asked(home: Workbench, conll: Path) -> None:
    project = home.projects.create("news", "ner")
    home.datasets.import_files(project, [conll], split=Split.POOL)
    app = fill_path(open_data(view="import"), conll)
    assert "has this file already" in said(app)
    next(item for item in app.toggle if "second time" in item.label).set_value(True).run()
    button(app, "Import 3 examples").click().run()
    assert not app.exception
    assert home.datasets.counts(project).total == 6


def test_labels_are_exported_for_download(home: Workbench, conll: Path) -> None:
    project = home.projects.create("news", "ner")
    home.datasets.import_files(project, [conll], split=Split.POOL)
    app = open_data(view="export")
    button(app, "Make the file").click().run()
    assert not app.exception
    assert "3 examples" in app.success[0].value
    link = app.get("link_button")[0].proto
    assert "news.conll" in link.url and link.url.startswith("/downloads/")


def test_pages_are_turned_and_filters_go_back_to_the_first(home: Workbench, tmp_path: Path) -> None:
    project = home.projects.create("many", "ner")
    path = tmp_path / "many.txt"
    path.write_text("".join(f"Sentence number {i}.\n" for i in range(45)), encoding="utf-8")
    home.datasets.import_files(project, [path], split=Split.POOL)
    app = open_data()
    assert "page 1 of 5" in said(app)
    for _ in range(4):
        button(app, "Next").click().run()
    assert "page 5 of 5" in said(app) and button(app, "Next").disabled
    next(item for item in app.text_input if item.label == "Search").set_value("number 4").run()
    assert "page 1 of 1" in said(app) and "**6 examples**" in said(app)


def test_questions_are_drawn_with_their_answers(home: Workbench) -> None:
    home.projects.create("questions", "qa")
    sample = Path(__file__).parents[2] / "workbench" / "samples" / "questions.json"
    app = fill_path(open_data(), sample)
    assert not app.exception
    assert "202 examples" in button(app, "Import").label


def test_an_annotator_may_browse_only(home: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.domain import Role
    from workbench.ui import page

    project = home.projects.create("news", "ner")
    home.datasets.import_sources(project, home.datasets.uploaded("a.conll", CONLL.encode()), Split.POOL)
    with home.store.write() as tx:
        user = tx.users.add("otto", Role.ANNOTATOR)
    monkeypatch.setattr(page, "current_user", lambda workbench: user)
    app = open_data(view="import")
    assert not app.exception
    assert "**3 examples**" in said(app)
    assert not app.get("file_uploader")


def test_an_encoding_is_asked_for_by_how_the_line_reads(home: Workbench, tmp_path: Path) -> None:
    project = home.projects.create("news", "ner")
    path = tmp_path / "latin.conll"
    path.write_bytes("Paris B-LOC\nK\u00f6ln B-LOC\n".encode("latin-1"))
    app = fill_path(open_data(), path)
    assert not app.exception
    assert "line 2 is not UTF-8" in said(app)
    assert "K\u00f6ln B-LOC" in said(app)
    button(app, "Read as Latin-1").click().run()
    assert not app.exception
    button(app, "Import 1 example").click().run()
    assert home.datasets.browse(project).items[0].content.text == "Paris K\u00f6ln"


def test_a_folder_of_texts_and_annotations_is_imported(home: Workbench, tmp_path: Path) -> None:
    project = home.projects.create("news", "ner")
    (tmp_path / "a.txt").write_text("Ada wrote.\n", encoding="utf-8")
    (tmp_path / "a.ann").write_text("T1\tPER 1 4\tAda\n", encoding="utf-8")
    app = fill_path(open_data(), tmp_path)
    assert "brat stand" in said(app)
    assert "1 to be repaired" in [item.label for item in app.expander]
    button(app, "Import 1 example").click().run()
    assert home.datasets.counts(project).total == 1


def test_a_hub_that_can_not_be_reached_is_told(home: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.errors import Unavailable
    from workbench.services import importsources

    def unreachable(name: str, *_: object) -> object:
        raise Unavailable("the hub can't be reached", where=name, remedy="check the network")

    monkeypatch.setattr(importsources, "load_hub", unreachable)
    home.projects.create("news", "ner")
    app = open_data()
    next(item for item in app.text_input if item.label == "Dataset").set_value("ada/entities")
    button(app, "Fetch").click().run()
    assert not app.exception
    assert "ada/entities: the hub can't be reached" in said(app)


def test_what_a_format_can_not_hold_is_listed_or_refused(home: Workbench) -> None:
    project = home.projects.create("qa", "qa")
    sample = SAMPLES["squad", "qa"]
    home.datasets.import_sources(project, home.datasets.uploaded("a.json", sample.encode()), Split.TRAIN)
    app = open_data(view="export")
    next(item for item in app.selectbox if item.label == "Format").select("squad-v1").run()
    button(app, "Make the file").click().run()
    assert not app.exception
    assert "has no answer, which SQuAD" in said(app)
    next(item for item in app.checkbox if "Refuse" in item.label).set_value(True).run()
    button(app, "Make the file").click().run()
    assert "can't hold everything" in said(app)
    assert not app.get("link_button")


def test_whose_labels_are_exported_is_chosen(home: Workbench, conll: Path) -> None:
    project = home.projects.create("news", "ner")
    home.datasets.import_files(project, [conll], split=Split.POOL)
    app = open_data(view="export")
    next(item for item in app.selectbox if item.label == "Format").select("jsonl").run()
    next(item for item in app.selectbox if item.label == "Whose labels").select("by:import").run()
    next(item for item in app.checkbox if "where labels come from" in item.label).set_value(True).run()
    button(app, "Make the file").click().run()
    assert not app.exception
    assert "3 examples" in app.success[0].value


def test_what_stands_on_both_sides_is_told_in_the_preview_and_while_browsing(
    home: Workbench, tmp_path: Path
) -> None:
    project = home.projects.create("news", "ner")
    home.datasets.import_sources(project, home.datasets.uploaded("a.conll", CONLL.encode()), Split.POOL)
    path = tmp_path / "test.conll"
    path.write_text("Paris NNP B-LOC\n\nLondon NNP B-LOC\n", encoding="utf-8")
    app = fill_path(open_data(view="import"), path)
    next(item for item in app.selectbox if "for" in item.label).select(Split.TEST).run()
    assert "1 of these test examples also stand in pool" in app.error[0].value
    button(app, "Import 2 examples as test").click().run()
    assert not app.exception
    app = open_data(view="browse")
    assert "1 text of the test and validation splits also stand" in app.error[0].value


def test_a_file_is_split_by_lot(home: Workbench, tmp_path: Path) -> None:
    project = home.projects.create("news", "ner")
    path = tmp_path / "a.conll"
    path.write_text("".join(f"-DOCSTART- O\n\nw{i} O\n\n" for i in range(20)), encoding="utf-8")
    app = fill_path(open_data(), path)
    next(item for item in app.selectbox if "for" in item.label).select("lot").run()
    assert not app.exception
    assert "Test 2 · Train 16 · Validation 2" in said(app)
    button(app, "Import 20 examples as 3 splits").click().run()
    assert not app.exception
    counts = home.datasets.counts(project).examples
    assert (counts[Split.TRAIN], counts[Split.VALIDATION], counts[Split.TEST]) == (16, 2, 2)


def test_labels_are_kept_aside_though_a_file_was_not_found_first(
    home: Workbench, conll: Path, tmp_path: Path
) -> None:
    home.projects.create("news", "ner")
    app = open_data()
    app.toggle(key="import-unlabeled").set_value(True).run()
    assert fill_path(app, tmp_path / "missing.conll").error
    app = fill_path(app, conll)
    assert app.toggle(key="import-unlabeled").value
    button(app, "Import 3 examples as pool, labels kept aside").click().run()
    counts = home.datasets.counts(home.projects.get("news"))
    assert counts.examples[Split.POOL] == 3 and counts.gold[Split.POOL] == 0
