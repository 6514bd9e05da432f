"""Examples that would change the last layer much, and each in another direction."""

from __future__ import annotations

import numpy as np

from workbench.acquisition.base import STRATEGIES, Chosen, SetView, Strategy, tasks_of
from workbench.acquisition.clusters import spread_out


def gradient_directions(view: SetView, count: int, rng: np.random.Generator) -> list[Chosen]:
    """BADGE: k-means++ over the gradients that the examples would give the last layer.

    Formula: drawn with chances as ``min_j |g_i - g_j|^2``, j over those drawn before, the longest gradient first.
    ``g_i`` is the gradient of the loss with respect to the last layer's weights if the model's own best labels were
    right. **Aggregation for tokens:** the mean over an example's words of ``(p(t) - onehot(argmax p(t))) h(t)^T``, at
    each word's first sub-word, so that long examples get no advantage; words that the model is sure of add nothing. For
    questions: the mean over the windows of the gradients of the start and the end position. Gradients are kept as
    sketches of 256 numbers whose scalar products are right on average (see ``modeling.pooling``).
    Score: the gradient's length. Range 0 upwards. Cost: O(candidates x chosen x 256).
    Paper: Ash et al. (2020), Deep batch active learning by diverse, uncertain gradient lower bounds, ICLR.
    """
    gradients = np.asarray(view.features.gradients, dtype=np.float32)
    if not len(gradients):
        return []
    lengths = np.sqrt(np.einsum("ij,ij->i", gradients, gradients))
    rows = spread_out(gradients, count, rng, first=lengths.argmax(keepdims=True))
    return [
        Chosen(
            int(row),
            float(lengths[row]),
            f"a gradient of length {lengths[row]:.3g} in a direction of its own, number {place} of {len(rows)}",
        )
        for place, row in enumerate(rows, 1)
    ]


STRATEGIES.add(
    "badge",
    Strategy(
        name="badge",
        title="Doubts of different kinds (BADGE)",
        sentence="Asks for examples that would change the model much, each in another way: doubt and variety at once.",
        formula="k-means++ over g_i = (1/T) Σ_t (p_t - onehot(argmax p_t)) h_tᵀ; for questions over start and end",
        bounds="0 upwards: the length of the gradient",
        cost="a sketch of the gradients in the same pass; k-means++ over the 5,000 of the smallest margin at most",
        paper="Ash et al. (2020), Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds",
        choose=gradient_directions,
        reads=frozenset({"embeddings", "gradients"}),
        guide="margin",
        tasks=tasks_of(None, None),
    ),
)
