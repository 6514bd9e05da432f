"""The component's plain functions, run where they will run: positions, spans, words, the tag list, the outbox."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from workbench.ui.labeler import bundle

pytestmark = pytest.mark.browser

NAMES = (
    "makeOffsets, splitWords, snapToGrapheme, directionOf, labelSpan, removeSpan, moveEdge, addAnswer, confirmMarks,"
    "sameMarks, rankLabels, openItem, writePayload, doubtsOf, commandOf, COMMANDS, Outbox,"
    "Decisions, Deck, Drafts, Cursor, setTag, readAloud"
)
Run = Callable[..., Any]


@pytest.fixture
def run(page: Page) -> Run:
    """Evaluate an expression over the script's functions and ``arg``."""
    page.route("http://script.test/", lambda route: route.fulfill(body="<p></p>", content_type="text/html"))
    page.goto("http://script.test/")
    source = base64.b64encode(f"{bundle.script()}\nexport {{ {NAMES} }};".encode()).decode()
    page.evaluate(
        "async text => Object.assign(window, await import('data:text/javascript;base64,' + text))", source
    )
    return lambda expression, arg=None: page.evaluate(f"arg => ({expression})", arg)


def units(text: str) -> list[list[int]]:
    found, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        found.append([at, at + len(word)])
        at += len(word)
    return found


TEXT = "Marta Nowak of Baltic Freight in Riga"


def spans(*given: tuple[int, int, str]) -> dict[str, Any]:
    """Spans by their first and last word."""
    words = units(TEXT)
    return {
        "spans": [
            {"s": words[a][0], "e": words[b][1], "label": label, "sure": True, "p": None}
            for a, b, label in given
        ]
    }


def after(run: Run, call: str, marks: dict[str, Any], *arguments: Any) -> list[tuple[str, str]]:
    """(label, text) of the spans that a function gives back."""
    result = run(
        f"{call}(arg.marks, arg.units, ...arg.rest)",
        {"marks": marks, "units": units(TEXT), "rest": list(arguments)},
    )
    return [(one["label"], TEXT[one["s"] : one["e"]]) for one in result["spans"]]


