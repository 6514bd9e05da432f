"""Features on disk: parts of several runs read as one table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workbench.acquisition import ARRAYS, Features
from workbench.featurefiles import FeatureStore, keep_part, write_features


def chunk(path: Path, ids: list[int], value: float, width: int = 3) -> Path:
    path.parent.mkdir(exist_ok=True)
    rows = np.array(ids, dtype=np.float16)[:, None] + np.float16(value)
    arrays = {name: np.repeat(rows, width, axis=1) for name in ARRAYS}
    np.savez(
        path, ids=np.array(ids, dtype=np.int64), **{**arrays, "classes": np.zeros((len(ids), 0), np.float16)}
    )
    return path


def part(root: Path, run: int, chunks: list[tuple[list[int], float]], of: str = "a") -> Path:
    folder = root.parent / f"attempt{run}"
    paths = [chunk(folder / f"{index}.npz", *given) for index, given in enumerate(chunks)]
    write_features(folder / "features", paths)
    return keep_part(folder / "features", root, run, of, {"base_model": of})


def test_parts_are_one_table_in_which_the_newest_counts(tmp_path: Path) -> None:
    root = tmp_path / "parts"
    nothing = FeatureStore(root)
    assert not nothing and nothing.of is None and len(nothing.ids()) == 0
    assert nothing.holds(np.array([1])).tolist() == [False]
    part(root, 1, [([5, 3], 0.0), ([], 0.0), ([9], 0.0)])
    part(root, 12, [([9, 11], 0.5)])
    store = FeatureStore(root)
    assert store and store.of == "a" and store.info["base_model"] == "a"
    assert store.ids().tolist() == [3, 5, 9, 11]
    assert store.holds(np.array([1, 9, 12])).tolist() == [False, True, False]
    found = store.take(np.array([9, 3, 11, 9]), ["embeddings"])
    assert found.embeddings.tolist() == [[9.5] * 3, [3.0] * 3, [11.5] * 3, [9.5] * 3]
    assert not found.has("gradients") and not store.columns("classes")
    assert found.embeddings.dtype == np.float16
    with pytest.raises(KeyError, match="4"):
        store.take(np.array([3, 4]))
    part(root, 13, [([1], 0.0)], of="b")
    assert FeatureStore(root).ids().tolist() == [1], "another model has read since"
    assert FeatureStore(root, "a").ids().tolist() == [3, 5, 9, 11]
    assert not FeatureStore(root, "c")


def test_a_part_is_kept_once_and_whole(tmp_path: Path) -> None:
    root = tmp_path / "parts"
    kept = part(root, 1, [([1, 2], 0.0)])
    assert keep_part(tmp_path / "attempt1" / "features", root, 1, "a") == kept, "done again after a crash"
    (root / "run-00000002").mkdir()  # without its features.json: no part
    (root / ".incoming-3").mkdir()
    assert FeatureStore(root).ids().tolist() == [1, 2]
    assert part(root, 1, [([2, 7], 0.0)]) == kept
    assert FeatureStore(root).ids().tolist() == [2, 7], "the run of another database had that number"
    assert keep_part(tmp_path / "none", root, 9, "a") == root / "run-00000009"
    part(root, 4, [([], 0.0)])
    assert FeatureStore(root).ids().tolist() == [2, 7]


def test_features_are_taken_joined_and_narrowed() -> None:
    made = Features(np.eye(3), np.ones((3, 2)), np.zeros((3, 0)), np.zeros((3, 0)))
    assert made.take(np.array([2, 0])).embeddings.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert len(Features.joined([made, made])) == 6
    assert not made.only("embeddings").has("gradients") and made.has("gradients")
    with pytest.raises(ValueError, match="nothing to join"):
        Features.joined([])
