"""The Export page: nothing to export, an export that fails, one that is there, a model that is tried."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from workbench.domain import ExampleText, Prediction, Project, RunKind, RunState, Span, Spans
from workbench.errors import RunFailed, Unavailable
from workbench.services import Workbench, exporting, standing
from workbench.services.exporting import ExportedModel, ExportService
from workbench.services.hubpush import Pushed
from workbench.storage.tables import metadata
from workbench.web.shared import shared_workbench

PAGE = str(Path(__file__).resolve().parents[2] / "pages" / "6_Export.py")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """The workbench that the page opens in this test."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    opened = shared_workbench()
    yield opened
    opened.close()


@pytest.fixture
def project(home: Workbench) -> Project:
    """A project with two versions, the first of them better."""
    made = home.projects.create("news", "ner", ["PER"])
    for number, f1 in ((1, 0.7), (2, 0.5)):
        folder = home.settings.models_dir / str(made.id) / str(number)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        with home.store.write() as tx:
            run = tx.runs.add(made.id, RunKind.TRAIN, {})
            tx.runs.transition(run.id, RunState.RUNNING, attempt=1)
            tx.runs.transition(run.id, RunState.SUCCEEDED, attempt=1)
            tx.models.add_version(
                made.id,
                number,
                base_model="minilm",
                parent_id=None,
                run_id=run.id,
                snapshot_id=tx.models.add_snapshot(made.id, ["PER"], "0" * 64, []).id,
                labels=["PER"],
                artifact=f"{made.id}/{number}",
                artifact_sha256="0" * 64,
                parameters={},
                metrics={"validation": {"f1": f1}},
            )
    return made


def open_page() -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60).run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    app.run()
    assert not app.exception
    return app


def test_without_a_version_the_page_leads_to_training(home: Workbench) -> None:
    home.projects.create("news", "ner")
    assert "no model version" in open_page().info[0].value


def test_the_best_version_is_chosen_and_an_address_can_name_another(project: Project) -> None:
    app = open_page()
    assert app.selectbox(key=f"export_version_{project.id}").value == 1
    assert app.query_params["version"] == "1"
    app = AppTest.from_file(PAGE, default_timeout=60)
    app.query_params["version"] = "2"
    assert app.run().selectbox(key=f"export_version_{project.id}").value == 2


def test_an_export_that_fails_says_why(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object, **_more: object) -> ExportedModel:
        raise RunFailed("it predicts something else", remedy="run `workbench doctor`")

    monkeypatch.setattr(ExportService, "export_model", fail)
    app = press(open_page(), "Export and check")
    assert app.error[0].value == "it predicts something else. Run `workbench doctor`"
    assert "Export and check" in [button.label for button in app.button]


def test_an_export_is_shown_and_packed(
    home: Workbench, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def export(
        _self: ExportService, _project: Project, version: int, out: Path, **_more: object
    ) -> ExportedModel:
        out.mkdir(parents=True)
        (out / "workbench.json").write_text("{}")
        (out / "evaluation.json").write_text(
            '{"verification": {"examples": 60, "choices": 1002, "versions": {"transformers": "5.23.0"}}}'
        )
        return ExportedModel(out, version, (), {}, 1.0)

    monkeypatch.setattr(ExportService, "export_model", export)
    app = press(open_page(), "Export and check")
    assert "60 examples (1,002 labels)" in app.success[0].value
    assert app.code[0].value == str(home.settings.home.absolute() / "exports" / "news-v1")
    press(app, "Prepare a zip")
    packed = list((home.settings.home / "downloads").glob("*/content"))
    assert len(packed) == 1 and packed[0].stat().st_size > 0
    assert not any("context" in one.value for one in app.caption)

    about = home.settings.home / "exports" / "news-v1" / "evaluation.json"
    document = json.loads(about.read_text())
    found = {"examples": 60, "same": 57, "labeled": 60, "metric": "f1", "in_context": 0.9, "alone": 0.85}
    about.write_text(json.dumps({"verification": {**document["verification"], "alone": found}}))
    table = metadata.tables["model_versions"]
    with home.store.write() as tx:
        tx.connection.execute(update(table).values(parameters={"context": 64}))
    said = next(one.value for one in open_page().caption if "context" in one.value)
    assert "57 get the same labels alone as in their documents" in said
    assert "f1 is 0.900 in their documents and 0.850 alone" in said


def test_a_model_is_tried_and_its_answer_drawn(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_self: ExportService, _folder: Path, _example: ExampleText) -> Prediction:
        return Prediction(Spans((Span(0, 3, "PER"),)), 0.9, (0.9,))

    monkeypatch.setattr(ExportService, "predict_one", answer)
    app = press(open_page(), "Ask version 1")
    assert "text is empty" in app.error[0].value
    app.text_area(key="trial_text").input("Ada <b>wrote</b>.")
    app = press(app, "Ask version 1")
    assert not app.error
    drawn = [element.proto.body for element in app.get("html")]
    assert any("PER</span>" in body and "&lt;b&gt;" in body for body in drawn)


def test_a_file_is_predicted_and_offered(
    home: Workbench, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "LOOP", "tests.export.scriptedloop")
    for folder in (home.settings.models_dir / str(project.id)).iterdir():
        (folder / "workbench.json").write_text('{"task": "ner", "labels": ["PER"]}')
    app = open_page()
    assert next(button for button in app.button if button.label == "Predict and write").disabled
    app.file_uploader(key="batch_file").upload("texts.txt", b"anna left\nben stayed\n").run()
    app = press(app, "Predict and write")
    assert "2 examples with predictions" in app.success[0].value
    (packed,) = (home.settings.home / "downloads").glob("*/content")
    assert [json.loads(line)["spans"][0]["end"] for line in packed.read_text().splitlines()] == [4, 3]
    app.file_uploader(key="batch_file").set_value(("bad.jsonl", b"{]", "text/plain")).run()
    app = press(app, "Predict and write")
    assert "bad.jsonl, line 1" in app.error[0].value and not app.success


def test_an_export_is_pushed_with_a_token_that_is_not_kept(
    home: Workbench, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str | None] = []

    def push(folder: Path, repository: str, *, public: bool, token: str | None) -> Pushed:
        given.append(token)
        if token is None:
            raise Unavailable("there is no token for the hub", remedy="set HF_TOKEN")
        return Pushed(repository, f"https://hub/{repository}", "0" * 40, 7)

    monkeypatch.setattr(exporting, "push_export", push)
    folder = home.settings.home.absolute() / "exports" / "news-v1"
    folder.mkdir(parents=True)
    (folder / "workbench.json").write_text("{}")
    checked = {"examples": 60, "choices": 1002, "versions": {"transformers": "5.23.0"}}
    (folder / "evaluation.json").write_text(json.dumps({"verification": checked}))
    app = open_page()
    field(app, "Repository").input("ada/ner")
    app = press(app, "Push")
    assert "no token" in app.error[0].value
    field(app, "Token with write access").input("hf_secret")
    app = press(app, "Push")
    assert given == [None, "hf_secret"] and "7 files" in app.success[1].value
    assert field(app, "Repository").value == "ada/ner" and field(app, "Token with write access").value == ""
    kept = repr(app.run().session_state)
    assert "ada/ner" in kept and "hf_secret" not in kept


def field(app: AppTest, label: str) -> TextInput:
    return next(one for one in app.text_input if one.label == label)
