"""Adjudication: what people say of the same example, side by side, and a reviewer's word on which of it counts."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from workbench.domain import Annotation, Answer, Answers, Payload, Project, Remark, Span, Spans, Tags, User
from workbench.errors import InvalidInput, NotFound
from workbench.services.agreement import Case, make_case
from workbench.services.annotation import AnnotationService, Submission
from workbench.services.annotation_items import Suggestion
from workbench.services.annotation_queue import suggestions_for
from workbench.services.wordings import wordings
from workbench.storage.gold import same_labels
from workbench.storage.store import Store
from workbench.tasks import get_task

LONGEST_REMARK = 2_000


class Waiting(StrEnum):
    """Why an example waits for a reviewer."""

    DISPUTED = "disputed"
    FLAGGED = "flagged"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything about an example that a reviewer decides on.

    Attributes:
        case: The example and what each person says of it now.
        suggestion: Of the newest model version that has one.
        gold: What counts now, None where nothing does.
        decided_by: The reviewer whose word that is; None where a rule made it.
        flags: Who has flagged it, with their words.
        remarks: What reviewers have said to people about it, oldest first.
    """

    case: Case
    suggestion: Suggestion | None
    gold: Annotation | None
    decided_by: str | None
    flags: tuple[Annotation, ...]
    remarks: tuple[Remark, ...]


class ReviewService:
    """Find what waits for a reviewer, and decide it."""

    def __init__(self, store: Store, annotation: AnnotationService) -> None:
        self._store = store
        self._annotation = annotation

    def waiting(self, project: Project, which: Waiting = Waiting.DISPUTED) -> tuple[int, ...]:
        """Ids of the examples that wait for a reviewer, or that one has decided.

        Answers that are the same after normalisation wait too where nothing counts: gold asks for the same place.

        Those without labels that count come first, and each in the project's order.
        """
        with self._store.read() as tx:
            decided = tx.annotations.decided(project.id)
            if which is Waiting.DECIDED:
                found = list(decided)
            elif which is Waiting.FLAGGED:
                found = tx.annotations.flagged(project.id)
            else:
                said = tx.annotations.said_by_several(project.id)
                examples = {one.id: one for one in tx.examples.by_ids(list(said))}
                cases = [make_case(examples[one], said[one]) for one in said if one in examples]
                open_still = set(said) - tx.annotations.with_gold(list(said))
                found = [
                    case.example.id
                    for case in cases
                    if not case.same or (case.example.id in open_still and _torn(project, case))
                ]
            open_ones = found if which is Waiting.DECIDED else [one for one in found if one not in decided]
            settled = tx.annotations.with_gold(open_ones)
            order = {one.id: (one.id in settled, one.position) for one in tx.examples.by_ids(open_ones)}
        return tuple(sorted(order, key=order.__getitem__))

    def dossier(self, project: Project, example_id: int) -> Dossier:
        """Everything about one example. Raises NotFound."""
        with self._store.read() as tx:
            found = [one for one in tx.examples.by_ids([example_id]) if one.project_id == project.id]
            if not found:
                raise NotFound(f"this project has no example with id {example_id}")
            said = tx.annotations.said_by_several(project.id, example_ids=[example_id], people=1)
            gold, accepted_by = tx.annotations.gold_of([example_id]).get(example_id, (None, None))
            return Dossier(
                case=make_case(found[0], said.get(example_id, {})),
                suggestion=_of_golds_question(suggestions_for(tx, project, found).get(example_id), gold),
                gold=gold,
                decided_by=tx.users.by_id(accepted_by).name if accepted_by is not None else None,
                flags=tx.annotations.flags_of(example_id),
                remarks=tx.remarks.of_example(example_id),
            )

    def accept(self, project: Project, user: User, annotation_id: int) -> None:
        """One person's version counts, and stays so whatever anybody says later. Raises NotFound, InvalidInput."""
        self._annotation.decide(project, user, annotation_id)

    def rewrite(self, project: Project, user: User, example_id: int, payload: Payload) -> Annotation:
        """The reviewer's own labels count, a mixture of what people said or new ones.

        Raises:
            InvalidPayload: The labels don't fit the example.
            NotFound: There is no such example.
        """
        data = get_task(project.task).dump(payload)
        answer = Submission(
            example_id, f"review-{uuid.uuid4().hex}", payload=data, comment="decided in review"
        )
        stored = self._annotation.revise(project, user, answer, probed=False)
        self._annotation.decide(project, user, stored.id)
        return stored

    def reopen(self, project: Project, user: User, example_id: int) -> None:
        """Take a reviewer's word back: what people agree on counts again. Raises NotFound."""
        with self._store.write() as tx:
            if not [one for one in tx.examples.by_ids([example_id]) if one.project_id == project.id]:
                raise NotFound(f"this project has no example with id {example_id}")
            with wordings(tx, project, [example_id]):
                tx.annotations.clear_gold(example_id)
                tx.annotations.follow_gold(example_id)
            tx.users.audit(user.id, "review.reopen", str(example_id), project_id=project.id)

    def remark(self, project: Project, user: User, annotation_id: int, text: str) -> None:
        """Say something to the person whose revision that is; they see it on the Label page.

        Raises:
            InvalidInput: There is no text, or too much.
            NotFound: There is no such revision in the project.
        """
        text = text.replace("\0", "").strip()
        if not text or len(text) > LONGEST_REMARK:
            raise InvalidInput(
                "the remark is empty" if not text else "the remark is too long",
                remedy=f"write 1 to {LONGEST_REMARK:,} characters",
            )
        with self._store.write() as tx:
            annotation = tx.annotations.by_id(annotation_id)
            if not [
                one for one in tx.examples.by_ids([annotation.example_id]) if one.project_id == project.id
            ]:
                raise NotFound(f"there is no annotation with id {annotation_id}")
            tx.remarks.add(annotation_id, user.id, text)

    def remarks_to(self, project: Project, user: User) -> tuple[Remark, ...]:
        """What reviewers have said to the user and they have not put away, oldest first."""
        with self._store.read() as tx:
            return tx.remarks.unseen(project.id, user.id)

    def put_away(self, project: Project, user: User, remark_ids: Sequence[int]) -> None:
        """The user has read these remarks; others' are left as they are."""
        with self._store.write() as tx:
            tx.remarks.seen(project.id, user.id, remark_ids)


