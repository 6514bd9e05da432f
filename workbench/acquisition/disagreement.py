"""How much several opinions of one model disagree, where each of them is sure of itself."""

from __future__ import annotations

from workbench.acquisition.base import STRATEGIES, TAGGING_TASKS, Floats, Strategy, TokenBatch, tasks_of


def bald(batch: TokenBatch) -> Floats:
    """Bayesian active learning by disagreement, the mean over the tokens.

    Formula: ``(1 / T) * sum_t (H(mean_k p_k(t)) - mean_k H(p_k(t)))`` over dropout masks k in the head. Range
    0..log(classes). What is uncertain in itself, so that every mask is equally unsure, scores 0. Cost: one matrix
    product of the last states with the head under ten masks, in the same pass of the encoder.
    Paper: Houlsby et al. (2011), Bayesian active learning for classification and preference learning; by dropout: Gal,
    Islam and Ghahramani (2017), Deep Bayesian active learning with image data, ICML; for tagging Shen et al. (2018).
    """
    return batch.mean(batch.disagreement)


STRATEGIES.add(
    "bald",
    Strategy(
        name="bald",
        title="Disagreement (BALD)",
        sentence="Asks where variants of the model are each sure, but of different labels.",
        formula="(1/T) Σ_t (H(mean_k p_k(t)) - mean_k H(p_k(t))), over dropout masks k",
        bounds="0 to log(classes)",
        cost="ten small heads in place of one, in the same pass over the pool",
        paper="Houlsby et al. (2011), Bayesian Active Learning for Classification; Gal et al. (2017)",
        tagging=bald,
        tasks=tasks_of(bald, None),
        reads_disagreement=True,
    ),
)

STRATEGIES.add(
    "power-bald",
    Strategy(
        name="power-bald",
        title="Disagreement by chance (PowerBALD)",
        sentence="Draws examples with chances as the disagreement among variants of the model: fewer of one kind.",
        formula="log of the score bald + g, g = -log(-log u), u uniform on (0, 1); the highest are taken",
        bounds="all numbers; shown is the score bald",
        cost="that of bald, and one random number an example",
        paper="Kirsch et al. (2023), Stochastic Batch Acquisition: A Simple Baseline for Deep Active Learning",
        guide="bald",
        noise=1.0,
        tasks=TAGGING_TASKS,
    ),
)
