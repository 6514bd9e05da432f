"""One JSON object as an example, whichever tool wrote it."""

from __future__ import annotations

from typing import Any

from workbench.domain import NewExample
from workbench.formats.base import split_named
from workbench.formats.jsontext import check_meta
from workbench.formats.record import DOCUMENT_KEYS, ID_KEYS, LABEL_KEYS, PARTIAL, USED_KEYS, Record
from workbench.formats.recordqa import read_question
from workbench.formats.recordtags import read_tagged


def read_record(record: Record, stem: str) -> NewExample | None:
    """The example, or None where it has no text (the report hears of it).

    Raises:
        FormatError: Keys hold something else than they should; with the line.
    """
    locator: dict[str, Any] = {"line": record.line}
    if record.options.task == "qa":
        content, payload = read_question(record, locator)
    else:
        content, payload = read_tagged(record, locator)
    if not content.text.strip() or (content.question is not None and not content.question.strip()):
        record.report.skip("no text in this line; it is left out", record.line)
        return None
    external_id = record.name("id", ID_KEYS) or f"{stem}:{record.line}"
    return NewExample(
        content,
        payload,
        external_id=external_id,
        document=record.name("document", DOCUMENT_KEYS) or external_id,
        locator=locator,
        meta=_meta(record, str(locator.get("key"))),
        split=split_named(record.value.get("split")),
    )


def _meta(record: Record, labels: str) -> dict[str, Any]:
    """What the object says beside the example: its ``meta``, and every key that is not used otherwise.

    Labels of another kind than those read (under the key ``labels``) are among it, as tags beside entities are.
    """
    mapped = {str(key) for key in record.options.columns.values()}
    others = {key for key in LABEL_KEYS if key != labels and record.value.get(key)}
    used = (USED_KEYS - others) | mapped
    meta = {key: value for key, value in record.value.items() if key not in used}
    if record.partial:
        del meta[PARTIAL]
    own = record.value.get("meta")
    meta |= own if isinstance(own, dict) else {} if own is None else {"meta": own}
    check_meta(meta, record.file, record.line)
    return meta
