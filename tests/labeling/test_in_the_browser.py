"""Labeling in a real browser: each task by keys and by mouse, down to the stored payload."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import ServedApp
from tests.labeling.corpus import QA_TEXT, make_project, make_user, stored, suggest
from tests.labeling.screen import Screen
from workbench.domain import Answer, Answers, Prediction, Span, Spans, Tags
from workbench.services import Workbench
from workbench.services.annotation_items import Submission

pytestmark = pytest.mark.browser


def test_ner_by_keys(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, name="ner by keys")
    prediction = Prediction(
        Spans((Span(0, 11, "ORG"), Span(38, 42, "LOC"))), 0.6, (0.6, 0.97), (0.4, 0.4, *[0.0] * 9), ()
    )
    suggest(filled, project, {ids[0]: prediction})
    screen = Screen(page, app, project.name).open().expect_example(ids[0])
    assert screen.marks() == [("ORG 60%", "Marta Nowak", False), ("LOC 97%", "Riga", False)]
    # The doubtful suggestion is where the cursor stands; its key is pressed, then Baltic Freight is labeled.
    screen.press("1", "ArrowRight", "ArrowRight", "Shift+ArrowRight", "2")
    assert screen.marks() == [
        ("PER", "Marta Nowak", True),
        ("ORG", "Baltic Freight", True),
        ("LOC 97%", "Riga", False),
    ]
    screen.press("Control+z").press("Control+Shift+z", "Enter").expect_example(ids[1]).expect_status("Saved")
    spans = [(0, 11, "PER"), (15, 29, "ORG"), (38, 42, "LOC")]
    payload = {"spans": [{"start": s, "end": e, "label": label} for s, e, label in spans]}
    assert stored(filled, project, ids[0]) == [("accepted", payload)]
    assert filled.annotation.history(project, ids[0])[0].suggestion_version == 1


def test_ner_by_mouse(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, name="ner by mouse")
    screen = Screen(page, app, project.name).open()
    screen.drag(0, 1)
    screen.root.locator(".label[data-name=PER]").click()
    screen.word(3).click()
    screen.word(4).click(modifiers=["Shift"])
    screen.press("2")
    # A label that is pressed first marks what is dragged over; a part of a span that is taken away splits it.
    screen.press("Escape")
    screen.root.locator(".label[data-name=LOC]").click()
    screen.drag(7, 9)
    assert screen.marks()[-1] == ("LOC", "Riga on Monday", True)
    screen.press("Escape").drag(8, 9).press("Backspace")
    assert [mark[:2] for mark in screen.marks()] == [
        ("PER", "Marta Nowak"),
        ("ORG", "Baltic Freight"),
        ("LOC", "Riga"),
    ]
    screen.part("accept").click()
    screen.expect_example(ids[1]).expect_status("Saved")
    assert [one["label"] for one in stored(filled, project, ids[0])[0][1]["spans"]] == ["PER", "ORG", "LOC"]


def test_pos_by_keys(page: Page, app: ServedApp, filled: Workbench) -> None:
    labels = ["NN", "NNS", "VB", "VBZ", "DT", "IN"]
    project, ids = make_project(
        filled, "pos", labels, ["the dogs bark at night", "a cat sleeps"], name="pos by keys"
    )
    said = Prediction(Tags(("DT", "NN", "VB", "IN", "NN")), 0.4, (0.99, 0.4, 0.95, 0.99, 0.6), (0.0,) * 5, ())
    suggest(filled, project, {ids[0]: said})
    screen = Screen(page, app, project.name).open()
    # Tab stops at doubts only; typing narrows the list; a digit is a tag's own key.
    screen.press("n", "n", "s")
    expect(screen.part("picker")).to_contain_text("NNS")
    screen.press("Tab")
    assert [mark[0] for mark in screen.marks()] == ["DT", "NNS", "VB", "IN", "NN 60%"]
    screen.press("Space")
    assert screen.marks()[4] == ("NN", "night", True)
    screen.press("Enter").expect_example(ids[1])
    screen.press("5", "1", "v", "b", "z", "Enter")
    assert [mark[0] for mark in screen.marks()] == ["DT", "NN", "VBZ"]
    screen.press("Enter").expect_status("Saved")
    assert stored(filled, project, ids[0]) == [("accepted", {"tags": ["DT", "NNS", "VB", "IN", "NN"]})]
    assert stored(filled, project, ids[1]) == [("accepted", {"tags": ["DT", "NN", "VBZ"]})]


def test_pos_by_mouse(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, "pos", ["NN", "VB"], ["dogs bark", "cats nap"], name="pos by mouse")
    screen = Screen(page, app, project.name).open()
    screen.word(0).click()
    screen.root.locator(".label[data-name=NN]").click()
    screen.part("accept").click()
    expect(screen.part("message")).to_contain_text("no tag yet")
    screen.part("accept").click()
    screen.expect_example(ids[1]).expect_status("Saved")
    assert stored(filled, project, ids[0]) == [("accepted", {"tags": ["NN", None]})]


def test_qa_by_keys(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, "qa", (), [QA_TEXT], name="qa by keys")
    year = QA_TEXT.index("1911")
    suggest(filled, project, {ids[0]: Prediction(Answers((Answer(year, year + 4),)), 0.8, (0.8,))})
    screen = Screen(page, app, project.name).open()
    expect(screen.part("question")).to_have_text("When did the mill burn down?")
    assert screen.marks() == [("answer 80%", "1911", False)]
    screen.press("Space", "{").press("Control+z")
    screen.press("Enter").expect_example(ids[1])
    screen.press("Enter")
    expect(screen.part("message")).to_contain_text("Mark an answer")
    screen.press("End", "ArrowLeft", "Shift+ArrowLeft", "Space", "Enter").expect_example(ids[2])
    screen.press("n", "Enter").expect_status("Saved")
    ada = QA_TEXT.index("Ada")
    assert stored(filled, project, ids[0])[0][1]["answers"] == [{"start": year, "end": year + 4}]
    assert stored(filled, project, ids[1])[0][1]["answers"] == [{"start": ada, "end": ada + len("Ada Finch")}]
    assert stored(filled, project, ids[2]) == [("accepted", {"answers": [], "no_answer": True})]


def test_qa_by_mouse(page: Page, app: ServedApp, filled: Workbench) -> None:
    text = "Rents rose 👩‍👩‍👧 by 12% in Köln\r\nand  by 3% elsewhere."
    project, ids = make_project(
        filled, "qa", (), [text], questions=["By how much?", "Where?"], name="qa by mouse"
    )
    screen = Screen(page, app, project.name).open()
    words = [screen.word(index).inner_text() for index in range(6)]
    first = words.index("12")
    screen.drag(first, first + 1)
    assert screen.marks() == [("answer", "12 %", True)]
    screen.part("accept").click()
    screen.expect_example(ids[1])
    screen.root.locator(".label[data-name=none]").click()
    screen.part("accept").click()
    screen.expect_status("Saved")
    start = text.index("12%")
    assert stored(filled, project, ids[0])[0][1]["answers"] == [{"start": start, "end": start + 3}]
    assert stored(filled, project, ids[1]) == [("accepted", {"answers": [], "no_answer": True})]


def test_an_answer_is_kept_before_its_key_is_done_with(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, name="kept before its key is done with")
    screen = Screen(page, app, project.name).open().expect_example(ids[0])
    # Asked within the key's own event: nothing that comes later (a frame, a timer, the server) has had its turn.
    kept = screen.part("stage").evaluate(
        """stage => {
            const kept = () => Object.keys(localStorage).filter(key => key.startsWith("workbench/outbox/")).length;
            const before = kept();
            const key = {key: "Enter", code: "Enter", bubbles: true, composed: true};
            stage.dispatchEvent(new KeyboardEvent("keydown", key));
            return [before, kept(), stage.closest(".labeler").dataset.example];
        }"""
    )
    assert kept == [0, 1, str(ids[1])]
    tab = page.context.new_page()
    page.close()
    Screen(tab, app, project.name).open().expect_example(ids[1]).expect_status("Saved")
    assert stored(filled, project, ids[0]) == [("accepted", {"spans": []})]


def test_what_helps_to_decide_is_a_key_away(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, name="what helps to decide")
    project = filled.projects.update_label(project, "ORG", description="Companies, clubs, public bodies")
    filled.projects.set_guidelines(project, "# Names\n\n- A ferry is no name")
    first, rest = (("B-ORG", 0.6), ("O", 0.3), ("B-PER", 0.1)), (("O", 0.99),)
    prediction = Prediction(Spans((Span(0, 5, "ORG"),)), 0.6, (0.6,), (0.8, *[0.0] * 9), (first, *[rest] * 9))
    suggest(filled, project, {ids[0]: prediction})
    screen = Screen(page, app, project.name).open().expect_example(ids[0])
    # The runners-up of the doubtful word, who suggests it, and the same in words for a screen reader.
    expect(screen.part("cursor").locator(".alternative .name")).to_have_text(["ORG", "no label", "PER"])
    expect(screen.part("cursor")).to_contain_text("Uncertainty 0.80")
    expect(screen.part("why")).to_contain_text("model v1, 60% sure")
    expect(screen.part("live")).to_have_text("Marta, ORG, suggested, 60%")
    plain, hot = screen.word(1), screen.word(0)
    color = "element => getComputedStyle(element).backgroundColor"
    screen.press("Escape", "h")
    expect(screen.part("heat")).to_have_attribute("aria-pressed", "true")
    assert hot.evaluate(color) != plain.evaluate(color)
    screen.press("ArrowRight", "1")
    expect(screen.part("live")).to_have_text("Marta, PER")
    # What a label means, on its button and in the drawer beside the guidelines.
    label = screen.root.locator(".label[data-name=ORG]")
    expect(label).to_have_attribute("title", "Companies, clubs, public bodies")
    screen.press("g")
    expect(screen.part("drawer")).to_contain_text("A ferry is no name")
    expect(screen.part("drawer")).to_contain_text("Companies, clubs, public bodies")
    screen.press("g", "Shift+Slash")
    expect(screen.part("sheet").locator(".help-row")).not_to_have_count(0)
    # A search jumps; undo walks back to the example before and through its changes; redo comes forward again.
    screen.press("Escape", "Enter").expect_example(ids[1]).press("Alt+k")
    page.keyboard.type("Nordbank")
    expect(screen.part("sheet").locator(".result")).to_have_count(1)
    screen.press("Enter").expect_example(ids[2])
    screen.press("PageUp", "PageUp").expect_example(ids[0]).press("Control+z")
    assert screen.marks() == [("ORG 60%", "Marta", False)]
    screen.press("Control+Shift+z")
    assert screen.marks() == [("PER", "Marta", True)]


def test_skip_flag_back_and_revise(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, name="skip flag back and revise")
    screen = Screen(page, app, project.name).open()
    screen.press("s", "2").expect_example(ids[1])
    screen.press("f")
    page.keyboard.type("Is a ferry a name?")
    screen.press("Enter").expect_example(ids[2])
    screen.press("Enter").expect_example(ids[3]).expect_status("Saved")
    screen.press("PageUp").expect_example(ids[2])
    expect(screen.part("banner")).to_contain_text("You accepted this one")
    screen.press("ArrowRight", "Shift+ArrowRight", "1", "Enter").expect_example(ids[3]).expect_status("Saved")
    assert stored(filled, project, ids[0]) == [("skipped", None)]
    assert filled.annotation.history(project, ids[0])[0].comment == "Wrong language"
    assert [row.comment for row in filled.annotation.history(project, ids[1])] == ["Is a ferry a name?"]
    person = {"spans": [{"start": 0, "end": 12, "label": "PER"}]}
    assert stored(filled, project, ids[2]) == [("accepted", {"spans": []}), ("accepted", person)]


def test_a_reload_keeps_the_place_and_the_draft(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, name="a reload keeps the place and the draft")
    screen = Screen(page, app, project.name).open()
    screen.press("Enter").expect_example(ids[1]).expect_status("Saved")
    screen.press("ArrowRight", "ArrowRight", "3")
    page.reload()
    screen.ready().expect_example(ids[1])
    assert screen.marks() == [("LOC", "ferry", True)]
    screen.press("PageUp").expect_example(ids[0])
    assert len(stored(filled, project, ids[0])) == 1


def test_somebody_elses_revision_is_shown_and_not_overwritten(
    page: Page, app: ServedApp, filled: Workbench
) -> None:
    project, ids = make_project(filled, name="somebody elses revision is shown and not")
    screen = Screen(page, app, project.name).open()
    person = {"spans": [{"start": 0, "end": 11, "label": "PER"}]}
    filled.annotation.submit(project, make_user(filled, "bob"), [Submission(ids[0], "b1", payload=person)])
    screen.press("Enter").expect_status("1 refused").expect_example(ids[1])
    screen.part("status").click()
    screen.expect_example(ids[0])
    expect(screen.part("banner")).to_contain_text("bob has revised this example")
    expect(screen.part("banner")).to_contain_text("Only bob: PER “Marta Nowak”")
    page.reload()
    screen.ready().expect_status("1 refused")
    assert len(stored(filled, project, ids[0])) == 1
    screen.part("status").click()
    screen.expect_example(ids[0]).press("Enter").expect_status("Saved")
    assert [payload for _, payload in stored(filled, project, ids[0])] == [person, {"spans": []}]


def test_in_a_correction_batch_it_is_said_whose_labels_are_shown(
    page: Page, app: ServedApp, filled: Workbench
) -> None:
    project, ids = make_project(filled, name="whose labels a correction shows")
    person = {"spans": [{"start": 0, "end": 12, "label": "PER"}]}
    said = Submission(ids[2], "to be corrected", payload=person)
    assert filled.annotation.submit(project, make_user(filled, "bob"), [said])[0].stored
    filled.corrections.create(project, [ids[2]], "Compare: versions 1 and 2 differ")
    screen = Screen(page, app, project.name).open().expect_example(ids[2])
    expect(screen.part("banner")).to_contain_text("bob accepted this one")
    assert [(label, sure) for label, _, sure in screen.marks()] == [("PER", True)]


def test_a_refused_flag_is_saved_as_a_flag(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, name="a refused flag is saved as a flag")
    screen = Screen(page, app, project.name).open()
    person = {"spans": [{"start": 0, "end": 11, "label": "PER"}]}
    said = Submission(ids[0], "before the flag", payload=person)
    assert filled.annotation.submit(project, make_user(filled, "bob"), [said])[0].stored
    screen.press("f")
    page.keyboard.type("which mill?")
    screen.press("Enter").expect_status("1 refused")
    screen.part("status").click()
    screen.expect_example(ids[0])
    screen.part("banner").get_by_role("button", name="Save mine").click()
    screen.expect_status("Saved")
    flagged = filled.annotation.history(project, ids[0])[-1]
    assert (flagged.status, flagged.comment) == ("flagged", "which mill?")


def test_two_tabs_do_not_store_an_example_twice(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, name="two tabs do not store an example twice")
    one = Screen(page, app, project.name).open()
    two = Screen(page.context.new_page(), app, project.name).open().expect_example(ids[0])
    one.press("Enter", "Enter").expect_example(ids[2]).expect_status("Saved")
    two.page.bring_to_front()
    two.expect_example(ids[2]).press("Enter").expect_example(ids[3]).expect_status("Saved")
    assert [len(stored(filled, project, one)) for one in ids] == [1, 1, 1, 0, 0]


def test_markup_in_the_data_stays_text(page: Page, app: ServedApp, filled: Workbench) -> None:
    texts = ["<img src=x onerror=alert(1)> & <b>bold</b>", "next"]
    project, _ = make_project(
        filled, "ner", ["<i>PER</i>", "LOC"], texts, name="markup in the data stays text"
    )
    filled.projects.set_guidelines(project, "# <script>alert(2)</script>\n\n**<u>x</u>**")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    screen = Screen(page, app, project.name).open()
    assert screen.part("text").inner_text() == texts[0]
    screen.press("g")
    expect(screen.part("drawer")).to_contain_text("<script>alert(2)</script>")
    assert screen.root.locator("img, script, u").count() == 0


def test_right_to_left_text_and_keys(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(
        filled, texts=["دانا سافرت إلى بيروت أمس", "next"], name="right to left text and keys"
    )
    screen = Screen(page, app, project.name).open()
    assert screen.part("text").locator(".text").get_attribute("dir") == "rtl"
    screen.press("Home", "ArrowLeft", "ArrowLeft", "ArrowLeft", "3", "Enter").expect_status("Saved")
    assert stored(filled, project, ids[0])[0][1]["spans"][0] == {"start": 15, "end": 20, "label": "LOC"}


def test_questions_are_worded_anew_and_asked(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, "qa", (), [QA_TEXT], name="questions worded anew and asked")
    screen = Screen(page, app, project.name).open()
    screen.press("e", "Control+a")
    page.keyboard.type("In which year did it burn down?")
    screen.press("Enter")
    expect(screen.part("question")).to_have_text("In which year did it burn down?")
    expect(screen.part("former")).to_have_text("Before: When did the mill burn down?")
    screen.press("Control+z")
    expect(screen.part("question")).to_have_text("When did the mill burn down?")
    screen.press("Control+Shift+z", "n")
    page.reload()
    screen.ready()
    expect(screen.part("question")).to_have_text("In which year did it burn down?")
    screen.press("a")
    page.keyboard.type("What burned down?")
    screen.press("Enter")
    expect(screen.part("question")).to_have_text("What burned down?")
    new = screen.example
    assert new not in ids
    screen.press("Home", "ArrowRight", "ArrowRight", "Shift+ArrowLeft", "Space", "Enter").expect_example(
        ids[0]
    )
    screen.press("Enter").expect_example(ids[1]).expect_status("Saved")
    assert stored(filled, project, new)[0][1]["answers"] == [{"start": 4, "end": 12}]
    worded = {"answers": [], "no_answer": True, "question": "In which year did it burn down?"}
    assert stored(filled, project, ids[0]) == [("accepted", worded)]
    # A refused question is kept until it is mended or forgotten.
    screen.press("a")
    page.keyboard.type("Who rebuilt it?")
    screen.press("Enter").expect_status("1 refused")
    screen.part("status").click()
    expect(screen.part("sheet")).to_contain_text("asked of this context already")
    screen.root.get_by_text("Forget it").click()
    screen.expect_status("Saved")


def test_as_much_of_the_document_as_wanted(page: Page, app: ServedApp, filled: Workbench) -> None:
    texts = [f"Sentence number {number} ." for number in range(40)]
    project, ids = make_project(filled, texts=texts, name="as much of the document as wanted")
    page.goto(app.url("Label", project=project.name, example=str(ids[20])))
    screen = Screen(page, app, project.name).ready().expect_example(ids[20])
    near = screen.root.locator(".near")
    expect(near).to_have_count(4)
    place = screen.word(0).bounding_box()
    screen.press("Alt+ArrowUp")
    expect(near).to_have_count(12)
    expect(near.first).to_have_text(texts[10])
    screen.part("moreAfter").click()
    expect(near).to_have_count(20)
    screen.press("Alt+ArrowDown")
    expect(near.last).to_have_text(texts[39])
    expect(screen.part("moreAfter")).to_be_hidden()
    assert place
    # What is wanted holds for the next ones, and after a reload.
    page.reload()
    screen.ready().expect_example(ids[20])
    expect(near).to_have_count(29)
    screen.part("fewer").click()
    expect(near).to_have_count(4)


def test_a_link_opens_one_example_and_a_reload_goes_on(page: Page, app: ServedApp, filled: Workbench) -> None:
    project, ids = make_project(filled, name="a link opens one example")
    person = {"spans": [{"start": 0, "end": 12, "label": "PER"}]}
    filled.annotation.submit(project, make_user(filled, "bob"), [Submission(ids[2], "link", payload=person)])
    page.goto(app.url("Label", project=project.name, example=str(ids[2])))
    screen = Screen(page, app, project.name).ready().expect_example(ids[2])
    expect(screen.part("banner")).to_contain_text("bob accepted this one")
    screen.press("ArrowRight", "2", "Enter").expect_status("Saved").expect_example(ids[0])
    organisation = {"spans": [{"start": 0, "end": 12, "label": "ORG"}]}
    assert [payload for _, payload in stored(filled, project, ids[2])] == [person, organisation]
    page.reload()
    screen.ready().expect_example(ids[0])
    page.goto(app.url("Label", project=project.name, example="999999"))
    screen.ready().expect_example(ids[0])
    expect(screen.part("message")).to_contain_text("no example with the number")


def test_five_thousand_tokens_with_odd_spaces_and_signs(
    page: Page, app: ServedApp, filled: Workbench
) -> None:
    # No-break and double spaces, CR LF, accents of their own, joined emoji: positions hold to the last token.
    line = "Zoe\u0308\u00a0Nowak  flew 👩‍👩‍👧 to Łódź\r\n"
    text = line * 833 + "in Riga"
    project, ids = make_project(filled, texts=[text, "next"], name="five thousand tokens")
    screen = Screen(page, app, project.name).open()
    assert screen.part("text").locator(".u").count() == 5_000
    screen.press("End", "3", "Home", "Shift+ArrowRight", "1")
    assert screen.marks() == [("PER", "Zoe\u0308 Nowak", True), ("LOC", "Riga", True)]
    screen.press("Enter").expect_example(ids[1]).expect_status("Saved")
    person = {"start": 0, "end": len("Zoe\u0308\u00a0Nowak"), "label": "PER"}
    place = {"start": len(text) - 4, "end": len(text), "label": "LOC"}
    assert stored(filled, project, ids[0]) == [("accepted", {"spans": [person, place]})]
