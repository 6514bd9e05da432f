"""A run that begins with an earlier version: what its head keeps when labels have changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.modeling.runs import prepare, weights
from workbench.errors import ModelUnavailable
from workbench.modeling.train import train
from workbench.reporting import SilentReporter


def test_a_version_is_continued_and_its_classes_are_kept_by_name(tmp_path: Path, tiny: Path):
    first, second = tmp_path / "first", tmp_path / "second"
    train(first, prepare(first, tiny, "ner", epochs=8), SilentReporter())
    grown = {
        **prepare(second, tiny, "ner", 1, epochs=1, learning_rate=1e-9, warmup=0),
        "labels": ["LOC", "NEW", "PER"],
        "model_dir": str(first / "model"),
    }
    result = train(second, grown, SilentReporter())
    assert result["metrics"]["validation"]["f1"] > 0.9
    old, new = weights(first)["classifier.weight"], weights(second)["classifier.weight"]
    assert new.shape[0] == 7
    for before, after in ((0, 0), (3, 1), (4, 2), (1, 5), (2, 6)):  # O, LOC and PER have moved
        assert torch.allclose(old[before], new[after], atol=1e-6)
    assert json.loads((second / "model" / "workbench.json").read_text())["base_model"] == str(tiny)


def test_renamed_merged_and_split_labels_begin_with_the_weights_of_what_they_were(tmp_path: Path, tiny: Path):
    first = tmp_path / "first"
    train(first, prepare(first, tiny, "ner", epochs=2), SilentReporter())
    old = weights(first)["classifier.weight"]  # O, B-PER, I-PER, B-LOC, I-LOC

    def continued(name: str, labels: list[str], origins: dict[str, list[str]]) -> torch.Tensor:
        folder = tmp_path / name
        manifest = {
            **prepare(folder, tiny, "ner", 1, epochs=1, learning_rate=1e-9, warmup=0, min_steps=1),
            "labels": labels,
            "origins": origins,
            "model_dir": str(first / "model"),
        }
        train(folder, manifest, SilentReporter())
        return weights(folder)["classifier.weight"]

    renamed = continued("renamed", ["LOC", "PERSON"], {"PERSON": ["PER"]})
    assert torch.allclose(renamed, old[[0, 3, 4, 1, 2]], atol=1e-6)
    swapped = continued("swapped", ["PER", "LOC"], {"PER": ["LOC"], "LOC": ["PER"]})
    assert torch.allclose(swapped, old[[0, 3, 4, 1, 2]], atol=1e-6)
    merged = continued("merged", ["NAME"], {"NAME": ["PER", "LOC"]})
    assert torch.allclose(merged[1:], (old[1:3] + old[3:5]) / 2, atol=1e-6)
    split = continued("split", ["PER", "CITY", "RIVER"], {"CITY": ["LOC"], "RIVER": ["LOC"]})
    assert torch.allclose(split, old[[0, 1, 2, 3, 4, 3, 4]], atol=1e-6)


def test_a_version_of_another_task_is_refused(tmp_path: Path, tiny: Path):
    first = tmp_path / "first"
    train(first, prepare(first, tiny, "ner", 8), SilentReporter())
    manifest = {**prepare(tmp_path / "second", tiny, "pos", 8), "model_dir": str(first / "model")}
    with pytest.raises(ModelUnavailable, match="is for ner, not for pos"):
        train(tmp_path / "second", manifest, SilentReporter())
