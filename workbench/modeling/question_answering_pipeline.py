"""``pipeline("question-answering")`` for a model that the Annotation Workbench exported.

transformers removed its own pipeline of that name in 5.3, so the folder brings this file, and ``config.json`` names
it under ``custom_pipelines``; ``trust_remote_code=True`` lets transformers load it. It needs transformers, torch and
NumPy only, opens no file and no connection::

    from transformers import pipeline

    ask = pipeline("question-answering", model=DIR, trust_remote_code=True)
    ask(question="Where does the river rise?", context="The Tarn rises in a small lake.")
    # {'answer': 'a small lake', 'score': 0.81, 'start': 18, 'end': 30}

The context is read in overlapping windows, each with the question beside it. Every start is weighed with every end at
most ``max_answer_tokens`` sub-words after it, over all windows; positions count code points of the context. "No answer"
has the score of the CLS position in the window that speaks least for it, and wins where it exceeds the best answer's
by more than the threshold that was found in training. Scores are the probabilities among the answers weighed last.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from transformers.pipelines.base import ChunkPipeline

DEFAULTS = {
    "max_length": 384,
    "stride": 128,
    "allow_no_answer": False,
    "no_answer_threshold": 0.0,
    "max_answer_tokens": 30,
}
Json = dict[str, Any]
Place = tuple[int, int]
"""Start and end in code points of the context."""

N_BEST = 20
NOWHERE = (-1, -1)


class QuestionAnsweringPipeline(ChunkPipeline):  # type: ignore[misc]
    """Answers questions from contexts by marking where the answer stands."""

    default_input_names = "question,context"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Answer one question or several.

        Args:
            question: A string, or a list of them.
            context: A string, or a list as long as the questions. Instead of both, one argument may be given: a
                ``{"question", "context"}`` or a list of such.
            top_k: Answers of each question, best first; a list instead of a dict where it is more than 1.
            handle_impossible_answer: Whether "no answer" (``""``, start and end 0) may be given; by default whether
                the model learned from questions without one.
            max_seq_len: Sub-words of one window.
            doc_stride: Sub-words that neighbouring windows share.
            max_answer_len: Longest answer, in sub-words.

        Returns:
            ``{"answer", "score", "start", "end"}``, or a list of them for several questions or answers.
        """
        single, pairs = _pairs(args, kwargs.pop("question", None), kwargs.pop("context", None))
        if single:
            return super().__call__(pairs[0], **kwargs)
        return list(super().__call__(pairs, **kwargs))

    def _sanitize_parameters(self, **given: Any) -> tuple[Json, Json, Json]:
        settings = {**DEFAULTS, **(getattr(self.model.config, "workbench_question_answering", None) or {})}
        cut = {
            "max_length": given.get("max_seq_len", settings["max_length"]),
            "stride": given.get("doc_stride", settings["stride"]),
        }
        top_k = given.get("top_k", 1)
        if top_k < 1:
            raise ValueError(f"top_k is {top_k}; give 1 or more")
        allow = given.get("handle_impossible_answer")
        choose = {
            "top_k": top_k,
            "allow_no_answer": settings["allow_no_answer"] if allow is None else allow,
            "threshold": settings["no_answer_threshold"],
            "longest": given.get("max_answer_len", settings["max_answer_tokens"]),
        }
        return cut, {}, choose

    def preprocess(self, pair: Json, max_length: int, stride: int) -> Iterator[Json]:
        """The windows of one question and context, one after the other."""
        question, context = pair["question"].strip(), pair["context"]
        before, between, after = self._special_tokens()
        room = max_length - len(before) - len(between) - len(after)
        asked = self.tokenizer(question, add_special_tokens=False, verbose=False)["input_ids"][: room // 2]
        encoded = self.tokenizer(
            context, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )
        ids, places = encoded["input_ids"], _joined(context, encoded["offset_mapping"])
        capacity = room - len(asked)
        windows = _windows(len(ids), capacity, min(stride, capacity // 2))
        left = self.tokenizer.padding_side == "left"
        for number, (start, end) in enumerate(windows):
            part = ids[start:end]
            first, second = (part, asked) if left else (asked, part)
            whole = [*before, *first, *between, *second, *after]
            offset = len(before) if left else len(before) + len(asked) + len(between)
            inputs = {
                "input_ids": torch.tensor([whole]),
                "attention_mask": torch.ones((1, len(whole)), dtype=torch.long),
            }
            if "token_type_ids" in self.tokenizer.model_input_names:
                types = self._types(len(first), len(second))
                inputs["token_type_ids"] = torch.tensor([types])
            yield {
                **inputs,
                "context": context,
                "length": len(whole),
                "columns": [self._cls_column(whole), *range(offset, offset + len(part))],
                "places": [NOWHERE, *places[start:end]],
                "is_last": number == len(windows) - 1,
            }

    def _forward(self, window: Json) -> Json:
        names = ("input_ids", "attention_mask", "token_type_ids")
        output = self.model(**{name: window[name] for name in names if name in window})
        kept = {name: window[name] for name in ("context", "length", "columns", "places", "is_last")}
        return {**kept, "start": output.start_logits.float(), "end": output.end_logits.float()}

    def postprocess(
        self, windows: list[Json], top_k: int, allow_no_answer: bool, threshold: float, longest: int
    ) -> Any:
        """The best answers over all windows of one question."""
        context = windows[0]["context"]
        best: dict[Place, float] = {}
        null = np.inf
        for window in windows:
            starts, ends = (self._read(window, name) for name in ("start", "end"))
            null = min(null, float(starts[0] + ends[0]))
            for found, score in _candidates(starts, ends, window["places"], longest):
                place = _trimmed(context, *found)
                if place[0] < place[1] and score > best.get(place, -np.inf):
                    best[place] = score
        ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))[:N_BEST]
        none_wins = not ranked or (allow_no_answer and null - ranked[0][1] > threshold)
        if allow_no_answer or not ranked:
            ranked.append(((0, 0), null))
        scores = np.array([score for _, score in ranked], dtype=np.float64)
        chances = np.exp(scores - scores.max())
        chances /= chances.sum()
        answers = [
            {"answer": context[start:end], "score": float(chance), "start": start, "end": end}
            for ((start, end), _), chance in zip(ranked, chances, strict=True)
        ]
        chosen = answers.pop(-1 if none_wins else 0)
        answers.sort(key=lambda answer: -answer["score"])
        return chosen if top_k == 1 else [chosen, *answers][:top_k]

    def _read(self, window: Json, name: str) -> Any:
        """Logits of the places of a window, CLS first, wherever padding has moved them."""
        logits = window[name].reshape(-1).cpu().numpy()
        shift = len(logits) - int(window["length"]) if self.tokenizer.padding_side == "left" else 0
        return logits[np.asarray(window["columns"]) + shift].astype(np.float64)

    def _special_tokens(self) -> tuple[list[int], list[int], list[int]]:
        """Ids before, between and after two texts."""
        parts: tuple[list[int], list[int], list[int]] = ([], [], [])
        part = 0
        encoding = self.tokenizer("x", "x")
        for token, sequence in zip(encoding["input_ids"], encoding.sequence_ids(), strict=True):
            if sequence is None:
                parts[part].append(token)
            else:
                part = sequence + 1
        return parts

    def _types(self, first: int, second: int) -> list[int]:
        """Token type ids around two texts of so many sub-words."""
        encoding = self.tokenizer("x", "x", return_token_type_ids=True)
        types: list[int] = []
        seen: set[int] = set()
        for kind, sequence in zip(encoding["token_type_ids"], encoding.sequence_ids(), strict=True):
            if sequence is None:
                types.append(kind)
            elif sequence not in seen:
                seen.add(sequence)
                types += [kind] * (first, second)[sequence]
        return types

    def _cls_column(self, ids: list[int]) -> int:
        """Where the CLS sub-word stands, or 0 where the model has none."""
        cls = self.tokenizer.cls_token_id
        return ids.index(cls) if cls is not None and cls in ids else 0


def _pairs(args: tuple[Any, ...], question: Any, context: Any) -> tuple[bool, list[Json]]:
    """Whether one question was asked, and the questions with their contexts."""
    if args:
        (given,) = args
        single = isinstance(given, dict)
        pairs = [given] if single else list(given)
    elif isinstance(question, str) and isinstance(context, str):
        single, pairs = True, [{"question": question, "context": context}]
    else:
        contexts = [context] * len(question) if isinstance(context, str) else list(context or [])
        questions = [question] * len(contexts) if isinstance(question, str) else list(question or [])
        if len(questions) != len(contexts):
            raise ValueError(f"there are {len(questions)} questions and {len(contexts)} contexts")
        single = False
        pairs = [{"question": one, "context": other} for one, other in zip(questions, contexts, strict=True)]
    for pair in pairs:
        for name in ("question", "context"):
            if not isinstance(pair.get(name), str) or not pair[name].strip():
                raise ValueError(f"the {name} is empty; give a question and a context")
    return single, pairs


def _windows(length: int, capacity: int, stride: int) -> list[Place]:
    """Ranges over ``length`` sub-words; the last one is moved back until it is full."""
    if length <= capacity:
        return [(0, length)]
    starts = [*range(0, length - capacity, capacity - stride), length - capacity]
    return [(start, start + capacity) for start in starts]


def _joined(text: str, offsets: list[Place]) -> list[Place]:
    """Offsets with combining marks and joiners counted to the sub-word before them: normalisers drop them."""
    joined = [(start, end) for start, end in offsets]
    if text.isascii():
        return joined
    following = [*(start for start, _ in joined[1:]), len(text)]
    for index, (start, end) in enumerate(joined):
        last = end
        while last < following[index] and unicodedata.category(text[last]) in ("Mn", "Me", "Mc", "Cf"):
            last += 1
        joined[index] = (start, last)
    return joined


def _candidates(starts: Any, ends: Any, places: list[Place], longest: int) -> list[tuple[Place, float]]:
    """The best pairs of a start and an end in one window: ((start, end) in code points, score)."""
    inside = np.array([start >= 0 for start, _ in places])
    starts, ends = np.where(inside, starts, -np.inf), np.where(inside, ends, -np.inf)
    padded = np.concatenate([ends, np.full(longest - 1, -np.inf)])
    scores = (starts[:, None] + np.lib.stride_tricks.sliding_window_view(padded, longest)).ravel()
    keep = min(N_BEST, int(np.isfinite(scores).sum()))
    if not keep:
        return []
    top = np.argpartition(-scores, keep - 1)[:keep]
    return [
        ((places[index // longest][0], places[index // longest + index % longest][1]), float(scores[index]))
        for index in top.tolist()
    ]


def _trimmed(text: str, start: int, end: int) -> Place:
    """The range without white space at its ends."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))
