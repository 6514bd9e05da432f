"""The Export page: choose a version, export it, see that it holds, download it; beside it, try it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import streamlit as st

from workbench.domain import ModelVersion
from workbench.services.alonecheck import told
from workbench.services.downloads import Download
from workbench.services.exporting import ExportedModel
from workbench.services.modelfolder import files_of, tar_folder, zip_folder
from workbench.services.overview import Overview
from workbench.tasks import get_task
from workbench.ui.confirm import confirmed
from workbench.ui.export_push import draw_push
from workbench.ui.export_try import draw_batch, draw_trial
from workbench.ui.glossary import explain
from workbench.ui.navigation import link_to
from workbench.ui.page import Page
from workbench.ui.theme import duration, metric_name, score, size
from workbench.web.downloads import download_address

CONTENTS = {
    "model.safetensors": "the weights; safetensors, no pickle",
    "config.json": "the architecture, with the labels' names",
    "tokenizer.json": "how text is cut into sub-words",
    "README.md": "the model card: data, labels, metrics, licence, how to load it",
    "evaluation.json": "every figure that was measured, and the data's hash",
    "question_answering.py": "the pipeline that transformers no longer has",
    "answer_windows.py": "its part that reads long contexts in windows",
    "word_classification.py": "the pipeline that labels words, where that of transformers labels sub-words",
    "tag_windows.py": "its part that reads long texts in windows",
    "words.py": "its part that cuts text into words",
    "onnx/model.onnx": "for ONNX Runtime, in fp32",
    "onnx/model_int8.onnx": "for ONNX Runtime, in int8: smaller and faster",
    "onnx_pipeline.py": "runs the ONNX models without torch",
    "SHA256SUMS": "hashes of the files; `workbench predict` refuses a folder that was changed",
}
CODE = {
    "qa": ("question_answering.py", "answer_windows.py"),
    "": ("word_classification.py", "tag_windows.py", "words.py"),
}
SNIPPETS = {
    "qa": """ask = pipeline(
    "question-answering",
    model="{name}",
    trust_remote_code=True,
)
ask(question="…", context="…")""",
    "": """find = pipeline(
    "word-classification",
    model="{name}",
    trust_remote_code=True,
)
find("…")""",
}


def draw_export_page(page: Page) -> None:
    """Draw the page."""
    with page.guarded():
        now = page.workbench.projects.overview(page.project)
        if not now.versions:
            st.info("There is no model version to export yet.", icon=":material/model_training:")
            link_to("train", "Train one", page.project)
            return
        version = _choose(replace(now, versions=tuple(each for each in now.versions if not each.pruned)))
        left, right = st.columns([1, 1], gap="large")
        with left:
            _draw_export(page, version)
        with right:
            draw_trial(page, version)
            draw_batch(page, version)


def _choose(now: Overview) -> ModelVersion:
    """The version to export: of the address, else the best."""
    task = get_task(now.project.task)
    by_number = {version.number: version for version in reversed(now.versions)}
    asked = st.query_params.get("version", "")
    best = now.best
    first = int(asked) if asked.isdigit() and int(asked) in by_number else best.number if best else 1

    def describe(number: int) -> str:
        version = by_number[number]
        value, measured_on = now.score(version)
        marks = ", promoted" if version.promoted else ", best so far" if best is version else ""
        return (
            f"Version {number}: {metric_name(task.primary_metric)} "
            f"{score(value, task.metric_scale)} on {measured_on}{marks}"
        )

    number = st.selectbox(
        "Model version",
        list(by_number),
        index=list(by_number).index(first),
        format_func=describe,
        key=f"export_version_{now.project.id}",
    )
    st.query_params["version"] = str(number)
    if warning := now.warning(by_number[number]):
        st.error(f"Version {number}: {warning}", icon=":material/warning:")
    return by_number[number]


# --- export ----------------------------------------------------------------------------------------


def export_folder(page: Page, version: ModelVersion) -> Path:
    """Where this page exports a version to."""
    return page.workbench.settings.exports_dir / f"{page.project.name}-v{version.number}"


def _draw_export(page: Page, version: ModelVersion) -> None:
    st.subheader("Export", anchor=False)
    folder = export_folder(page, version)
    there = (folder / "workbench.json").is_file()
    st.markdown(
        "A folder that `transformers` loads, here or anywhere. It is loaded in a fresh process without the "
        "workbench and has to predict the same there, before it counts as exported."
    )
    onnx = st.toggle(
        "ONNX too, in fp32 and int8",
        key="export_onnx",
        help=explain("onnx", "int8", also="It is exported and measured, which takes some minutes."),
    )
    if _asked_for(there, onnx):
        _export(page, version, folder, onnx)
        there = (folder / "workbench.json").is_file()
    if not there:
        kept = [
            f"- `{name}`: {what}"
            for name, what in CONTENTS.items()
            if not name.startswith("onnx") and name not in CODE["" if page.project.task == "qa" else "qa"]
        ]
        st.markdown("It will hold\n\n" + "\n".join(kept))
        return
    _draw_result(page, version, folder)


def _asked_for(there: bool, onnx: bool) -> bool:
    """The button; where there is an export already, with a question."""
    icon = ":material/output:"
    if not there:
        return bool(st.button("Export and check", type="primary", icon=icon, key="export_now"))
    lost = "" if onnx else " ONNX files in it go, too."
    return confirmed(
        "Export again and check",
        f"Replace the folder that is there by a new export of the same version?{lost}",
        yes="Yes, replace it",
        key="export_again",
        icon=icon,
    )


def _export(page: Page, version: ModelVersion, folder: Path, onnx: bool) -> None:
    done: ExportedModel | None = None
    with st.status(f"Exporting version {version.number}…", expanded=True) as status:
        with page.guarded():
            done = page.workbench.exporting.export_model(
                page.project,
                version.number,
                folder,
                force=True,
                onnx=onnx,
                user_id=page.user.id,
                on_step=lambda step: st.write(f"{step}…"),
            )
        if done is None:
            status.update(label="Nothing was exported.", state="error")
        else:
            said = f"Version {version.number} is exported and checked ({duration(done.seconds)})."
            status.update(label=said, state="complete", expanded=False)
            for kind in PACKERS:
                st.session_state.pop(_pack_key(page, version, kind), None)


def _draw_result(page: Page, version: ModelVersion, folder: Path) -> None:
    checked = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))["verification"]
    st.success(
        f"In a fresh process it predicted the same on {checked['examples']:,} examples "
        f"({checked['choices']:,} {'answers' if page.project.task == 'qa' else 'labels'}), with transformers "
        f"{checked['versions']['transformers']}.",
        icon=":material/verified:",
    )
    if version.context:
        st.caption(
            "It was trained with context, and its folder reads single texts without. "
            + told(checked.get("alone"))
        )
    _draw_download(page, version, folder)
    draw_push(page, version, folder)
    st.caption("On this machine it is in")
    st.code(str(folder), language=None)
    st.caption("Use it")
    snippet = SNIPPETS.get(page.project.task, SNIPPETS[""]).format(name=folder.name)
    st.code(f"from transformers import pipeline\n\n{snippet}", language=None)
    with st.expander("What is in the folder"):
        named = [(path, path.relative_to(folder).as_posix()) for path in files_of(folder)]
        st.markdown(
            "\n".join(
                f"- `{name}`, {size(path.stat().st_size)}"
                + (f": {CONTENTS[name]}" if name in CONTENTS else "")
                for path, name in named
            )
        )


PACKERS = {"zip": ("Prepare a zip", zip_folder), "tar.gz": ("Prepare a .tar.gz", tar_folder)}


def _pack_key(page: Page, version: ModelVersion, kind: str) -> str:
    return f"export_{kind}_{page.project.id}_{version.number}"


def _draw_download(page: Page, version: ModelVersion, folder: Path) -> None:
    for kind, (label, pack) in PACKERS.items():
        key = _pack_key(page, version, kind)
        ready: Download | None = st.session_state.get(key)
        if ready is None or not ready.path.is_file():
            if not st.button(label, icon=":material/folder_zip:", key=f"export_{kind}"):
                continue
            with st.spinner("Packing…"):
                ready = page.workbench.downloads.publish(
                    f"{folder.name}.{kind}", page.user, partial(pack, folder)
                )
            st.session_state[key] = ready
        st.link_button(
            f"Download {ready.name} ({size(ready.size)})",
            download_address(ready),
            icon=":material/download:",
            type="primary",
        )
