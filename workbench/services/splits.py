"""Which split each example goes to: as told, as the file says, or by lot in given shares, group by group.

Examples that belong together (of one document, or on one context) go to one split, so that a model is measured on
what it has not seen. The lot is a hash of the seed and the group's name: the same files and seed give the same splits
on any machine, and groups that are added do not move the others' lots.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from workbench.domain import Project, Split
from workbench.errors import InvalidInput, WrongState
from workbench.storage.sizes import RESPLIT
from workbench.storage.store import Store, Transaction

if TYPE_CHECKING:
    from workbench.services.importing import Parsed

SEED = 13
GROUPS = ("auto", "document", "context", "example")
"""What stays together; ``auto`` is the context for questions, else the document where there are several."""


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """How examples are split.

    Attributes:
        ratios: Share of each split, adding up to 1; empty where the file says (``by_file``) or one split is told.
        seed: Of the lot.
        group: One of ``GROUPS``.
        by_file: Take the split that the file gives each example, and the told one where it gives none.
    """

    ratios: Mapping[Split, float] | None = None
    seed: int = SEED
    group: str = "auto"
    by_file: bool = False


TOLD = SplitPlan()
"""All examples go to the one split that is told."""


def parse_ratios(given: str) -> dict[Split, float]:
    """``train=0.8,validation=0.1,test=0.1`` as shares. Raises InvalidInput unless they add up to 1 (or 100)."""
    shares: dict[Split, float] = {}
    for part in given.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        try:
            split, share = Split(name), float(value.rstrip("%"))
        except ValueError:
            raise InvalidInput(
                f"{part.strip()!r} is no share of a split",
                remedy=f"write it as in train=0.8,validation=0.1,test=0.1; splits are {', '.join(Split)}",
            ) from None
        if not equals or not math.isfinite(share) or share < 0 or split in shares:
            raise InvalidInput(
                f"{part.strip()!r} is no share of a split", remedy="give each split once, 0 or more"
            )
        shares[split] = share
    total = sum(shares.values())
    if math.isclose(total, 100, rel_tol=1e-6):
        shares = {split: share / 100 for split, share in shares.items()}
    elif not math.isclose(total, 1, rel_tol=1e-6):
        raise InvalidInput(f"the shares add up to {total:g}", remedy="let them add up to 1, or to 100")
    return {split: share for split, share in shares.items() if share > 0}


def choose_group(group: str, documents: int, splits: int, *, questions: bool) -> str:
    """What stays together: ``document``, ``context`` or ``example``. Raises InvalidInput for no known grouping.

    Args:
        group: As it was asked for.
        documents: How many there are.
        splits: How many are made.
        questions: Whether the examples are questions on contexts.
    """
    if group not in GROUPS:
        raise InvalidInput(f"{group!r} is no grouping", remedy=f"choose from {', '.join(GROUPS)}")
    if group != "auto":
        return group
    return "context" if questions else "document" if documents >= splits else "example"


def assign(names: Sequence[str], ratios: Mapping[Split, float], seed: int) -> list[Split]:
    """A split for each example, all of one group in the same.

    Groups come in the order of their lots; each goes to the split that is furthest behind its share.

    Args:
        names: The group of each example.
        ratios: Shares, adding up to 1.
        seed: Of the lots.

    Raises:
        InvalidInput: There are fewer groups than splits.
    """
    sizes = Counter(names)
    if len(sizes) < len(ratios):
        raise InvalidInput(
            f"{len(ratios)} splits can't be made of {len(sizes)} group{'s' if len(sizes) != 1 else ''} of examples",
            remedy="say --group example to split single examples, or ask for fewer splits",
        )
    order = sorted(
        sizes, key=lambda name: hashlib.blake2b(f"{seed}\0{name}".encode(), digest_size=8).digest()
    )
    wanted = {split: share * len(names) for split, share in ratios.items()}
    chosen: dict[str, Split] = {}
    for name in order:
        best = max(wanted, key=lambda split: (wanted[split], split))
        chosen[name] = best
        wanted[best] -= sizes[name]
    return [chosen[name] for name in names]


def split_files(files: Sequence[Parsed], told: Split, plan: SplitPlan, *, questions: bool) -> None:
    """Choose the split of every example of an import (``Parsed.splits``).

    Args:
        files: Read and checked.
        told: The split of examples that neither a lot nor their file gives one.
        plan: How.
        questions: Whether the examples are questions on contexts.

    Raises:
        InvalidInput: The plan makes no sense for these files.
    """
    if plan.by_file and plan.ratios:
        raise InvalidInput("both the file and shares say how to split", remedy="choose one of them")
    if plan.ratios:
        documents = sum(len(parsed.documents) for parsed in files)
        what = choose_group(plan.group, documents, len(plan.ratios), questions=questions)
        names = [
            f"{number} {parsed.documents[row.document]}"
            if what == "document"
            else content_key(row.text)
            if what == "context"
            else row.content_hash
            for number, parsed in enumerate(files)
            for row in parsed.rows
        ]
        chosen = iter([split.value for split in assign(names, plan.ratios, plan.seed)])
        for parsed in files:
            parsed.splits = list(islice(chosen, len(parsed.rows)))
        return
    for parsed in files:
        if plan.by_file:
            parsed.splits = [row.split or told.value for row in parsed.rows]
        else:
            parsed.splits = [told.value] * len(parsed.rows)


def content_key(text: str) -> str:
    """A name for a context: equal texts have the same."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Resplit:
    """What splitting again did, or would do: examples of each split, how many moved, what was kept together."""

    counts: Mapping[str, int]
    moved: int
    grouped: str


