"""Words that a newcomer may not know: each with a sentence, the page of the docs that says more, and how it is spelled.

The one place for them: pages show the sentences where the words stand (``explain`` as a widget's help, ``PAGE_TERMS``
below a page's title), the Help page shows them all, and docs/reference/glossary.md is made from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Term:
    """A word and what it means.

    Attributes:
        name: As it is called.
        sentence: What it means here.
        docs: The page of the docs that says more, below docs/.
        spelled: A regular expression of its spellings; empty takes the name.
    """

    name: str
    sentence: str
    docs: str
    spelled: str = ""

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds it in a text."""
        return re.compile(rf"\b(?:{self.spelled or re.escape(self.name)})\b", re.IGNORECASE)


STRATEGIES, METRICS = "reference/strategies.md", "metrics.md"

TERMS: Mapping[str, Term] = MappingProxyType(
    {
        # Data
        "pool": Term(
            "Pool", "The examples to be labeled: strategies choose from them.", "splits.md", "pools?"
        ),
        "gold": Term(
            "Gold",
            "The accepted labels of an example: what models learn from and are measured against.",
            "labeling.md",
        ),
        "partial": Term(
            "Partial labels",
            "Spans that are all that was judged: every other word is unknown, so that no model learns from its silence "
            "and nothing is measured on the example.",
            "labeling.md",
            "partial labels?",
        ),
        "split": Term(
            "Split",
            "What an example is for: pool and train are learned from, validation is watched while training, test is "
            "only ever measured on.",
            "splits.md",
            "splits?",
        ),
        "leakage": Term(
            "Leakage",
            "Text that a version is measured on also stands in what it learned from: its score is too high then.",
            "splits.md",
            "leak(?:s|age)?",
        ),
        "near-duplicate": Term(
            "Near-duplicate",
            "A text that differs from another one only in case, digits, punctuation, spacing or a few words.",
            "splits.md",
            "near-duplicates?",
        ),
        "iob2": Term(
            "BIO, IOB2",
            "A way to write spans as a tag for each word: B- begins a name, I- goes on with it, O is outside.",
            "formats.md",
            "BIO|IOB[12]",
        ),
        "bioes": Term(
            "BIOES, BILOU",
            "As IOB2, with tags of their own for the last word of a name (E, L) and a name of one word (S, U).",
            "formats.md",
            "BIOES|BILOU",
        ),
        # Selection
        "strategy": Term(
            "Query strategy",
            "The rule that ranks the pool: what would teach the model most comes first.",
            STRATEGIES,
            "(?:query )?strateg(?:y|ies)",
        ),
        "mnlp": Term(
            "MNLP",
            "Maximum normalised log-probability: asks where the model is least sure per word, so that long examples "
            "get no advantage.",
            STRATEGIES,
        ),
        "margin": Term(
            "Margin",
            "By how much the likeliest label (or answer) beats the second: a small one means that the model wavers.",
            STRATEGIES,
            "margins?",
        ),
        "entropy": Term(
            "Entropy",
            "How widely the model's belief is spread: 0 where it is sure of one label, most where all are as likely.",
            STRATEGIES,
        ),
        "bald": Term(
            "BALD",
            "Bayesian active learning by disagreement: asks where variants of the model are each sure, but of "
            "different labels.",
            STRATEGIES,
            "(?:power)?bald",
        ),
        "audit": Term(
            "Drawn by lot",
            "Examples that no model chose: how a model does on them is how good it is on the pool.",
            "evidence.md",
            "drawn by lot",
        ),
        # Training
        "base-model": Term(
            "Base model",
            "A model that has read much text already and that training begins with.",
            "training.md",
            "base models?",
        ),
        "epoch": Term("Epoch", "One pass over all training examples.", "training.md", "epochs?"),
        "learning-rate": Term(
            "Learning rate",
            "How far one step of training moves the weights: too high, and the loss jumps; too low, and it stays.",
            "training.md",
            "learning rates?",
        ),
        "warm-up": Term(
            "Warm-up",
            "The first steps of a training, over which the learning rate rises to its peak.",
            "training.md",
            "warm-?up",
        ),
        "loss": Term(
            "Loss", "What training makes small: how far the model is from the labels.", "training.md"
        ),
        "sub-word": Term(
            "Sub-word",
            "A piece of a word, as the model reads it; its vocabulary holds pieces, not all words.",
            "training.md",
            "sub-words?",
        ),
        "doc-stride": Term(
            "Doc stride",
            "A text longer than the model reads at once is read in overlapping windows; the stride says how far apart "
            "they begin.",
            "training.md",
            "(?:doc )?stride|overlapping windows",
        ),
        "document-context": Term(
            "Document context",
            "What stands before and after a sentence in its document, read along with it and not labeled: it says "
            "which of two labels a word has where its own sentence does not.",
            "training.md",
            "document context|FLERT",
        ),
        "embedding": Term(
            "Embedding",
            "A word or a text as a list of numbers, near to those of what means the like.",
            "training.md",
            "embeddings?",
        ),
        "patience": Term(
            "Patience",
            "For how many looks at the validation data without a better score training goes on.",
            "training.md",
        ),
        "lora": Term(
            "LoRA",
            "Low-rank adaptation: two narrow matrices beside each of the encoder's learn in its place, which takes far "
            "less memory; afterwards they are added to it.",
            "training.md",
        ),
        "adapting": Term(
            "Adapting to texts",
            "The encoder fills in words that are hidden in your unlabeled texts, before it learns from labels.",
            "training.md",
            "adapt(?:ing|ed) (?:the encoder )?to (?:the |your )?texts?",
        ),
        "seed": Term(
            "Seed",
            "A number that fixes what is left to chance: the same seed, the same result.",
            "training.md",
            "seeds?",
        ),
        # Metrics
        "f1": Term(
            "Entity F1",
            "The harmonic mean of precision (how much of what was found is right) and recall (how much of what is "
            "there was found); an entity is right when its ends and its label are.",
            METRICS,
            "F1|precision|recall",
        ),
        "seqeval": Term(
            "seqeval",
            "The Python library that papers measure entity F1 with; the figures here are equal to its.",
            METRICS,
        ),
        "macro": Term(
            "Macro F1",
            "The mean of the labels' F1: rare labels count as much as frequent ones.",
            METRICS,
            "macro",
        ),
        "exact-match": Term(
            "Exact match",
            "The share of questions whose answer is a gold answer, but for case, articles and punctuation.",
            METRICS,
        ),
        "interval": Term(
            "95 % interval",
            "Where the true figure lies, as far as so few examples can say: it would hold it 95 times of a hundred.",
            METRICS,
            r"95 % (?:confidence )?intervals?|confidence intervals?",
        ),
        "p-value": Term(
            "p-value",
            "How often chance alone would make a difference this large between two equally good versions.",
            METRICS,
            "p-values?",
        ),
        "bootstrap": Term(
            "Bootstrap",
            "Measuring again on examples drawn anew, with repeats, many times: how much a figure owes to chance.",
            METRICS,
        ),
        "calibration": Term(
            "Calibration",
            "Whether the model is right as often as it says: of what it is 80 % sure of, 80 in a hundred should be.",
            METRICS,
            "calibrat(?:ion|ed)",
        ),
        "ece": Term(
            "ECE",
            "Expected calibration error: the mean distance between how sure the model is and how often it is right.",
            METRICS,
        ),
        "confusion": Term(
            "Confusion",
            "A table of gold labels against predicted ones: which label is taken for which.",
            "compare.md",
        ),
        # People
        "kappa": Term(
            "Kappa",
            "How far two people agree beyond chance: 1 is always, 0 as often as by lot.",
            "team.md",
        ),
        "alpha": Term(
            "Alpha",
            "Krippendorff's: as kappa, for any number of people, not all of whom labeled everything.",
            "team.md",
            "alpha|Krippendorff(?:'s)?",
        ),
        "suspect": Term(
            "Suspect",
            "A label that is probably wrong: models that have not learned from it are sure of another.",
            "evidence.md",
            "suspects?",
        ),
        # Versions
        "pruned": Term(
            "Pruned",
            "A version whose files were removed to save space: its scores and predictions are there, and it can be "
            "trained again.",
            "operate.md",
            "pruned|pruning",
        ),
        # Export
        "onnx": Term(
            "ONNX",
            "A file format of models that runs without torch, and faster on a CPU.",
            "exporting.md",
            "ONNX(?: Runtime)?",
        ),
        "int8": Term(
            "int8",
            "Weights rounded to whole numbers of 8 bits, in place of fractions of 32 (fp32): a quarter of the size, "
            "quicker, a little less exact.",
            "exporting.md",
            "int8|fp32",
        ),
        "safetensors": Term(
            "safetensors",
            "A file format of weights that holds numbers only: opening it can run no code.",
            "exporting.md",
        ),
        "tokenizer": Term(
            "Tokenizer", "What cuts text into the pieces that a model reads.", "exporting.md", "tokenizers?"
        ),
    }
)

