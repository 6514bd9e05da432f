"""Labeled text is drawn whole, and nothing in it can run."""

import re
from html import unescape

import pytest

from workbench.domain import Answer, Answers, ExampleText, Label, Span, Spans, Tags
from workbench.ui.text_view import GREY, label_chip, labeled_text

LABELS = [Label("PER", "#4477aa"), Label("<b>", "red; background: url(x)")]
EVIL = "<script>alert('x')</script> & \"q\""


def words(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def test_text_is_whole_and_escaped() -> None:
    html = labeled_text(ExampleText(EVIL), None, [])
    assert "<script" not in html
    assert words(html) == EVIL


def test_spans_stand_beside_their_labels() -> None:
    text = "Ada met <Bob>\nin 😀 Rome."
    html = labeled_text(ExampleText(text), Spans((Span(0, 3, "PER"), Span(8, 13, "<b>"))), LABELS)
    assert words(html) == "AdaPER met <Bob><b>\nin 😀 Rome."
    assert "#4477aa" in html and "url(x)" not in html and GREY in html


def test_overlapping_spans_draw_the_first() -> None:
    html = labeled_text(ExampleText("abcdef"), Spans((Span(0, 4, "PER"), Span(2, 6, "PER"))), LABELS)
    assert words(html) == "abcdPERef"


def test_tags_stand_under_their_tokens() -> None:
    content = ExampleText("Dogs  bark.", ((0, 4), (6, 10), (10, 11)))
    html = labeled_text(content, Tags(("NNS", None, "<i>")), [])
    assert words(html) == "DogsNNS  bark·.<i>"


def test_question_and_answer() -> None:
    content = ExampleText("It rained in May.", question="When? <img src=x onerror=alert(1)>")
    html = labeled_text(content, Answers((Answer(13, 16),)), [])
    assert words(html).endswith("It rained in Mayanswer.") and "<img" not in html
    assert "no answer" in labeled_text(content, Answers(), [])
    assert "no answer" not in labeled_text(content, None, [])


@pytest.mark.parametrize("limit", [1, 10, 40, 1000])
def test_a_limit_keeps_the_answer(limit: int) -> None:
    text = "word " * 50 + "ANSWER" + " word" * 50
    html = labeled_text(ExampleText(text, question="?"), Answers((Answer(250, 256),)), [], limit=limit)
    assert "ANSWERanswer" in words(html)
    assert len(words(html)) < limit + 40


def test_chips_are_escaped() -> None:
    assert words(label_chip(LABELS[1], 1234)) == "<b> 1,234"
