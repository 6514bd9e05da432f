"""The page at ``/docs`` of a served model: how to ask it, and a form that does. It loads nothing from anywhere else."""

from __future__ import annotations

import json
from html import escape
from string import Template

TAKES = {"qa": {"question": "Who wrote it?", "context": "Ada Lovelace wrote it in 1843."}}
TAKES_OTHERS = {"text": "Ada Lovelace lived in London."}

GIVES = {
    "ner": '{"entities": [{"text", "start", "end", "score", "label"}]}',
    "pos": '{"tokens": [{"text", "start", "end", "score", "tag"}]}, one of each word',
    "qa": '{"answer", "start", "end", "score", "no_answer"}; the answer is empty, at 0, where the context has none',
}

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Annotation Workbench model</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
pre { padding: .75rem 1rem; border: 1px solid #8886; border-radius: 6px; overflow-x: auto; white-space: pre-wrap; }
textarea { width: 100%; box-sizing: border-box; font: inherit; padding: .5rem; }
label { display: block; margin-top: .75rem; }
button { font: inherit; margin-top: .75rem; padding: .4rem 1.2rem; }
td { padding: .1rem 1rem .1rem 0; vertical-align: top; }
</style>
</head>
<body>
<h1>Annotation Workbench model</h1>
<p>Task: $task.$labels Whole description: <a href="openapi.json">openapi.json</a>.</p>
<h2>POST /predict</h2>
<pre>curl -s <span>http://localhost:8080</span>/predict -H 'Content-Type: application/json' -d '$example'</pre>
<p>gives <code>{"predictions": […]}</code>, one for each input, in order:</p>
<pre>$gives</pre>
<p><code>start</code> and <code>end</code> count code points of the text, half-open; <code>score</code> runs from
0 to 1.</p>
<table>
<tr><td>413</td><td>The request is longer than $bytes bytes.</td></tr>
<tr><td>422</td><td>It is no such request, has no input or more than $inputs, or one is empty or longer than $longest
characters; <code>detail</code> says which.</td></tr>
<tr><td>503</td><td>Too many texts are waiting, or the model can't be asked now. Ask again later.</td></tr>
</table>
<h2>GET /health</h2>
<p>200 while the model can be asked, else 503.</p>
<h2>Try it</h2>
<form>$fields<button>Ask</button></form>
<pre aria-live="polite" hidden></pre>
<script>
const form = document.querySelector("form"), said = document.querySelector("pre[aria-live]");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  said.hidden = false;
  said.textContent = "…";
  const input = Object.fromEntries(new FormData(form));
  try {
    const answer = await fetch("predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: [input] }),
    });
    said.textContent = JSON.stringify(await answer.json(), null, 2);
  } catch (error) {
    said.textContent = "The service could not be reached.";
  }
});
document.querySelector("pre span").textContent = location.origin + location.pathname.replace(/\\/docs$$/, "");
</script>
</body>
</html>
""")


def docs_page(task: str, labels: tuple[str, ...], *, inputs: int, longest: int, most_bytes: int) -> str:
    """The HTML of the page.

    Args:
        task: What the model does.
        labels: Its label set.
        inputs: Most inputs of a request.
        longest: Code points of the longest text.
        most_bytes: Of the longest body.
    """
    takes = TAKES.get(task, TAKES_OTHERS)
    fields = "".join(
        f'<label>{name}<textarea name="{name}" rows="{1 if name == "question" else 4}" required>'
        f"{escape(value)}</textarea></label>"
        for name, value in takes.items()
    )
    return PAGE.substitute(
        task=escape(task),
        labels=f" Labels: {escape(', '.join(labels))}." if labels else "",
        example=escape(json.dumps({"inputs": [takes]}), quote=False),
        gives=escape(GIVES.get(task, "what it predicts"), quote=False),
        bytes=f"{most_bytes:,}",
        inputs=inputs,
        longest=f"{longest:,}",
        fields=fields,
    )
