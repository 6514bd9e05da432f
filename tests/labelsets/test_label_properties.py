"""Whatever is done to a label set and whoever saves meanwhile: counted right, and undone exactly."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.labelsets.corpus import gold, ids, person, save
from workbench.config import Settings
from workbench.domain import ExampleText, Project, Split, Tags
from workbench.errors import InvalidInput
from workbench.formats import Source
from workbench.services import Workbench, open_workbench
from workbench.services import labelchanges as changes
from workbench.storage.upkeep import database_problems
from workbench.tasks import get_task
from workbench.tasks.relabel import Relabeling, relabel

NAMES = ["A", "B", "C", "D"]


STEPS = st.tuples(st.sampled_from(["rename", "merge", "split", "save"]), st.randoms(use_true_random=False))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    opened = open_workbench(Settings(home=tmp_path_factory.mktemp("home"), database_url=None))
    yield opened
    opened.close()


def step(workbench: Workbench, project: Project, kind: str, number: int, random: Random) -> bool:
    """One random change; whether there was one."""
    names = list(project.label_names)
    one, other = random.choice(names), random.choice(names)
    change = {
        "rename": changes.rename(one, f"N{number}"),
        "merge": changes.merge([one, other], random.choice([one, f"M{number}"])),
        "split": changes.split(one, {"w1": f"S{number}"}, random.choice([one, None, f"R{number}"])),
    }[kind]
    try:
        workbench.labelsets.apply(project, change)
    except InvalidInput:
        return False
    return True


@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(steps=st.lists(STEPS, max_size=6))
def test_undoing_everything_gives_back_everything_that_nobody_touched(
    shared: Workbench, steps: list[tuple[str, Random]]
) -> None:
    """Whatever the changes are and whoever saves between them: labels of untouched examples come back exactly."""
    name = f"p{len(shared.projects.list())}"
    project = shared.projects.create(name, "ner")
    text = "".join(f"w{i % 3} B-{NAMES[i % 4]}\nx{i} B-{NAMES[(i + 1) % 4]}\n\n" for i in range(6))
    shared.datasets.import_sources(project, [Source("a.conll", text.encode())], Split.POOL)
    before, known = gold(shared, project), shared.projects.get(name).labels
    ann, done = person(shared), 0
    said: dict[int, str] = {}
    for number, (kind, random) in enumerate(steps):
        now = shared.projects.get(name)
        if kind != "save":
            done += step(shared, now, kind, number, random)
            continue
        place = random.randrange(6)
        said[place] = random.choice(now.label_names)
        save(shared, now, ann, ids(shared, now)[place], (0, 2, said[place]), at=str(number))
    for _ in range(done):
        shared.labelsets.undo(project)
    after = gold(shared, project)
    for place, (was, became) in enumerate(zip(before, after, strict=True)):
        if place in said:
            assert [words for words, _ in became] == [f"w{place % 3}"], "what a person said is there"
        else:
            assert became == was
    left = shared.projects.get(name).labels
    assert {label.name for label in known} <= {label.name for label in left}
    keys = [label.key for label in left if label.key]
    assert len(keys) == len(set(keys))
    assert database_problems(shared.store) == []


TEXT = ExampleText("a bb a", ((0, 1), (2, 4), (5, 6)))
LABELS = st.sampled_from(["A", "B", "C"])


@given(
    st.lists(st.none() | LABELS, min_size=3, max_size=3),
    st.dictionaries(LABELS, st.none() | LABELS),
    st.dictionaries(LABELS, st.dictionaries(st.sampled_from(["a", "bb"]), LABELS)),
)
def test_relabeling_counts_what_it_changes(
    tags: list[str | None], names: dict[str, str | None], surfaces: dict[str, dict[str, str]]
) -> None:
    payload = Tags(tuple(tags))
    found = relabel(payload, TEXT, Relabeling(names, surfaces))
    assert isinstance(found.payload, Tags)
    assert found.changed == sum(a != b for a, b in zip(tags, found.payload.tags, strict=True))
    assert found.undecided <= sum(tag is not None for tag in tags)
    get_task("pos").validate(found.payload, TEXT, ["A", "B", "C"])
