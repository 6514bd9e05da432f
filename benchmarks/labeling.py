"""How quick the labeling page is, in a real browser: `python benchmarks/labeling.py [--examples 100000]`.

Prints, for a project of that many examples: the page's opening, a key to the painted label (short sentences, and one
text of 5,000 tokens), Enter to the next example on the screen. Medians and 95th percentiles in milliseconds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Page, sync_playwright

from tests.browser import ARGUMENTS, NAMES, ServedApp
from tests.conftest import free_port
from workbench.config import Settings
from workbench.domain import Project, Split
from workbench.services import Workbench, open_workbench

SENTENCE = "Marta Nowak of Baltic Freight flew to Riga on Monday and met the harbour board there ."
WORDS = SENTENCE.split()
LONG = 5_000

ARRIVAL = """
  // The frame after the one in which the first example came: it is on the screen then. Zero is the navigation's start.
  document.addEventListener("workbench-example", () => {
    requestAnimationFrame(() => requestAnimationFrame(() => (window.firstExample ??= performance.now())));
  });
"""

SHOWN = """() => new Promise((done) => {
  const look = () => (window.firstExample === undefined ? requestAnimationFrame(look) : done(window.firstExample));
  look();
})"""

PROBE = """
() => {
  // From the key's event to the frame in which the screen shows what it did.
  window.took = [];
  if (window.watched) return;
  window.watched = true;
  document.addEventListener("keydown", () => {
    const start = performance.now();
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => window.took.push(performance.now() - start);
      channel.port2.postMessage(0);
    });
  }, true);
}
"""


def fill(workbench: Workbench, name: str, examples: int, words: list[str], folder: Path) -> Project:
    """A project of that many sentences, imported as a file."""
    project = workbench.projects.create(name, "ner", ["PER", "ORG", "LOC", "MISC"])
    path = folder / f"{name}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(examples):
            tokens = [*words[:-1], hashlib.md5(str(number).encode()).hexdigest()[:6], words[-1]]
            file.write(json.dumps({"tokens": tokens}) + "\n")
    workbench.datasets.import_files(project, [path], split=Split.POOL, unlabeled=True)
    return project


def figures(name: str, values: list[float]) -> None:
    """One line of the report."""
    ordered = sorted(values)
    late = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    print(f"{name:<44}{statistics.median(ordered):8.1f} ms   95 %: {late:8.1f} ms   ({len(ordered)} times)")


def open_page(page: Page, app: ServedApp, project: str) -> float:
    """Milliseconds from the address to the first example on the screen, by the browser's own clock."""
    page.goto(app.url("Label", project=project))
    page.wait_for_selector(".labeler[data-example]:not([data-example=''])")
    return float(page.evaluate(SHOWN))


def press(page: Page, keys: list[str], pause_ms: int = 60) -> list[float]:
    """Milliseconds from each key to its painted effect."""
    page.evaluate(PROBE)
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(pause_ms)
    return [float(value) for value in page.evaluate("window.took")]


def main() -> None:
    """Run it."""
    import shutil

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100_000)
    examples = parser.parse_args().examples
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        workbench = open_workbench(Settings(home=home, database_url=None))
        fill(workbench, "many", examples, WORDS, Path(folder))
        fill(workbench, "long", 3, WORDS * (LONG // len(WORDS)), Path(folder))
        app = ServedApp(home, free_port())
        app.start()
        browser_path = next(path for path in map(shutil.which, NAMES) if path)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=list(ARGUMENTS))
            page = browser.new_page(viewport={"width": 1500, "height": 950})
            page.add_init_script(ARRIVAL)
            open_page(page, app, "many")
            print(f"{examples:,} examples")
            figures("page open, server warm", [open_page(page, app, "many") for _ in range(7)])
            moves = ["ArrowRight", "Shift+ArrowRight", "1", "ArrowRight", "2", "Backspace"] * 10
            figures("key to painted, a sentence", press(page, ["Home", *moves]))
            figures("Enter to the next example", press(page, ["Enter"] * 60, 150))
            figures("Enters 30 ms apart", press(page, ["Enter"] * 20, 30))
            open_page(page, app, "long")
            figures(f"key to painted, {LONG:,} tokens", press(page, ["Home", *moves]))
            figures(f"Enter to the next example, {LONG:,} tokens", press(page, ["Enter"] * 2, 1500))
            browser.close()
        app.kill()
        workbench.close()


if __name__ == "__main__":
    main()
