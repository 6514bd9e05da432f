"""Exports to the hub: what arrives at a stand-in for it, and what a person reads where nothing can."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import free_port
from tests.export.hubtarget import READER, TOKEN, Target, hub_target
from workbench.errors import Forbidden, InvalidInput
from workbench.services.hubpush import push_export
from workbench.services.modelfolder import write_sums

PROGRAM = """
import dataclasses, json, os, sys
from pathlib import Path
from workbench.errors import WorkbenchError
from workbench.services.hubpush import push_export

for folder, repository, token, public in json.loads(sys.argv[1]):
    os.environ.pop("HF_TOKEN", None)
    if token:
        os.environ["HF_TOKEN"] = token
    try:
        print(json.dumps(dataclasses.asdict(push_export(Path(folder), repository, public=public))))
    except WorkbenchError as error:
        print(json.dumps([type(error).__name__, str(error)]))
"""
Scenario = tuple[Path, str, str | None, bool]


def make_export(folder: Path) -> Path:
    """What a push reads of an export: any files with their hashes."""
    (folder / "onnx").mkdir(parents=True)
    (folder / "workbench.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 40)
    (folder / "onnx" / "model.onnx").write_bytes(b"onnx" * 2_000)
    (folder / "README.md").write_text("---\nlibrary_name: transformers\n---\n\n# A model\n")
    write_sums(folder)
    return folder


def push(tmp_path: Path, address: str, scenarios: list[Scenario], **more: str) -> list[Any]:
    """What ``push_export`` gives, in a process whose library knows this hub."""
    unset = ("HF_HUB_OFFLINE", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "HF_TOKEN")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "hf"), "NO_PROXY": "127.0.0.1"}
    environment |= {"HF_HUB_DISABLE_XET": "1", **more}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(scenarios, default=str)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_export_arrives_whole_and_a_refusal_says_what_to_do(tmp_path: Path) -> None:
    folder = make_export(tmp_path / "model")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "code.pyc").write_bytes(b"x")
    changed = make_export(tmp_path / "changed")
    (changed / "README.md").write_text("# Another\n")
    with hub_target() as target:
        found = push(
            tmp_path,
            target.address,
            [
                (folder, "ada/ner", TOKEN, False),
                (folder, "ada/ner", TOKEN, True),
                (folder, "ada/open", TOKEN, True),
                (folder, "ada/ner", None, False),
                (folder, "ada/ner", "hf_wrong", False),
                (folder, "ada/ner", READER, False),
                (folder, "nobody/ner", TOKEN, False),
                (folder, "ner", TOKEN, False),
                (changed, "ada/changed", TOKEN, False),
            ],
        )
    check_arrived(target, folder, found[:3])
    kinds = [kind for kind, _ in found[3:]]
    assert kinds == [
        "Unavailable",
        "Forbidden",
        "Forbidden",
        "NotFound",
        "InvalidInput",
        "ModelUnavailable",
    ]
    words = ["no token", "does not know", "may not write", "no owner nobody", "OWNER/NAME", "was changed"]
    assert [word in said for word, (_, said) in zip(words, found[3:], strict=True)] == [True] * 6
    assert not any(TOKEN in said or READER in said for _, said in found[3:])


def check_arrived(target: Target, folder: Path, pushed: list[dict[str, Any]]) -> None:
    wanted = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert target.repositories == {"ada/ner": wanted, "ada/open": wanted}
    assert target.private == {"ada/ner": True, "ada/open": False}
    assert [(one["repository"], one["files"]) for one in pushed] == [
        ("ada/ner", 5), ("ada/ner", 5), ("ada/open", 5)
    ]  # fmt: skip
    assert pushed[0]["address"] == f"{target.address}/ada/ner" and pushed[0]["commit"] == "0" * 40


def test_without_a_network_it_says_so(tmp_path: Path) -> None:
    folder = make_export(tmp_path / "model")
    address = f"http://127.0.0.1:{free_port()}"
    ((kind, said),) = push(tmp_path, address, [(folder, "ada/ner", TOKEN, False)])
    assert kind == "Unavailable" and "can't be reached" in said and "internet" in said
    ((kind, said),) = push(tmp_path, address, [(folder, "ada/ner", TOKEN, False)], HF_HUB_OFFLINE="1")
    assert kind == "Unavailable" and "HF_HUB_OFFLINE" in said


@pytest.mark.parametrize("name", ["ada/my--ner", "ada/ner.git", "ada/-ner", "ada/..", "ada/n er", "ner"])
def test_a_name_that_the_hub_does_not_take_is_said_to_be_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="no repository"):
        push_export(make_export(tmp_path / "model"), name, token=TOKEN)


def test_a_token_that_no_request_can_carry_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with pytest.raises(Forbidden, match="no token"):
        push_export(make_export(tmp_path / "model"), "ada/ner", token="hf_abc…")


def test_a_fault_of_our_own_is_not_taken_for_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object, **_more: object) -> None:
        raise PermissionError("a file can't be read")

    monkeypatch.setattr("huggingface_hub.get_session", fail)
    with pytest.raises(PermissionError):
        push_export(make_export(tmp_path / "model"), "ada/ner", token=TOKEN)
