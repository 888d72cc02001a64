"""The section `papers.omib` of params.yaml; the paper's values stand in Appendices H and I."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ibpapers.papers.omib.bounds import BETA
from ibpapers.papers.omib.entropy_settings import Entropy
from ibpapers.settings import Closed, Count, Listing, Positive, Seed

Simulated = Literal["sim1", "sim2", "sim3"]
Sentiment = Literal["mosi_bclstm", "mosi_transcripts"]
Dataset = Literal[Simulated, Sentiment]
Method = Literal[
    "omib", "concat", "bigated", "misa", "deep_ib", "mmib_cui", "mmib_zhang", "dmib",
    "e_mib", "l_mib", "c_mib",
]  # fmt: skip
Part = Literal["warm_up", "cross_attention", "omf", "r"]
Beta = Annotated[BETA, Field(description="a number, or a multiple of a bound: 1.0 M_u, 0.5 M_l")]


class Model(Closed):
    hidden: Annotated[Count, Field(description="hidden layer of an encoder; not in the paper")]
    encoding: Annotated[Count, Field(description="values of z_i")]
    code: Annotated[Count, Field(description="k, values of zeta_i and xi")]
    head: Annotated[
        list[Count], Field(min_length=1, max_length=8, description="hidden layers of a head")
    ]


class Training(Closed):
    updates: Annotated[Count, Field(description="steps of Adam, warm-up included")]
    warm_up_updates: Annotated[int, Field(ge=0, description="of them OMIB's warm-up")]
    batch_size: Annotated[int, Field(ge=2, le=10**6, description="samples")]
    learning_rate: Positive

    @model_validator(mode="after")
    def _main_training_is_left(self) -> Training:
        if self.warm_up_updates >= self.updates:
            raise ValueError(f"warm_up_updates must be below updates ({self.updates})")
        return self


class Setting(Closed):
    """What all methods share on one kind of data."""

    model: Model
    training: Training


class Evaluation(Closed):
    seed: Seed
    draws: Annotated[Count, Field(description="draws of the codes over which metrics are averaged")]


class BetaSweep(Closed):
    """Fig. 3."""

    datasets: Listing[Simulated]
    betas: Listing[Beta]


class FeatureSets(Closed):
    """Table 2."""

    datasets: Listing[Simulated]
    beta: Beta


class Comparison(Closed):
    """Table 4."""

    datasets: Listing[Sentiment]
    methods: Listing[Method]
    beta: Beta


class Ablation(Closed):
    """Table 6."""

    datasets: Listing[Dataset]
    without: Listing[Part]
    beta: Beta


class Runtime(Closed):
    """Fig. 4."""

    dataset: Simulated
    samples: Listing[Annotated[Count, Field(description="training samples of an epoch, N")]]


class Studies(Closed):
    beta_sweep: BetaSweep
    feature_sets: FeatureSets
    sentiment: Comparison
    ablation: Ablation
    runtime: Runtime


class Settings(Closed):
    seeds: Listing[Seed]
    entropy: Entropy
    sim: Setting
    mosi: Setting
    evaluation: Evaluation
    studies: Studies