def test_code_points_and_units_agree_on_every_character(run: Run) -> None:
    text = "a😀b👩‍👩‍👧é\r\nש𐍈 z"
    converted = run(
        """(o => [...Array(arg.points + 1).keys()].map(n => [n, o.toUnits(n), o.toPoints(o.toUnits(n))]))
           (makeOffsets(arg.text))""",
        {"text": text, "points": len(text)},
    )
    for point, unit, back in converted:
        assert (unit, back) == (len(text[:point].encode("utf-16-le")) // 2, point)


def test_words_of_a_text(run: Run) -> None:
    text = "Don't pay 12%  in Köln,\r\n王先生 👩‍👩‍👧 ok."
    words = [
        text.encode("utf-16-le")[2 * s : 2 * e].decode("utf-16-le") for s, e in run("splitWords(arg)", text)
    ]
    assert words[:7] == ["Don't", "pay", "12", "%", "in", "Köln", ","]
    assert "👩‍👩‍👧" in words
    assert run("snapToGrapheme(arg, 3)", "👩‍👩‍👧") == 0
    assert run("snapToGrapheme(arg, 1)", "e\u0301x") == 0


def test_direction(run: Run) -> None:
    assert [run("directionOf(arg)", text) for text in ("42 abc שלום", "… שלום abc", "123")] == [
        "ltr",
        "rtl",
        "ltr",
    ]


def test_labeling_a_range_cuts_what_it_overlaps(run: Run) -> None:
    marks = spans((0, 1, "PER"), (3, 4, "ORG"))
    assert after(run, "labelSpan", marks, 1, 3, "LOC", False) == [
        ("PER", "Marta"),
        ("LOC", "Nowak of Baltic"),
        ("ORG", "Freight"),
    ]


def test_the_same_label_joins_and_extends(run: Run) -> None:
    marks = spans((0, 0, "PER"), (2, 2, "PER"))
    assert after(run, "labelSpan", marks, 0, 2, "PER", False) == [("PER", "Marta Nowak of")]
    assert after(run, "labelSpan", spans((3, 3, "ORG")), 3, 4, "ORG", False) == [("ORG", "Baltic Freight")]


def test_a_caret_means_the_whole_span(run: Run) -> None:
    marks = spans((0, 1, "PER"))
    assert after(run, "labelSpan", marks, 1, 1, "ORG", True) == [("ORG", "Marta Nowak")]
    assert after(run, "removeSpan", marks, 1, 1, True) == []
    assert after(run, "removeSpan", spans((2, 4, "ORG")), 3, 3, False) == [("ORG", "of"), ("ORG", "Freight")]


def test_edges_stop_at_neighbours_and_at_the_text(run: Run) -> None:
    marks = spans((0, 1, "PER"), (3, 4, "ORG"))
    assert after(run, "moveEdge", marks, 0, "end", 1) == [
        ("PER", "Marta Nowak of"),
        ("ORG", "Baltic Freight"),
    ]
    assert after(run, "moveEdge", marks, 0, "start", -1)[0] == ("PER", "Marta Nowak")
    assert after(run, "moveEdge", spans((0, 2, "PER"), (3, 4, "ORG")), 0, "end", 1)[0] == (
        "PER",
        "Marta Nowak of",
    )
    assert after(run, "moveEdge", spans((0, 0, "PER")), 0, "end", -1) == [("PER", "Marta")]


def test_overlapping_answers_give_way(run: Run) -> None:
    marks = {
        "answers": [{"s": 0, "e": 5, "sure": False, "p": 0.5}, {"s": 9, "e": 12, "sure": True, "p": None}]
    }
    found = run("addAnswer(arg, 3, 8)", {**marks, "none": "suggested"})
    assert [(one["s"], one["e"]) for one in found["answers"]] == [(3, 8), (9, 12)]
    assert found["none"] == ""


def test_the_tag_list(run: Run) -> None:
    labels = [{"name": name, "description": ""} for name in ("VB", "NNS", "NN", "NNP", "CNN")]
    ranked = "rankLabels(arg, {!r}, new Map([['NNP', 0.6]])).map(label => label.name)"
    assert run(ranked.format("nn"), labels) == ["NN", "NNP", "NNS", "CNN"]
    assert run(ranked.format(""), labels)[0] == "NNP"
    assert run(ranked.format("q"), labels) == []


def test_an_item_goes_in_and_comes_out_in_code_points(run: Run) -> None:
    text = "😀 Riga 👍🏽 Oslo"
    tokens = [
        position for word in text.split() for position in (text.index(word), text.index(word) + len(word))
    ]
    payload = {"spans": [{"start": text.index("Oslo"), "end": len(text), "label": "LOC"}]}
    suggestion = {"model_version": 1, "payload": payload, "confidence": 0.5, "confidences": [0.5]}
    item = {
        "id": 1,
        "text": text,
        "tokens": tokens,
        "suggestion": {**suggestion, "uncertainty": [0, 0.9, 0, 0.1], "alternatives": []},
    }
    assert run("writePayload(openItem(arg, 'ner'), openItem(arg, 'ner').marks)", item) == payload
    assert run("doubtsOf(openItem(arg, 'ner'))", item) == [1, 3]


def test_no_key_means_two_things(run: Run) -> None:
    for task in ("ner", "pos", "qa"):
        keys = run(
            f"COMMANDS.filter(c => c.tasks.includes('{task}')).flatMap(c => [c.on, c.plain].filter(Boolean))"
        )
        assert sorted(keys) == sorted(set(keys))


def test_a_labels_key_goes_before_a_commands_letter(run: Run) -> None:
    event = "{key: 's', code: 'KeyS', altKey: %s, shiftKey: false}"
    assert run(f"commandOf({event % 'false'}, 'ner', new Set())") == "skip"
    assert run(f"commandOf({event % 'false'}, 'ner', new Set(['s']))") is None
    assert run(f"commandOf({event % 'true'}, 'ner', new Set(['s']))") == "skip"
    assert run(f"commandOf({event % 'false'}, 'pos', new Set())") is None


def test_an_outbox_forgets_only_what_was_acknowledged(run: Run) -> None:
    script = """(async () => {
        const sent = [];
        const send = list => sent.push(list.items.map(item => item.example_id));
        const make = () => new Outbox("t", {send, wake: () => {}, changed: () => {}});
        const box = make();
        const ids = [1, 2, 3].map(n => box.add({example_id: n, at: n}));
        await new Promise(done => setTimeout(done, 200));
        box.acknowledge([{client_id: ids[0], stored: true}, {client_id: ids[2], stored: false, message: "no"}]);
        const again = make();
        const state = one => [one.waiting.map(i => i.example_id), one.refused.map(i => i.example_id)];
        const answer = {sent, box: state(box), again: state(again), kept: localStorage.length};
        box.close(); again.close();
        return answer;
    })()"""
    assert run(script) == {
        "sent": [[1, 2, 3]],
        "box": [[2], [3]],
        "again": [[2], [3]],
        "kept": 2,
    }


WORDS = {"id": 7, "text": "dogs bark loudly", "tokens": [0, 4, 5, 9, 10, 16], "base_revision": 0}


def test_a_draft_answers_what_was_there_when_it_was_begun(run: Run) -> None:
    script = """(() => {
        const deck = () => new Deck("pos", new Drafts("t"));
        const one = deck();
        one.extend([arg], new Set());
        one.change(setTag(one.current.marks, 0, 0, "NN"));
        const two = deck();
        two.extend([{...arg, base_revision: 3}], new Set());
        return [two.current.marks.tags[0].tag, two.current.item.base_revision];
    })()"""
    assert run(script, WORDS) == ["NN", 0]


def test_after_save_mine_the_next_revision_follows_theirs(run: Run) -> None:
    script = """(() => {
        const sent = [];
        const deck = {seconds: () => 1, submitted: () => {}, forward: () => {}};
        const outbox = {add: item => sent.push(item.base_revision), drop: () => {}};
        const labeler = {deck, outbox, session: {}, panels: {note: () => {}}, draw: () => {}};
        const entry = openItem(arg, "pos");
        entry.refused = {client_id: "a", refused: {message: "bob", newer: {revision: 4}}};
        const decisions = new Decisions(labeler);
        decisions.submit(entry, "accepted", "");
        decisions.submit(entry, "accepted", "");
        return sent;
    })()"""
    assert run(script, WORDS) == [4, 4]


def test_a_flags_comment_comes_back_with_it(run: Run) -> None:
    comment = (
        "openItem({...arg, said: {status: '%s', payload: null, comment: 'Is it a noun?'}}, 'pos').comment"
    )
    assert run(comment % "flagged", WORDS) == "Is it a noun?"
    assert run(comment % "skipped", WORDS) == ""


def test_tab_goes_from_doubt_to_doubt_and_out_at_either_end(run: Run) -> None:
    script = """(() => {
        const current = {...openItem(arg, "pos"), view: {elements: []}};
        const cursor = new Cursor({deck: {current}, paint: () => {}});
        const step = (by, round) => [cursor.stepDoubt(by, round), cursor.selection.first];
        return [step(1), step(1), step(1), step(1), step(-1), step(-1), step(-1), step(-1, true)];
    })()"""
    assert run(script, WORDS) == [
        [True, 0],
        [True, 1],
        [True, 2],
        [False, 2],
        [True, 1],
        [True, 0],
        [False, 0],
        [True, 2],
    ]


def test_an_example_is_read_out_with_its_question_first(run: Run) -> None:
    assert run("readAloud(openItem(arg, 'pos'))", WORDS) == "dogs bark loudly"
    asked = {**WORDS, "question": "Who barks?"}
    assert run("readAloud(openItem(arg, 'qa'))", asked) == "Who barks? Text: dogs bark loudly"
    long = run("readAloud(openItem(arg, 'qa')).length", {**asked, "text": "dogs " * 2_000})
    assert long == 2_000
