"""Use a version from the Export page: on one text, drawn as an annotator sees it, or on a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import streamlit as st

from workbench.domain import ModelVersion, Prediction
from workbench.formats import Labeled, get_format
from workbench.formats.source import ENCODINGS
from workbench.services.batchprediction import (
    Reading,
    Written,
    begun,
    kinds_for,
    predicted,
    read_examples,
    write_predictions,
)
from workbench.services.downloads import Download
from workbench.services.exportkinds import EXPORTS
from workbench.services.prediction import example_for, plain
from workbench.ui.data_preview import escaped
from workbench.ui.page import Page
from workbench.ui.tables import draw_table
from workbench.ui.text_view import labeled_text
from workbench.ui.theme import count, size
from workbench.web.downloads import download_address

TRIAL = "export_trial"
TOLD_EVERY = 100
"""Examples between two words on how far a file is."""


def draw_trial(page: Page, version: ModelVersion) -> None:
    """A box for one text, and what the model sees in it."""
    st.subheader("Try it", anchor=False)
    asks = page.project.task == "qa"
    with st.form("trial", border=False):
        question = st.text_input("Question", key="trial_question") if asks else None
        text = st.text_area("Context" if asks else "Text", key="trial_text", height=140)
        wanted = st.form_submit_button(f"Ask version {version.number}", icon=":material/play_arrow:")
    if wanted:
        st.session_state.pop(TRIAL, None)
        with page.guarded(), st.spinner("Loading the model and reading the text…"):
            example = example_for(page.project.task, text or "", question)
            folder = page.workbench.models.artifact_path(version)
            said = page.workbench.exporting.predict_one(folder, example)
            st.session_state[TRIAL] = (version.id, example, said)
    shown = st.session_state.get(TRIAL)
    if shown is None or shown[0] != version.id:
        st.caption("The model is loaded in a process of its own for each try, which takes some seconds.")
        return
    _, example, prediction = shown
    with st.container(border=True):
        st.html(labeled_text(example, prediction.payload, page.project.labels))
    _draw_scores(plain(example, prediction), prediction)


def _draw_scores(said: dict[str, Any], prediction: Prediction) -> None:
    """How sure the model is, label by label."""
    column = {"Score": st.column_config.ProgressColumn(format="%.3f", min_value=0.0, max_value=1.0)}
    if "answer" in said:
        st.caption(f"Score {said['score']:.3f}; it marks where in the text the answer stands.")
        return
    found = said.get("entities") or said.get("tokens") or []
    if not found:
        st.caption(f"Nothing found; confidence {prediction.confidence:.3f}.")
        return
    rows = [
        {"Text": one["text"], "Label": one.get("label") or one.get("tag"), "Score": one["score"]}
        for one in found
    ]
    draw_table(rows, column_config=column)


def draw_batch(page: Page, version: ModelVersion) -> None:
    """A file in, the same with the model's labels out."""
    st.subheader("Predict a file", anchor=False)
    upload = st.file_uploader(
        "File",
        key="batch_file",
        help="Anything that the Data page imports, also packed in .gz or .zip. Labels in it are not looked at.",
    )
    left, right = st.columns(2)
    kinds = kinds_for(page.project.task)
    kind = left.selectbox(
        "Write it as",
        kinds,
        format_func=lambda one: EXPORTS[one].title,
        key="batch_kind",
        index=kinds.index("squad" if page.project.task == "qa" else "jsonl"),
    )
    encoding = right.selectbox(
        "It is encoded in", list(ENCODINGS), format_func=ENCODINGS.__getitem__, key="batch_encoding"
    )
    st.caption(EXPORTS[kind].sentence)
    made = f"batch_{version.id}_{kind}_{encoding}_{upload.file_id if upload else None}"
    wanted = st.button(
        "Predict and write", icon=":material/batch_prediction:", disabled=upload is None, key="batch_now"
    )
    if wanted and upload is not None:
        with page.guarded():
            st.session_state[made] = _predict_file(
                page, version, upload.name, upload.getvalue(), kind, encoding
            )
    if made in st.session_state:
        _draw_batch_made(*st.session_state[made])


def _predict_file(
    page: Page, version: ModelVersion, name: str, data: bytes, kind: str, encoding: str
) -> tuple[Download, Written]:
    wb, place = page.workbench, st.empty()
    sources = wb.datasets.uploaded(name, data)
    with place, st.spinner("Loading the model and reading the file…"):
        items = begun(read_examples(sources, page.project.task, Reading(encoding=encoding)))
        with closing(wb.exporting.stand(wb.models.artifact_path(version))) as model:
            written: list[Written] = []

            def write(target: Path) -> None:
                labeled = (item for item, _ in predicted(model, _told(items, place)))
                with target.open("wb") as file:
                    written.append(write_predictions(model, labeled, kind, file))

            extension = get_format(EXPORTS[kind].format).extension
            file_name = f"{Path(sources[0].stem).stem}-v{version.number}{extension}"
            return wb.downloads.publish(file_name, page.user, write), written[0]


def _told(items: Iterable[Labeled], place: Any) -> Iterator[Labeled]:
    """The examples; the place says now and then how many have been read."""
    for number, item in enumerate(items, 1):
        if number % TOLD_EVERY == 0:
            place.caption(f"{number:,} examples read…")
        yield item


def _draw_batch_made(download: Download, written: Written) -> None:
    said = f"{count(written.examples, 'example')} with predictions, {size(download.size)}"
    if written.skipped:
        said += f"; {count(written.skipped, 'example')} left out"
    st.success(said, icon=":material/check_circle:")
    st.link_button(
        f"Download {download.name}", download_address(download), icon=":material/download:", type="primary"
    )
    for notice in written.warnings[:20]:
        st.caption(f":material/warning: {escaped(notice.message)}")
