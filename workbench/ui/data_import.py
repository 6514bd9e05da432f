"""Import: choose files, see what they were taken for and mend that, then bring them in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from workbench.domain import Split
from workbench.errors import AlreadyExists, UndecodableText, WorkbenchError
from workbench.formats import FORMATS, Source
from workbench.formats.source import ENCODINGS
from workbench.services.access import as_person
from workbench.services.datasets import Preview
from workbench.services.importing import ImportOptions
from workbench.services.importwatch import ImportWatch
from workbench.services.importwrite import ImportReport
from workbench.services.splits import TOLD
from workbench.ui.data_preview import draw_preview
from workbench.ui.data_progress import draw_running
from workbench.ui.data_sources import ENCODING_KEY, ask_encoding, choose_sources
from workbench.ui.data_split import choose_split
from workbench.ui.glossary import explain
from workbench.ui.page import Page
from workbench.ui.tables import draw_table
from workbench.ui.theme import count

FOUND, NONE = "Find out", "No labels"
CHOICES = (
    "import-split",
    "import-format",
    ENCODING_KEY,
    "import-separator",
    "import-scheme",
    "import-sentences",
    "import-unlabeled",
)
"""Keys of the widgets that say how to import; the files have keys of their own each time."""


def draw_import(page: Page) -> None:
    """Files, options, preview, the button; or how far an import is."""
    st.session_state.setdefault("import-round", 0)
    _keep_choices()
    if draw_running(page):
        return
    sources = choose_sources(page)
    split, plan = choose_split(page)
    options = replace(_choose_options(page), plan=plan)
    if not sources:
        _draw_formats(page)
        return
    preview, options = _look(page, sources, split, options)
    if preview is None:
        return
    draw_preview(page, preview)
    where = split.value if plan is TOLD else f"{len(preview.report.splits)} splits"
    # It says all that a press will do: a press of words that a choice has since changed is none, and no other import.
    aside = ", labels kept aside" if options.unlabeled else ""
    label = f"Import {count(preview.report.examples, 'example')} as {where}{aside}"
    if st.button(label, type="primary", icon=":material/save:"):
        _import(page, sources, split, options)


def _keep_choices() -> None:
    """Keep what was chosen through a run that does not get as far as its widgets: a running import, a bad file.

    Streamlit forgets a widget that is not drawn, unless its value was set by the script.
    """
    for key in CHOICES:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]


def _choose_options(page: Page) -> ImportOptions:
    fitting = ["auto", *(name for name, item in FORMATS.items() if page.project.task in item.tasks)]
    with st.expander("Options", icon=":material/tune:"):
        first, second, third = st.columns(3)
        format_name = first.selectbox(
            "Format",
            fitting,
            format_func=lambda name: FOUND if name == "auto" else FORMATS[name].title,
            key="import-format",
        )
        encoding = second.selectbox("Encoding", list(ENCODINGS), format_func=ENCODINGS.get, key=ENCODING_KEY)
        separator = scheme = sentences = None
        if page.project.task != "qa":
            separator = third.selectbox(
                "Columns are separated by",
                [None, "tab", "spaces"],
                format_func=_found,
                key="import-separator",
            )
            if page.project.task == "ner":
                scheme = first.selectbox(
                    "Tagging scheme",
                    [None, "IOB1", "IOB2", "BIOES", "BILOU", "IO"],
                    format_func=_found,
                    key="import-scheme",
                    help=explain("iob2", "bioes"),
                )
            sentences = second.selectbox(
                "Plain text holds",
                [None, "lines", "split"],
                format_func=lambda one: {
                    None: FOUND,
                    "lines": "one sentence a line",
                    "split": "running text",
                }[one],
                key="import-sentences",
            )
        unlabeled = st.toggle(
            "Keep the labels aside",
            key="import-unlabeled",
            help="The examples come in unlabeled; the labels in the file answer as a simulated annotator.",
        )
    return ImportOptions(
        format=format_name,
        encoding=encoding,
        separator=separator,
        scheme=scheme,
        sentences=sentences,
        unlabeled=unlabeled,
    )


def _found(value: str | None) -> str:
    return FOUND if value is None else value


@st.cache_data(show_spinner="Reading…", max_entries=4, ttl=600)  # type: ignore[untyped-decorator]
def _preview(
    _page: Page, stamp: tuple[object, ...], split: Split, _sources: Sequence[Source], _options: ImportOptions
) -> Preview:
    """A preview, kept while nothing that it depends on (the stamp) changes."""
    return _page.workbench.datasets.preview(_page.project, _sources, split, _options)


def _look(
    page: Page, sources: Sequence[Source], split: Split, options: ImportOptions
) -> tuple[Preview | None, ImportOptions]:
    """What the import would bring, with the columns as the user has mended them; None where it can't be done."""
    identity = "-".join(source.sha256[:12] for source in sources)
    columns_key = f"import-columns-{page.project.id}-{identity}"
    options = replace(options, columns=st.session_state.get(columns_key, {}))
    imports = [record.id for record in page.workbench.datasets.imports(page.project)]
    hashes = [source.sha256 for source in sources]

    def look(chosen: ImportOptions) -> Preview:
        stamp = (str(page.workbench.settings.home), repr(page.project), *imports, *hashes, repr(chosen))
        preview: Preview = _preview(page, stamp, split, sources, chosen)
        return preview

    try:
        preview = look(options)
    except AlreadyExists as error:
        st.info(error.message.capitalize() + ".", icon=":material/content_copy:")
        if not st.toggle("Import it a second time all the same", key=f"import-force-{identity}"):
            return None, options
        options = replace(options, force=True)
        preview = look(options)
    except UndecodableText as error:
        ask_encoding(error)
        return None, options
    except WorkbenchError as error:
        st.error(str(error), icon=":material/error:")
        if options.columns and st.button("Forget the columns that I chose"):
            st.session_state.pop(columns_key, None)
            st.rerun()
        return None, options
    if len(sources) == 1:
        _choose_columns(preview, columns_key)
    return preview, options


