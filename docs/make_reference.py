"""Write the pages of docs/reference that come from the code; ``--check`` only says whether they are current."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import typer

from workbench import cli
from workbench.acquisition import STRATEGIES
from workbench.acquisition.scoring import in_order
from workbench.cli.base import app
from workbench.config import Settings
from workbench.ui.glossary import TERMS

REFERENCE = Path(__file__).parent / "reference"
NOTE = "<!-- Made by docs/make_reference.py from the code; edit that. -->\n"


def commands() -> str:
    """Every command with its arguments and options."""
    cli.load()
    parts = [
        NOTE,
        "# Commands\n",
        "Every command takes `--json` and then prints one JSON document on stdout and nothing else there; progress",
        "goes to stderr. It exits 0 on success, 1 on an error that you can mend (one line on stderr), 2 on",
        "wrong usage.",
    ]
    parts.extend(_command(name, command) for name, command in _walk(typer.main.get_command(app), ()))
    return "\n".join(parts) + "\n"


def _command(name: str, command: click.Command) -> str:
    usage = [f"workbench {name}"]
    rows = []
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            metavar = (parameter.metavar or parameter.name or "").strip("[]").upper()
            usage.append(metavar if parameter.required else f"[{metavar}]")
            rows.append((f"`{metavar}`", getattr(parameter, "help", None) or ""))
        elif "--help" not in parameter.opts:
            flags = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
            rows.append((flags, _described(parameter)))
    parts = [
        f"\n## `{name}`\n\n{(command.help or '').strip()}\n\n```text\n{' '.join(usage)} [OPTIONS]\n```\n"
    ]
    if rows:
        parts.append("| argument or option | meaning |\n|---|---|")
        parts.extend(f"| {flags} | {text} |" for flags, text in rows)
    return "\n".join(parts)


def _described(option: click.Parameter) -> str:
    text = str(getattr(option, "help", "") or "").replace("|", "\\|")
    default = option.default
    shown = default not in (None, "", False, ()) and not callable(default)
    return f"{text} Default: `{default}`." if shown else text


def _walk(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield " ".join(words), command
        return
    for name, child in children.items():
        yield from _walk(child, (*words, name))


def settings() -> str:
    """Every setting."""
    parts = [NOTE, "# Settings\n", "Read from the environment when a process starts.\n"]
    parts.append("| variable | default | meaning |\n|---|---|---|")
    for name, field in Settings.model_fields.items():
        default = "`.workbench` in the checkout" if name == "home" else f"`{field.default}`"
        parts.append(f"| `WORKBENCH_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(parts) + "\n"


def strategies() -> str:
    """Every query strategy with its formula and paper."""
    parts = [
        NOTE,
        "# Query strategies\n",
        "Most give each example an acquisition score; the highest are asked first. Some choose a set in which no",
        "example repeats another: they read embeddings `z` (the mean of the last hidden states over an example's",
        "sub-words) that the same pass over the pool leaves, or before there is a model version those of the base",
        "model (`workbench embed`).",
        "`p` is the model's probability, `T` the number of tokens, `C` of classes.\n",
    ]
    for strategy in in_order(strategy for _, strategy in STRATEGIES.items()):
        tasks = ", ".join(sorted(strategy.tasks)).upper()
        parts.append(f"## `{strategy.name}`: {strategy.title}\n\n{strategy.sentence}\n")
        rule = "Choice" if strategy.choose else "Score"
        parts.append(f"- For: {tasks}\n- {rule}: {strategy.formula}\n- Range of the score: {strategy.bounds}")
        if strategy.needs_model or strategy.reads:
            source = (
                "a model version that has scored the pool"
                if strategy.needs_model
                else "embeddings of the pool"
            )
            parts.append(f"- Needs: {source}")
        parts.append(f"- Cost: {strategy.cost}\n- From: {strategy.paper}\n")
    return "\n".join(parts).rstrip() + "\n"


def glossary() -> str:
    """Every word that the pages explain where it stands."""
    parts = [
        NOTE,
        "# Words\n",
        "Each page of the workbench explains its words in place; here are all of them.\n",
    ]
    for term in sorted(TERMS.values(), key=lambda one: one.name.casefold()):
        there = Path("..", term.docs) if "/" not in term.docs else Path(term.docs).relative_to("reference")
        parts.append(f"**{term.name}.** {term.sentence} [More]({there.as_posix()})\n")
    return "\n".join(parts).rstrip() + "\n"


PAGES = {
    "commands.md": commands,
    "settings.md": settings,
    "strategies.md": strategies,
    "glossary.md": glossary,
}


def main() -> int:
    """Write the pages, or with ``--check`` name the ones that are not current; the exit status."""
    stale = [name for name, make in PAGES.items() if _read(REFERENCE / name) != make()]
    if "--check" in sys.argv[1:]:
        sys.stdout.write("".join(f"docs/reference/{name} is not current: run make docs\n" for name in stale))
        return 1 if stale else 0
    REFERENCE.mkdir(exist_ok=True)
    for name in stale:
        (REFERENCE / name).write_text(PAGES[name](), encoding="utf-8")
    return 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main())
