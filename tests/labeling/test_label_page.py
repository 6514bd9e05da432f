"""The page's wiring: guard, batch choice, the component's data. Keys and mouse are tried in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.labeling.corpus import make_project
from workbench.config import get_settings
from workbench.services import Workbench, open_workbench
from workbench.storage.batches import NewItem

PAGE = str(Path(__file__).parents[2] / "pages" / "3_Label.py")


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    get_settings.cache_clear()
    yield open_workbench()
    get_settings.cache_clear()


def run(**query: str) -> AppTest:
    test = AppTest.from_file(PAGE, default_timeout=60)
    for name, value in query.items():
        test.query_params[name] = value
    test.run()
    assert not test.exception
    return test


def test_without_a_project_it_says_what_to_do(opened: Workbench) -> None:
    assert "no project yet" in run().info[0].value


def test_without_a_batch_the_pool_is_labeled(opened: Workbench) -> None:
    make_project(opened)
    test = run(project="news")
    assert [box.label for box in test.selectbox] == ["Project"]
    assert not test.error


def test_the_oldest_open_batch_is_chosen_and_kept_in_the_address(opened: Workbench) -> None:
    project, ids = make_project(opened)
    with opened.store.write() as tx:
        for example_ids in (ids[:2], ids[2:]):
            items = [NewItem(one, None, {"strategy": "random"}) for one in example_ids]
            size = len(items)
            tx.batches.add(project.id, items, strategy="random", unit="examples", size=size, parameters={})
    test = run(project="news")
    box = test.selectbox[-1]
    assert (box.label, box.value) == ("What to label", 1)
    assert test.query_params["batch"] in ("1", ["1"])
    assert run(project="news", batch="2").selectbox[-1].value == 2
    assert run(project="news", batch="99").selectbox[-1].value == 1


def keys_form() -> None:
    from workbench.domain import Role
    from workbench.ui.label_keys import draw_form
    from workbench.ui.page import open_page

    draw_form(open_page("Label", role=Role.LEAD))


def test_a_lead_gives_labels_their_keys(opened: Workbench) -> None:
    make_project(opened)
    assert "Label keys" in [button.label for button in run(project="news").button]
    # The dialog itself is a fragment, which AppTest always leaves: its form is tried alone.
    test = AppTest.from_function(keys_form, default_timeout=60).run()

    def save(**keys: str) -> AppTest:
        for field in test.text_input:
            if field.label in keys:
                field.set_value(keys[field.label])
        next(button for button in test.button if button.label == "Save").click()
        return test.run()

    assert {field.label: field.value for field in test.text_input} == {"PER": "1", "ORG": "2", "LOC": "3"}
    assert "'2' is given to both PER and ORG" in save(PER="2").error[0].value
    assert opened.projects.get("news").labels[0].key == "1"
    assert not save(ORG="o").error
    assert [label.key for label in opened.projects.get("news").labels] == ["2", "o", "3"]


def test_questions_have_no_label_keys(opened: Workbench) -> None:
    make_project(opened, "qa", (), ["A text ."])
    assert "Label keys" not in [button.label for button in run(project="news").button]


@pytest.mark.parametrize("example", ["1", "999999999999999999999", "x", ""])
def test_an_address_may_name_an_example(opened: Workbench, example: str) -> None:
    make_project(opened)
    assert not run(project="news", example=example).error
