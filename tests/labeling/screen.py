"""The labeling screen as a test sees it: keys in, labels and status out."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser import ServedApp


class Screen:
    """One tab on the Label page."""

    def __init__(self, page: Page, app: ServedApp, project: str) -> None:
        self.page = page
        self.app = app
        self.project = project

    def open(self) -> Screen:
        self.page.goto(self.app.url("Label", project=self.project))
        return self.ready()

    def ready(self) -> Screen:
        self.page.wait_for_selector(".labeler[data-example]:not([data-example=''])")
        return self

    @property
    def root(self) -> Locator:
        return self.page.locator(".labeler")

    @property
    def example(self) -> int:
        return int(self.root.get_attribute("data-example") or 0)

    def part(self, name: str) -> Locator:
        return self.root.locator(f"[data-ref={name}]")

    def press(self, *keys: str) -> Screen:
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def word(self, index: int) -> Locator:
        return self.root.locator(f"[data-ref=text] [data-i='{index}']")

    def drag(self, first: int, last: int) -> Screen:
        self.page.wait_for_selector(".labeler[data-fitted]")
        start, end = self.word(first).bounding_box(), self.word(last).bounding_box()
        assert start and end
        mouse = self.page.mouse
        mouse.move(start["x"] + 4, start["y"] + start["height"] / 2)
        mouse.down()
        mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=4)
        mouse.up()
        return self

    def expect_status(self, text: str, timeout: float = 20_000) -> Screen:
        expect(self.part("status")).to_have_text(text, timeout=timeout)
        return self

    def expect_example(self, example_id: int) -> Screen:
        expect(self.root).to_have_attribute("data-example", str(example_id))
        return self

    def marks(self) -> list[tuple[str, str, bool]]:
        """(label, text, confirmed) of what the text shows, read from the elements themselves."""
        found: list[dict[str, Any]] = self.part("text").evaluate(
            """element => [...element.querySelectorAll('.u')].reduce((all, one) => {
                const {classList: is, dataset, textContent: text} = one;
                const first = is.contains('t') || is.contains('first');
                if (first) all.push({label: dataset.tag, text, sure: is.contains('sure')});
                else if (is.contains('m')) all[all.length - 1].text += ' ' + text;
                return all;
            }, [])"""
        )
        return [(one["label"], one["text"], one["sure"]) for one in found]
