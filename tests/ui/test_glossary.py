"""Every word that a newcomer may not know is explained on the page where it stands; the docs say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.everypage import PARTS
from tests.ui import fullhome
from workbench.services import Workbench
from workbench.ui import page
from workbench.ui.glossary import MORE, PAGE_TERMS, TERMS, found_in
from workbench.ui.help_page import documents, linked
from workbench.ui.navigation import PLACES
from workbench.web.shared import shared_workbench

ROOT = Path(__file__).resolve().parents[2]
MARKUP = re.compile(r"<style>.*?</style>|<[^>]+>", re.DOTALL)
SHOWN = frozenset({"label", "body", "options", "caption"})


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A home in which every page has something to show."""
    home = tmp_path_factory.mktemp("words")
    fullhome.fill(home)
    patch = pytest.MonkeyPatch()
    patch.setenv("WORKBENCH_HOME", str(home))
    patch.delenv("WORKBENCH_DATABASE_URL", raising=False)
    opened = shared_workbench()
    with opened.store.read() as tx:
        admin = tx.users.find(fullhome.ADMIN)
    patch.setattr(page, "current_user", lambda _: admin)
    yield opened
    opened.close()
    patch.undo()


def texts(message: Any) -> Iterator[tuple[str, str]]:
    """Every text in an element, with the name of its field."""
    for field, value in message.ListFields():
        for one in value if isinstance(value, (list, tuple)) or hasattr(value, "append") else [value]:
            if isinstance(one, str):
                yield field.name, one
            elif hasattr(one, "ListFields"):
                yield from texts(one)


@pytest.mark.parametrize(
    "place", [place for place in PLACES.values() if place.title != "Help"], ids=lambda one: one.title
)
def test_each_word_of_a_page_is_explained_on_it(full: Workbench, place: Any) -> None:
    for view in PARTS.get(place.title.lower(), ("",)):
        app = AppTest.from_file(str(ROOT / place.file), default_timeout=60)
        app.query_params["project"] = fullhome.PROJECT
        if view:
            app.query_params["view"] = view
        app.run()
        assert not app.exception
        found = [pair for element in app.main if element.proto for pair in texts(element.proto)]
        explained = {key for key in TERMS for _, text in found if f"({MORE}{key})" in text}
        shown = " ".join(MARKUP.sub(" ", text) for name, text in found if name in SHOWN and MORE not in text)
        assert shown.strip() and set(found_in(shown)) - explained == set(), view


def test_every_term_is_explained_somewhere_and_the_docs_say_more() -> None:
    assert set(PAGE_TERMS) <= {place.title for place in PLACES.values()}
    used = {key for keys in PAGE_TERMS.values() for key in keys}
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workbench" / "ui").glob("*_*.py"))
    assert {key for key in TERMS if key not in used and f'"{key}"' not in source} == set()
    pages = documents(ROOT / "docs")
    for key, term in TERMS.items():
        assert term.sentence.endswith(".") and term.docs in pages, key
        assert key in set(found_in(term.name)), f"{key} is not found by its own name"


def test_help_explains_a_word_and_shows_the_docs_without_internet(full: Workbench) -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "12_Help.py"), default_timeout=60)
    app.query_params["term"] = "mnlp"
    app.run()
    assert app.main.markdown[0].value.startswith("**MNLP.** ")
    app.text_input(key="help_find").input("krippendorff").run()
    words = [one.value.split(".")[0] for one in app.main.markdown if one.value.startswith("**")]
    assert words == ["**MNLP", "**Alpha"]
    app.query_params["read"] = "reference/strategies.md"
    app.run()
    assert any(one.value.lstrip().startswith("# Query strategies") for one in app.main.markdown)
    app.query_params["read"] = "../pyproject.toml"
    assert not any("setuptools" in one.value for one in app.run().main.markdown)


def test_links_of_the_docs_stay_in_the_application() -> None:
    text = "[a](metrics.md#answers) [b](https://x.org) [c](../x.md) ![d](pictures/d.png) [e](reference/settings.md)"
    assert linked(text, "tutorial.md") == (
        "[a](Help?read=metrics.md#answers) [b](https://x.org) c *d* [e](Help?read=reference/settings.md)"
    )
    assert linked("[up](../metrics.md)", "reference/x.md") == "[up](Help?read=metrics.md)"
