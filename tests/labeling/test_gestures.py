"""Every way to change labels that the tasks' own tests leave out, each in a real browser down to what is stored."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import ServedApp
from tests.labeling.corpus import QA_TEXT, make_project, stored, suggest
from tests.labeling.screen import Screen
from workbench.domain import Answer, Answers, Prediction, Span, Spans
from workbench.services import Workbench

pytestmark = pytest.mark.browser

PENN_TREEBANK = """
CC CD DT EX FW IN JJ JJR JJS LS MD NN NNS NNP NNPS PDT POS PRP PRP$ RB RBR RBS RP SYM TO UH VB VBD VBG VBN VBP VBZ WDT
WP WP$ WRB # $ . , : -LRB- -RRB- `` ''
"""
PENN = PENN_TREEBANK.split()


def test_spans_are_moved_at_their_edges_joined_and_split(
    page: Page, app: ServedApp, filled: Workbench
) -> None:
    project, ids = make_project(filled, name="edges and joints")
    screen = Screen(page, app, project.name).open().expect_example(ids[0])
    # "of" is labeled, its end goes two words on and one back, its start one word back and on again.
    screen.press("Home", "ArrowRight", "ArrowRight", "2", "]", "]", "}")
    assert screen.marks() == [("ORG", "of Baltic", True)]
    screen.press("[")
    assert screen.marks() == [("ORG", "Nowak of Baltic", True)]
    screen.press("{", "{")
    assert screen.marks() == [("ORG", "Baltic", True)]
    # An edge never runs over a neighbour; the same label over both makes one of two.
    screen.press("ArrowRight", "2")
    assert screen.marks() == [("ORG", "Baltic", True), ("ORG", "Freight", True)]
    screen.press("ArrowLeft", "]")
    assert screen.marks() == [("ORG", "Baltic", True), ("ORG", "Freight", True)]
    screen.press("Shift+ArrowRight", "2")
    assert screen.marks() == [("ORG", "Baltic Freight", True)]
    # A label that is changed keeps the span's edges; a part that is relabeled splits it.
    screen.press("ArrowLeft", "1")
    assert screen.marks() == [("PER", "Baltic Freight", True)]
    screen.press("ArrowLeft", "Shift+ArrowRight", "Shift+ArrowLeft", "3")
    assert screen.marks() == [("LOC", "Baltic", True), ("PER", "Freight", True)]
    screen.press("Enter").expect_example(ids[1]).expect_status("Saved")
    spans = [{"start": 15, "end": 21, "label": "LOC"}, {"start": 22, "end": 29, "label": "PER"}]
    assert stored(filled, project, ids[0]) == [("accepted", {"spans": spans})]


def test_all_suggestions_are_confirmed_at_once(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, name="all at once")
    said = Spans((Span(0, 11, "PER"), Span(38, 42, "LOC")))
    suggest(filled, project, {ids[0]: Prediction(said, 0.6, (0.6, 0.7), (0.4, *[0.0] * 10), ())})
    screen = Screen(page, app, project.name).open().expect_example(ids[0])
    expect(screen.part("confirmAll")).to_contain_text("Confirm 2 suggestions")
    screen.press("Shift+Enter")
    assert [mark[2] for mark in screen.marks()] == [True, True]
    expect(screen.part("confirmAll")).to_be_hidden()
    screen.expect_example(ids[0]).press("Control+z")
    assert [mark[2] for mark in screen.marks()] == [False, False]
    screen.part("confirmAll").click()
    screen.press("Enter").expect_example(ids[1]).expect_status("Saved")
    assert [len(payload["spans"]) for _, payload in stored(filled, project, ids[0])] == [2]


def test_only_these_spans_are_judged(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, name="only these")
    said = Spans((Span(0, 11, "PER"), Span(38, 42, "LOC")))
    suggest(filled, project, {ids[0]: Prediction(said, 0.6, (0.6, 0.7), (0.4, *[0.0] * 10), ())})
    screen = Screen(page, app, project.name).open().expect_example(ids[0])
    switch = screen.part("partial")
    expect(switch).to_have_attribute("aria-pressed", "false")
    # Without a span that a person has said, partial labels say nothing.
    screen.press("r", "Enter").expect_example(ids[0])
    expect(switch).to_have_attribute("aria-pressed", "true")
    expect(screen.part("message")).to_contain_text("Confirm or label a span first")
    # The switch is undone like any change; the suggestion that nobody confirmed does not go along.
    screen.press("Control+z")
    expect(switch).to_have_attribute("aria-pressed", "false")
    screen.press("Control+Shift+z", "Space")
    expect(screen.part("acceptText")).to_have_text("Accept only these")
    screen.press("Enter").expect_example(ids[1]).expect_status("Saved")
    expect(switch).to_have_attribute("aria-pressed", "false")
    person = {"spans": [{"start": 0, "end": 11, "label": "PER"}]}
    assert stored(filled, project, ids[0]) == [("accepted", {**person, "partial": True})]
    # It is there again on the way back, and after the page was loaded anew.
    page.reload()
    screen.ready().press("PageUp").expect_example(ids[0])
    expect(screen.part("banner")).to_contain_text("You accepted this one, only these spans")
    expect(switch).to_have_attribute("aria-pressed", "true")
    switch.click()
    screen.press("Enter").expect_status("Saved")
    assert stored(filled, project, ids[0])[-1] == ("accepted", person)


def test_several_answers_and_parts_of_words(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, "qa", (), [QA_TEXT], name="several answers")
    year = QA_TEXT.index("1911")
    said = Prediction(Answers((Answer(year, year + 4),)), 0.8, (0.8,))
    suggest(filled, project, {ids[0]: said})
    screen = Screen(page, app, project.name).open().expect_example(ids[0])
    words = [screen.word(index).inner_text() for index in range(screen.part("text").locator(".u").count())]
    # Tab goes to the suggestion, Space confirms it, a drag adds another answer beside it.
    screen.press("Escape", "Tab", "Space").drag(words.index("Ada"), words.index("Finch"))
    assert screen.marks() == [("answer", "1911", True), ("answer", "Ada Finch", True)]
    # With Alt letters are marked: "burn" of "burned", from its left edge to the middle of the word.
    box = screen.word(words.index("burned")).bounding_box()
    assert box
    page.keyboard.down("Alt")
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 1, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.62, middle, steps=5)
    page.mouse.up()
    page.keyboard.up("Alt")
    screen.press("Enter").expect_example(ids[1]).expect_status("Saved")
    [(_, payload)] = stored(filled, project, ids[0])
    chosen = [QA_TEXT[one["start"] : one["end"]] for one in payload["answers"]]
    assert chosen == ["burn", "1911", "Ada Finch"]


def test_forty_five_tags_are_typed_by_their_names(page: Page, app: ServedApp, filled: Workbench) -> None:
    text = " ".join(f"w{number}" for number in range(len(PENN)))
    project, ids = make_project(filled, "pos", PENN, [text, "next"], name="forty five tags")
    screen = Screen(page, app, project.name).open().expect_example(ids[0])
    assert screen.root.locator("[data-ref=palette] .label[data-name]").count() >= len(PENN) == 45
    screen.press("Home")
    for tag in PENN:
        screen.press(*tag.lower(), "Enter")
    assert [mark[0] for mark in screen.marks()] == PENN
    screen.press("Enter").expect_example(ids[1]).expect_status("Saved")
    assert stored(filled, project, ids[0]) == [("accepted", {"tags": PENN})]


def focused_after(page: Page, key: str) -> dict[str, bool] | None:
    """The control of the labeler that a key leads to, and whether it is drawn as focused; None outside of it."""
    page.keyboard.press(key)
    found: dict[str, bool] | None = page.evaluate(
        """() => {
            let at = document.activeElement;
            while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
            if (!at?.closest(".labeler") || at.dataset.ref === "stage") return null;
            const style = getComputedStyle(at);
            const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
            return {[at.dataset.ref ?? at.dataset.name ?? at.textContent]: ring};
        }"""
    )
    return found


def test_the_focus_is_seen_wherever_the_tab_key_goes(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, name="focus is seen")
    screen = (
        Screen(page, app, project.name).open().press("Enter").expect_example(ids[1]).expect_status("Saved")
    )
    seen = {}
    for key in ("Tab", "Shift+Tab"):
        screen.part("stage").focus()
        while (found := focused_after(page, key)) is not None:
            seen.update(found)
    assert {"back", "skip", "flag", "accept", "find", "guidelines", "help", "PER", "ORG", "LOC"} <= set(seen)
    assert [name for name, ring in seen.items() if not ring] == []
    # A button that was reached so is pressed by its own key.
    screen.part("skip").focus()
    screen.press("Enter")
    expect(screen.part("sheet")).to_be_visible()


def test_all_is_reached_and_said_without_a_mouse(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, "pos", ["NN", "VB"], ["dogs bark", "cats nap"], name="no mouse")
    screen = Screen(page, app, project.name).open().expect_example(ids[0])
    live, message = screen.part("live"), screen.part("message")
    expect(screen.part("reading")).to_have_text("dogs bark")
    expect(live).to_have_text("dogs, no tag")
    # From the last word without a tag Tab goes on to what stands beside the text, from the first one Shift+Tab back.
    assert focused_after(page, "Tab") is None
    expect(live).to_have_text("bark, no tag")
    assert focused_after(page, "Tab") is not None
    assert focused_after(page, "Shift+Tab") is None
    assert focused_after(page, "Shift+Tab") is None
    expect(live).to_have_text("dogs, no tag")
    assert focused_after(page, "Shift+Tab") is not None
    # The list of tags says what Enter would take.
    screen.part("stage").focus()
    screen.press("/", "ArrowDown")
    page.wait_for_timeout(300)  # the panels follow by a frame, and must not speak over it
    expect(live).to_have_text("VB, 2 of 2")
    screen.press("Escape", "Enter")
    expect(message).to_contain_text("Enter again leaves them so")
    expect(message).to_have_attribute("role", "status")
    # Letters narrow the list: the commands' letters are pressed with Alt, and the buttons say so.
    titles = {
        name: screen.part(name).get_attribute("title") for name in ("skip", "flag", "guidelines", "heat")
    }
    assert all(f"(Alt+{name[0].upper()})" in (title or "") for name, title in titles.items()), titles


def test_long_guidelines_are_read_by_keys(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, name="long guidelines")
    lists = "# Names\n- **Ships**\n- a ferry\n  is none\n> [Ada]{PER} met it\n\n"
    filled.projects.set_guidelines(
        project, lists + "A ferry is no name.\n\n" * 90 + "\r\n- the last\r\n- of all\n"
    )
    screen = Screen(page, app, project.name).open().expect_example(ids[0])
    page.wait_for_selector(".labeler[data-fitted]")
    drawer = screen.part("drawer")
    seen = "element => [element.getRootNode().activeElement === element, element.scrollTop > 0]"
    screen.press("Home", "g")
    expect(drawer.locator(".prose li")).to_have_text(["Ships", "a ferry is none", "the last", "of all"])
    expect(drawer.locator(".prose h3").first).to_have_text("Names")
    expect(drawer.locator(".prose blockquote mark")).to_have_count(1)
    screen.press("PageDown")
    page.wait_for_timeout(500)
    assert drawer.evaluate(seen) == [True, True]
    screen.press("ArrowDown", "Home")
    page.wait_for_timeout(500)
    assert drawer.evaluate(seen) == [True, False]
    screen.expect_example(ids[0])
    expect(screen.part("live")).to_have_text("Marta, no label")
    # Labels mean the text still; Esc and G close the drawer, and then all keys do.
    screen.press("1")
    assert screen.marks() == [("PER", "Marta", True)]
    for close in ("Escape", "g"):
        expect(drawer).to_be_visible()
        screen.press(close)
        expect(drawer).to_be_hidden()
        expect(screen.part("stage")).to_be_focused()
        screen.press("g")
    # What stood above the labeler and is gone gives it its room.
    page.get_by_role("button", name="I have read this").click()
    expect(page.get_by_role("button", name="I have read this")).to_have_count(0)
    page.wait_for_timeout(500)
    height = "element => element.getBoundingClientRect().height"
    grown = screen.root.evaluate(height)
    page.reload()
    screen.ready()
    page.wait_for_selector(".labeler[data-fitted]")
    assert grown == screen.root.evaluate(height)


def test_more_of_the_document_comes_into_view(page: Page, app: ServedApp, filled: Workbench) -> None:
    texts = [f"Sentence {number} is long . " * (1 if number in (0, 20) else 40) for number in range(40)]
    project, ids = make_project(filled, texts=texts, name="more comes into view")
    screen = Screen(page, app, project.name).open().expect_example(ids[0])
    near = screen.root.locator(".near")
    expect(near).to_have_count(2)
    for side in ("before", "after"):
        expect(screen.part(side)).to_have_attribute("aria-label", f"Text {side}")
        assert screen.part(side).get_attribute("aria-hidden") is None
    # What has come is seen and said; the same keys go on through it before they ask for more.
    screen.press("Alt+ArrowDown")
    expect(near).to_have_count(10)
    expect(near.nth(2)).to_be_in_viewport()
    expect(screen.part("reading")).to_contain_text("Sentence 3 is long")
    screen.press("Alt+ArrowDown", "Alt+ArrowDown")
    expect(near.nth(9)).to_be_in_viewport()
    expect(near).to_have_count(10)
    page.goto(app.url("Label", project=project.name, example=str(ids[20])))
    screen.ready().expect_example(ids[20])
    above = screen.part("before").locator(".near")
    expect(above).to_have_count(2)
    screen.press("Alt+ArrowUp")
    expect(above).to_have_count(10)
    expect(above.nth(7)).to_be_in_viewport()
    screen.press("ArrowRight")
    expect(screen.word(0)).to_be_in_viewport()