def _choose_columns(preview: Preview, columns_key: str) -> None:
    """The file's first rows, and which column holds what; a change is seen in the next run's preview."""
    settled = preview.report.files[0].mapping.get("columns") or {}
    roles = [role for role in settled if role in ("token", "tag", "text", "question", "answer")]
    if not preview.columns or not roles:
        return
    format_name = preview.report.files[0].format
    with st.expander("Columns", expanded=True, icon=":material/view_column:"):
        rows = [
            [*row[: len(preview.columns)], *[""] * (len(preview.columns) - len(row))] for row in preview.rows
        ]
        draw_table(pd.DataFrame(rows, columns=list(preview.columns)))
        for place, role in zip(st.columns(max(3, len(roles))), roles, strict=False):
            if format_name == "conllu" and role == "token":
                continue
            choices: list[str | int] = list(preview.columns)
            if format_name == "conll":
                choices = list(range(len(preview.columns)))
            elif format_name == "conllu":
                choices = ["upos", "xpos"] if settled[role] != "misc" else ["misc"]
            if role == "tag":
                choices = [*choices, "none"]
            current = "none" if settled[role] is None else settled[role]
            names = dict(enumerate(preview.columns)) if format_name == "conll" else {}
            key = f"{columns_key}-{role}"
            chosen = place.selectbox(
                f"{role.capitalize()}s are in column",
                choices,
                index=choices.index(current) if current in choices else 0,
                format_func=lambda one, names=names: NONE if one == "none" else str(names.get(one, one)),
                key=key,
            )
            if chosen != current:
                st.session_state[columns_key] = {**st.session_state.get(columns_key, {}), role: chosen}
                st.rerun()


def _draw_formats(page: Page) -> None:
    titles = [item.title for _, item in FORMATS.items() if page.project.task in item.tasks]
    st.caption(
        f"Formats that can be read here: {', '.join(titles)}. You will see a preview before anything is stored."
    )


def _import(page: Page, sources: Sequence[Source], split: Split, options: ImportOptions) -> None:
    """Start it; a short one is done before the page is drawn again."""
    workbench, project = as_person(page.workbench, page.user), page.project

    def run(watch: ImportWatch) -> ImportReport:
        return workbench.datasets.import_sources(project, sources, split, options, watch=watch)

    with st.spinner("Importing…"):
        page.workbench.importing.start(project.id, run).wait()
    st.session_state["import-round"] += 1
    st.rerun()
