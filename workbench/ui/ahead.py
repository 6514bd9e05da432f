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

WAIT_MS = 300

SCRIPT = """<script type="module">
if (!window.workbenchAhead) {
  window.workbenchAhead = true;
  const whenIdle = window.requestIdleCallback ?? ((then) => setTimeout(then, 200));
  const names = %s;
  const next = () => {
    if (document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState !== "notRunning")
      setTimeout(next, %d);
    else if (names.length)
      whenIdle(() => import(`./static/js/${names.shift()}`).catch(() => {}).then(next));
  };
  setTimeout(next, %d);
}
</script>"""


@cache
def script() -> str:
    """HTML for ``st.html``, the same for every page: a tab runs it once."""
    names = module_files(Path(streamlit.__file__).parent / "static" / "static" / "js")
    return SCRIPT % (json.dumps(names), WAIT_MS, WAIT_MS)


def module_files(folder: Path) -> list[str]:
    """Names of the files of PARTS, in that order; those that this version of Streamlit lacks are left out."""
    return [path.name for part in PARTS for path in sorted(folder.glob(f"{part}.*.js"))]