class SplitService:
    """Split again what is there already."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def resplit(
        self, project: Project, plan: SplitPlan, user_id: int | None = None, *, dry_run: bool = False
    ) -> Resplit:
        """Give every example of a project a split by lot.

        Raises:
            InvalidInput: The plan has no shares, or makes no sense.
            WrongState: A model has been trained or measured on the splits as they are, a batch was selected, or people
                have labeled: what was learned from must not become what is measured on.
        """
        if not plan.ratios:
            raise InvalidInput("no shares are given", remedy="say --ratio train=0.8,validation=0.1,test=0.1")
        with self._store.read() as tx:
            _refuse_used(tx, project)
            rows = tx.splits.rows(project.id)
        if not rows:
            raise InvalidInput(f"{project.name} has no examples", remedy="import some first")
        documents = len({row.document_id for row in rows})
        what = choose_group(plan.group, documents, len(plan.ratios), questions=project.task == "qa")
        names = [
            str(row.document_id)
            if what == "document"
            else row.context
            if what == "context"
            else row.content_hash
            for row in rows
        ]
        splits = assign(names, plan.ratios, plan.seed)
        moves = {row.id: split for row, split in zip(rows, splits, strict=True) if row.split != split}
        counts = {split.value: number for split, number in sorted(Counter(splits).items())}
        done = Resplit(counts, len(moves), what)
        if dry_run or not moves:
            return done
        with self._store.write() as tx:
            tx.labelsets.lock(project.id)
            _refuse_used(tx, project)
            tx.splits.move(moves)
            settings = tx.projects.alone(project.id).settings
            tx.projects.set_settings(project.id, {**settings, RESPLIT: settings.get(RESPLIT, 0) + 1})
            shares = {split.value: share for split, share in plan.ratios.items()}
            told = {"shares": shares, "seed": plan.seed, "group": what, "moved": len(moves)}
            tx.users.audit(user_id, "split", project.name, told, project.id)
        return done


def _refuse_used(tx: Transaction, project: Project) -> None:
    if tx.loads.of(project.id) is not None:
        raise WrongState("an import into this project is being written", remedy="split when it is done")
    used = tx.splits.used_by(project.id)
    if used is not None:
        raise WrongState(
            f"{project.name} can't be split again: {used}",
            remedy="make a new project from the same files with `workbench import --split-ratio`",
        )
