"""``pipeline("question-answering")`` for a model that the Annotation Workbench exported.

transformers removed its own pipeline of that name in 5.3, so the folder brings this file and ``answer_windows.py``, and
``config.json`` names it under ``custom_pipelines``; ``trust_remote_code=True`` lets transformers load it. It needs
transformers, torch and NumPy only, opens no file and no connection::

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

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from transformers.pipelines.base import ChunkPipeline

from .answer_windows import DEFAULTS, PairTemplate, best_answers, read_windows

Json = dict[str, Any]


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
        asked = self.tokenizer(question, add_special_tokens=False, verbose=False)["input_ids"]
        encoded = self.tokenizer(
            context, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )
        windows = list(
            read_windows(
                self._template(),
                asked,
                context,
                encoded["input_ids"],
                encoded["offset_mapping"],
                max_length=max_length,
                stride=stride,
                context_first=self.tokenizer.padding_side == "left",
            )
        )
        for number, window in enumerate(windows):
            inputs = {
                "input_ids": torch.tensor([window.ids]),
                "attention_mask": torch.ones((1, len(window.ids)), dtype=torch.long),
            }
            if "token_type_ids" in self.tokenizer.model_input_names:
                inputs["token_type_ids"] = torch.tensor([window.types])
            yield {
                **inputs,
                "context": context,
                "length": len(window.ids),
                "columns": window.columns,
                "places": window.places,
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
        read = [
            (self._read(window, "start"), self._read(window, "end"), window["places"]) for window in windows
        ]
        answers = best_answers(
            windows[0]["context"],
            read,
            top_k=top_k,
            allow_no_answer=allow_no_answer,
            threshold=threshold,
            longest=longest,
        )
        return answers[0] if top_k == 1 else answers

    def _read(self, window: Json, name: str) -> Any:
        """Logits of the places of a window, CLS first, wherever padding has moved them."""
        logits = window[name].reshape(-1).cpu().numpy()
        shift = len(logits) - int(window["length"]) if self.tokenizer.padding_side == "left" else 0
        return logits[np.asarray(window["columns"]) + shift].astype(np.float64)

    def _template(self) -> PairTemplate:
        pair = self.tokenizer("x", "x", return_token_type_ids=True)
        return PairTemplate.of(
            pair["input_ids"], pair["token_type_ids"], pair.sequence_ids(), self.tokenizer.cls_token_id
        )


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