PAGE_TERMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Home": ("pool", "split", "strategy", "base-model", "f1"),
        "Data": ("split", "pool", "gold", "partial", "leakage", "near-duplicate", "iob2", "bioes", "seed"),
        "Select": (
            "strategy",
            "pool",
            "mnlp",
            "margin",
            "entropy",
            "bald",
            "audit",
            "near-duplicate",
            "embedding",
            "seed",
        ),
        "Label": ("gold", "partial", "pool", "margin", "entropy"),
        "Train": (
            "base-model",
            "epoch",
            "learning-rate",
            "warm-up",
            "loss",
            "sub-word",
            "doc-stride",
            "document-context",
            "f1",
            "seed",
        ),
        "Compare": (
            "partial",
            "f1",
            "interval",
            "p-value",
            "bootstrap",
            "calibration",
            "ece",
            "confusion",
            "leakage",
            "seqeval",
            "macro",
            "exact-match",
            "gold",
            "pruned",
        ),
        "Export": ("onnx", "int8", "safetensors", "tokenizer", "sub-word", "f1"),
        "Simulate": (
            "strategy",
            "pool",
            "epoch",
            "seed",
            "mnlp",
            "interval",
            "f1",
            "split",
            "margin",
            "entropy",
            "bald",
        ),
        "Progress": ("pool", "audit", "kappa", "interval", "f1", "base-model"),
        "Suspects": ("suspect", "gold", "epoch", "pool", "split"),
        "Review": ("kappa", "alpha", "gold", "f1"),
        "Team": (
            "pool",
            "gold",
        ),
    }
)
"""By a page's title what it speaks of, in the order in which a reader meets it."""

MORE = "Help?term="
"""Served by the workbench itself, so that a link needs no internet."""


def explain(*keys: str, also: str = "") -> str:
    """Help of a widget or a figure, in Markdown: what is said there anyway, then each term with a link to more.

    Args:
        keys: Of ``TERMS``.
        also: What the widget does.
    """
    parts = [f"**{TERMS[key].name}**: {TERMS[key].sentence} [More]({MORE}{key})" for key in keys]
    return "\n\n".join([also, *parts] if also else parts)


def found_in(text: str, keys: Iterable[str] = TERMS) -> Iterator[str]:
    """Keys of the terms that a text speaks of."""
    return (key for key in keys if TERMS[key].pattern.search(text))
