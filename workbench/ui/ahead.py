"""The code of tables and charts, loaded while the browser has nothing to do.

Streamlit's front end loads it when the first of them is to be drawn, in every tab anew, and the page stands half empty
meanwhile. Here it is loaded once a page stands, for the next one.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import streamlit

PARTS = ("DataFrame", "ArrowVegaLiteChart")
"""Modules of the front end, the larger first."""

WAIT_MS, CALM = 400, 3
"""How often it is looked whether the page stands, and how often running it must: before that, the code would take the
time of what the page itself still has to draw."""

SCRIPT = """<script type="module">
if (!window.workbenchAhead) {
  window.workbenchAhead = true;
  const whenIdle = window.requestIdleCallback ?? ((then) => setTimeout(then, 200));
  const names = %s;
  let calm = 0;
  const stands = () =>
    document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning" &&
    ![...document.querySelectorAll('[data-testid="stSkeleton"]')].some((part) => part.checkVisibility());
  const next = () => {
    calm = stands() ? calm + 1 : 0;
    if (calm < %d)
      setTimeout(next, %d);
    else if (names.length)
      whenIdle(() => import(`./static/js/${names.shift()}`).catch(() => {}).then(next));
  };
  next();
}
</script>"""


@cache
def script() -> str:
    """HTML for ``st.html``, the same for every page: a tab runs it once."""
    names = module_files(Path(streamlit.__file__).parent / "static" / "static" / "js")
    return SCRIPT % (json.dumps(names), CALM, WAIT_MS)


def module_files(folder: Path) -> list[str]:
    """Names of the files of PARTS, in that order; those that this version of Streamlit lacks are left out."""
    return [path.name for part in PARTS for path in sorted(folder.glob(f"{part}.*.js"))]
