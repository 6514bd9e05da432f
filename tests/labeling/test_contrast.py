"""Every text of the labeling page can be read, in light and in dark (WCAG 2.2, 1.4.3: a contrast of 4.5 to 1)."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from playwright.sync_api import Browser

from tests.browser import TIMEOUT_MS, ServedApp
from tests.labeling.corpus import QA_TEXT, make_project, suggest
from tests.labeling.screen import Screen
from workbench.domain import Answer, Answers, Prediction, Project, Span, Spans, Tags
from workbench.services import Workbench

pytestmark = pytest.mark.browser

LEAST = 4.5
MEASURE = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const light = (rgb) => {
    const linear = (share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = rgb.slice(0, 3).map((value) => linear(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const above = (element) => element.parentElement ?? element.getRootNode().host ?? null;
  const behind = (element, pseudo) => {
    const style = pseudo && getComputedStyle(element, pseudo);
    const layers = style ? [rgba(style.backgroundColor)] : [];
    // A label stands below its words, not on them.
    const start = style?.position === "absolute" ? above(element) : element;
    for (let at = start; at; at = above(at)) layers.push(rgba(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const found = [];
  const measure = (element, pseudo, text) => {
    const style = getComputedStyle(element, pseudo);
    const back = behind(element, pseudo);
    const [one, other] = [light(over(rgba(style.color), back)), light(back)].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    found.push([`${element.tagName.toLowerCase()}.${element.className}${pseudo ?? ""}`, text.slice(0, 30), ratio]);
  };
  const root = document.querySelector(".labeler") ?? [...document.querySelectorAll("*")]
    .map((one) => one.shadowRoot?.querySelector(".labeler")).find(Boolean);
  for (const element of root.querySelectorAll("*")) {
    if (!element.checkVisibility() || element.matches(":disabled, .live")) continue;
    const own = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join("");
    if (own) measure(element, null, own);
    const after = getComputedStyle(element, "::after").content;
    if (after && !["none", "normal", '""'].includes(after)) measure(element, "::after", after);
  }
  return found;
}
"""


def prepared(workbench: Workbench, theme: str) -> list[tuple[Project, list[str]]]:
    """A project of each task with suggestions that are sure and in doubt, and the keys that show more of it."""
    ner, ids = make_project(
        workbench, labels=["PER", "ORG", "LOC", "MISC", "DATE", "EVENT", "LAW", "WORK"], name=f"ner {theme}"
    )
    words = (0.4, 0.9, *[0.02] * 9)
    spans = Spans((Span(0, 11, "PER"), Span(15, 29, "LAW"), Span(38, 42, "LOC"), Span(46, 52, "DATE")))
    options = ((("B-ORG", 0.6), ("O", 0.3), ("B-PER", 0.1)), *[(("O", 0.99),)] * 10)
    suggest(workbench, ner, {ids[0]: Prediction(spans, 0.6, (0.6, 0.9, 0.7, 0.8), words, options)})
    pos, ids = make_project(
        workbench, "pos", ["NN", "VB", "DT", "IN"], ["the dogs bark", "x"], name=f"pos {theme}"
    )
    suggest(
        workbench, pos, {ids[0]: Prediction(Tags(("DT", "NN", "VB")), 0.4, (0.99, 0.4, 0.95), (0.0,) * 3, ())}
    )
    qa, ids = make_project(workbench, "qa", (), [QA_TEXT], name=f"qa {theme}")
    suggest(
        workbench,
        qa,
        {
            ids[0]: Prediction(
                Answers((Answer(QA_TEXT.index("1911"), QA_TEXT.index("1911") + 4),)), 0.8, (0.8,)
            )
        },
    )
    workbench.projects.set_guidelines(ner, "# Names\n\nA ferry is **no** name.")
    return [
        (ner, ["h", "ArrowRight", "3", "ArrowRight"]),
        (ner, ["g"]),
        (ner, ["Shift+Slash"]),
        (ner, ["s"]),
        (ner, ["Enter", "PageUp"]),
        (pos, ["ArrowRight", "n"]),
        (qa, ["Tab"]),
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read(
    chromium: Browser, app: ServedApp, filled: Workbench, theme: Literal["light", "dark"]
) -> None:
    context = chromium.new_context(viewport={"width": 1500, "height": 950}, color_scheme=theme)
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    seen: dict[str, tuple[float, str]] = {}
    for project, keys in prepared(filled, theme):
        Screen(page, app, project.name).open().press(*keys)
        page.wait_for_timeout(250)  # the panels follow the text by a frame
        found: list[Any] = page.evaluate(MEASURE)
        for name, text, ratio in found:
            seen[name] = min(seen.get(name, (99.0, "")), (round(ratio, 2), text))
    context.close()
    assert {"span.u t sug doubt::after", "p.near", "kbd.", "p.note"} <= set(seen)
    assert {name: one for name, one in seen.items() if one[0] < LEAST} == {}
