"""The section `papers.pom2dib` of params.yaml; defaults of the paper stand in Section VIII-A."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ibpapers.settings import Closed, Count, Distinct, Listing, NonNegative, Positive, Seed

Method = Literal["pom2dib", "rsdib", "tadib", "dlsc"]
Unprinted = Literal["pom2dib_stable"]  # ours: the paper has no number to hold it against
Change = Literal["wait", "leave_one_out", "sets"]
Dataset = Literal["handwritten", "mm_fi"]
BatchSize = Annotated[
    int, Field(ge=6, le=10**4, description="samples, the rate estimator's n (DLSC's needs 6)")
]
# Far above what the paper needs, and such that no single one of them exhausts a machine's memory.
Links = Annotated[int, Field(ge=1, le=100)]
Width = Annotated[int, Field(ge=1, le=4096)]
Updates = Annotated[int, Field(ge=1, le=10**6)]
Batches = Annotated[int, Field(ge=1, le=1000)]
Draws = Annotated[int, Field(ge=1, le=10**6)]


class Limits(Closed):
    """The physical limits of Eq. 9 and 10."""

    transmitters_per_task: Annotated[Links, Field(description="E_t")]
    encodings_per_transmitter: Annotated[Links, Field(description="E_k, (task, modality) pairs")]


# As good as none: every transmitter for a task, a transmitter's every modality for all three.
NO_LIMITS = {
    "handwritten": Limits(transmitters_per_task=3, encodings_per_transmitter=9),
    "mm_fi": Limits(transmitters_per_task=4, encodings_per_transmitter=12),
}


class Model(Closed):
    code_dimension: Annotated[Width, Field(description="d, size of one code and of u")]
    widths: Annotated[
        list[Width], Field(min_length=1, max_length=8, description="of the residual blocks")
    ]


class LearningRate(Closed):
    coding: Positive
    selection: Positive


class Training(Closed):
    updates: Annotated[Updates, Field(description="optimiser steps; the paper calls them epochs")]
    batches_per_update: Batches
    batch_size: BatchSize
    learning_rate: LearningRate
    weight_decay: NonNegative
    selector_gradient_norm: Annotated[Positive, Field(description="selector gradients clipped to")]
    rate_estimator: Annotated[
        Literal["factorised", "joint"], Field(description="marginal of Eq. 17: see information")
    ]
    log_selection_every: Annotated[Count, Field(description="updates between selection records")]


class HandWrittenTraining(Training):
    fft_scaling: Annotated[
        Literal["sample", "batch"], Field(description="the FFT's min and max are taken over")
    ]


class Stable(Closed):
    """How the selection of pom2dib_stable learns; pom2dib's has no wait, constant and order."""

    wait: Annotated[int, Field(ge=0, le=10**6, description="updates in which only the codes learn")]
    baseline: Annotated[
        Literal["constant", "leave_one_out"],
        Field(description="what a cost is held to: b_t, or the update's other batches"),
    ]
    likelihood: Annotated[
        Literal["order", "set"], Field(description="of the draw in its order, or of the sets drawn")
    ]


class Evaluation(Closed):
    seed: Seed
    batch_size: BatchSize
    selection_draws: Annotated[Draws, Field(description="draws of u behind a probability")]
    log_window: Annotated[Count, Field(description="last updates averaged as the training log")]


class Comparison(Closed):
    """Table I and Fig. 3."""

    methods: Listing[Method]
    beta: NonNegative


class RateRelevance(Closed):
    """Fig. 2 (a, b): a curve over beta for each method, a point for those without a rate term."""

    methods: Listing[Method]
    betas: Listing[NonNegative]
    points: Distinct[Method]


class Dynamics(Closed):
    """Fig. 2 (c, d): pom2dib's way through the information plane, at betas of rate_relevance."""

    datasets: Distinct[Dataset]
    largest_beta: NonNegative


class LearningRateRatio(Closed):
    """Fig. 2 (e, f) and Table II: pom2dib, its selection learning faster or slower."""

    datasets: Distinct[Dataset]
    ratios: Annotated[
        Listing[Positive],
        Field(description="the selection's learning rate over the coding's, which stays"),
    ]
    beta: NonNegative


class Stability(Closed):
    """Methods at one beta, and pom2dib_stable without each of its changes; on HandWritten."""

    methods: Distinct[Method | Unprinted]
    without: Distinct[Change]
    beta: NonNegative


class NoLimits(Closed):
    """Fig. 5 and 6: pom2dib without limits, at `beta` and at 0."""

    datasets: Distinct[Dataset]
    beta: Positive


class SparsePrior(Closed):
    """Fig. 7 and 8: pom2dib with a price on every connection, in place of the limits."""

    datasets: Distinct[Dataset]
    gamma: Annotated[Positive, Field(description="nats a connection, see Remark 7")]
    beta: NonNegative


class Studies(Closed):
    comparison: Comparison
    rate_relevance: RateRelevance
    dynamics: Dynamics
    learning_rate_ratio: LearningRateRatio
    stability: Stability
    no_limits: NoLimits
    sparse_prior: SparsePrior


class OnMMFi(Closed):
    """What is otherwise on MM-Fi."""

    seeds: Listing[Seed]
    model: Model
    training: Training
    betas: Annotated[Listing[NonNegative], Field(description="of rate_relevance and dynamics")]


class Settings(Closed):
    datasets: Listing[Dataset]
    seeds: Listing[Seed]
    limits: Limits
    model: Model
    training: HandWrittenTraining
    stable: Stable
    evaluation: Evaluation
    studies: Studies
    mm_fi: OnMMFi

    @model_validator(mode="after")
    def _others_are_there(self) -> Settings:
        if self.stable.baseline == "leave_one_out" and self.training.batches_per_update < 2:
            raise ValueError("stable.baseline leave_one_out needs training.batches_per_update of 2")
        return self
