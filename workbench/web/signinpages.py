"""What somebody sees who is not signed in: the form, and what went wrong at the provider."""

from __future__ import annotations

import html
from string import Template
from urllib.parse import quote

from starlette.responses import HTMLResponse, Response

from workbench.web.paths import OPENID, SIGN_IN
from workbench.web.shared import shared_workbench

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def form_page(target: str, problem: str = "", name: str = "", status: int = 200) -> Response:
    """The sign-in form; with a button for the provider where the settings name one.

    Args:
        target: The path on this server to go to afterwards.
        problem: What was wrong the last time.
        name: As typed the last time.
        status: Of the response.
    """
    onward = f"?next={quote(target, safe='')}"
    openid = shared_workbench().team.openid
    content = _FORM.substitute(
        action=html.escape(SIGN_IN + onward),
        problem=_alert(problem) if problem else "",
        name=html.escape(name),
        other=_OTHER.substitute(address=html.escape(OPENID + onward), provider=html.escape(openid.name))
        if openid.on
        else "",
    )
    return HTMLResponse(_PAGE.substitute(content=content), status, headers=HEADERS)


def problem_page(problem: str, status: int) -> Response:
    """What went wrong, and the way back to the form."""
    content = f'{_alert(problem)}<a class="button" href="{SIGN_IN}">Back to sign-in</a>'
    return HTMLResponse(_PAGE.substitute(content=content), status, headers=HEADERS)


def _alert(problem: str) -> str:
    return f'<p class="problem" role="alert">{html.escape(problem)}</p>'


_PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · Workbench</title><style>
:root { color-scheme: light dark; --ink: #1c2733; --paper: #fff; --soft: #f3f5f6; --line: #8b97a1; --main: #0b6e6e;
  --bad: #a3262e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebef; --paper: #1d252d; --soft: #13191f; --line: #6c7a86;
  --main: #0d7d7b; --bad: #ff9c9f; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--soft); color: var(--ink);
  font: 16px/1.5 "Source Sans", system-ui, sans-serif; }
main { width: min(24rem, 92vw); background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  padding: 2rem; }
h1 { margin: 0 0 1.2rem; font-size: 1.4rem; }
label { display: block; margin: 0 0 1rem; font-weight: 600; }
input { display: block; width: 100%; margin-top: .3rem; padding: .55rem .7rem; font: inherit; color: inherit;
  background: var(--paper); border: 1px solid var(--line); border-radius: 7px; }
button, .button { display: block; width: 100%; padding: .6rem; font: inherit; font-weight: 600; text-align: center;
  text-decoration: none; color: #fff; background: var(--main); border: 0; border-radius: 7px; cursor: pointer; }
:focus-visible { outline: 3px solid var(--main); outline-offset: 2px; }
.problem { margin: 0 0 1rem; color: var(--bad); overflow-wrap: anywhere; }
.or { margin: 1rem 0; text-align: center; }
.other { color: var(--ink); background: none; border: 1px solid var(--line); }
</style></head><body><main><h1>Annotation Workbench</h1>$content</main></body></html>
""")

_FORM = Template("""$problem<form method="post" action="$action">
<label>Name<input name="name" value="$name" autocomplete="username" required autofocus></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button></form>$other""")

_OTHER = Template(
    """<p class="or">or</p><a class="button other" href="$address">Sign in with $provider</a>"""
)
