"""The key of each label: one sign, of one label only, and none that the Label page needs itself."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from workbench.domain import Project
from workbench.errors import AlreadyExists, InvalidInput, NotFound
from workbench.storage.store import Transaction

RESERVED = {"ner": "?/[]{}", "pos": "?/", "qa": "?"}
"""Signs that mean something else on the Label page, by task type."""


def clean_key(task: str, key: str | None) -> str | None:
    """A key as it is stored: one sign, a letter in lower case; None and nothing but white space are no key.

    Raises:
        InvalidInput: It is no single sign, or means something else on the Label page.
    """
    if key is None or not key.strip():
        return None
    found = unicodedata.normalize("NFC", key.strip()).lower()
    if len(found) != 1 or unicodedata.category(found)[0] not in "LNPS":
        raise InvalidInput(f"{key!r} can't be a label's key", remedy="use one letter, digit or sign")
    if found in RESERVED.get(task, "?"):
        raise InvalidInput(
            f"{key!r} can't be a label's key: it means something else on the Label page",
            remedy="use a letter or a digit",
        )
    if task == "pos" and found.isalpha():
        raise InvalidInput(
            f"{key!r} can't be a tag's key: letters narrow the list of tags there",
            remedy="use a digit or a sign",
        )
    return found


def assign_keys(tx: Transaction, project: Project, keys: Mapping[str, str | None]) -> None:
    """Give labels their keys, all at once, so that two labels can exchange theirs; call it in a writing block.

    Args:
        tx: A writing block.
        project: The project as it is in this block.
        keys: Label name to key, None or empty for none. Labels that are not named keep theirs; retired labels
            give theirs up to whoever wants it.

    Raises:
        NotFound: There is no such label.
        InvalidInput: A key can't be used.
        AlreadyExists: Two labels would have the same key.
    """
    labels = {label.name: label for label in project.labels}
    for name in keys:
        if name not in labels:
            raise NotFound(f"the project has no label named {name!r}", remedy="reload the page")
    wanted = {name: clean_key(project.task, key) for name, key in keys.items()}
    owners: dict[str, str] = {}
    for label in project.labels:
        key = wanted.get(label.name, None if label.retired else label.key)
        if key is None:
            continue
        if key in owners:
            raise AlreadyExists(
                f"the key {key!r} is given to both {owners[key]} and {label.name}",
                remedy="give one of them another key",
            )
        owners[key] = label.name
    after = {name: key for key, name in owners.items()}
    changed = [label for label in project.labels if label.key != after.get(label.name)]
    for label in changed:
        if label.key is not None:
            tx.projects.update_label(project.id, label.name, key=None)
    for label in changed:
        if label.name in after:
            tx.projects.update_label(project.id, label.name, key=after[label.name])