def _torn(project: Project, case: Case) -> bool:
    """Whether people say what the rule for gold does not take for the very same."""
    task = get_task(project.task)
    said = [one.payload for one in case.said.values() if one.payload is not None]
    return len({same_labels(task.dump(payload)) for payload in said}) > 1


def mixture(
    project: Project, dossier: Dossier, chosen: Sequence[tuple[int, int, str]], *, partial: bool = False
) -> Payload:
    """Labels made of single ones that people or the model set.

    Args:
        project: The project.
        dossier: The example's.
        chosen: Spans (start, end, label), tags (token, token, tag), or answers (start, end, "").
        partial: Of spans: these are judged and nothing else.

    Raises:
        InvalidInput: Two of them overlap, a token has two tags, or answers are to questions worded otherwise.
    """
    if project.task == "qa":
        answers = {Answer(start, end) for start, end, _ in chosen}
        return Answers(tuple(sorted(answers)), _question_of(dossier, answers))
    if project.task == "pos":
        tags: list[str | None] = [None] * len(dossier.case.example.content.tokens)
        for place, _, tag in chosen:
            if tags[place] not in (None, tag):
                raise InvalidInput("a word has two tags", remedy="choose one of them")
            tags[place] = tag
        return Tags(tuple(tags))
    spans = sorted({Span(*mark) for mark in chosen})
    for one, two in itertools.pairwise(spans):
        if two.start < one.end:
            text = dossier.case.example.content.text
            raise InvalidInput(
                f"{text[one.start : one.end]!r} ({one.label}) and {text[two.start : two.end]!r} ({two.label}) overlap",
                remedy="choose one of them",
            )
    return Spans(tuple(spans), partial)


def _question_of(dossier: Dossier, answers: set[Answer]) -> str | None:
    """The question as those read it who gave one of these answers, or where there are none said that there is none.

    The model is asked only where nobody gave one.
    """
    people = [one.payload for one in dossier.case.said.values()]
    model = [dossier.suggestion.prediction.payload] if dossier.suggestion is not None else []
    found = _questions(people, answers) or _questions(model, answers)
    if len(found) > 1:
        raise InvalidInput(
            "these answers are to questions that are worded differently",
            remedy="accept one version as it is, or label the example anew",
        )
    return next(iter(found), None)


def _questions(said: Sequence[Payload | None], answers: set[Answer]) -> set[str | None]:
    given = (one for one in said if isinstance(one, Answers))
    return {one.question for one in given if answers.intersection(one.answers) or answers == set(one.answers)}


def _of_golds_question(suggestion: Suggestion | None, gold: Annotation | None) -> Suggestion | None:
    """A suggestion with the wording that it answers: what a model has said of another than gold's is not kept."""
    if suggestion is None or gold is None or not isinstance(gold.payload, Answers):
        return suggestion
    prediction = suggestion.prediction
    if not isinstance(prediction.payload, Answers):
        return suggestion
    asked = replace(prediction.payload, question=gold.payload.question)
    return replace(suggestion, prediction=replace(prediction, payload=asked))


__all__ = ["Dossier", "ReviewService", "Waiting", "mixture"]
