"""The section `papers.toc` of params.yaml; the paper's own values stand in its Section VI."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ibpapers.papers.toc.conventional_settings import Conventional
from ibpapers.settings import Closed, Listing, NonNegative, Positive, Seed

Dataset = Literal["mosei_sequences", "mosi_sequences", "mosi_transcripts", "mosi_bclstm"]
ChannelKind = Literal["awgn", "rayleigh"]
Method = Literal["two_stage_vib", "t_deepsc", "conventional", "noiseless"]
Width = Annotated[int, Field(ge=1, le=4096)]
SNR = Annotated[float, Field(ge=-100, le=100, description="dB")]
Dimension = Annotated[
    int, Field(ge=4, le=4096, multiple_of=2, description="real values transmitted of an utterance")
]


class Channel(Closed):
    """Of the Rayleigh channel."""

    fading: Annotated[
        Literal["block", "fast"], Field(description="h lasts an utterance, or a symbol")
    ]
    equaliser: Literal["mmse", "zf", "none"]


class Model(Closed):
    """None of it is in the paper."""

    width: Annotated[int, Field(ge=2, le=4096, multiple_of=2, description="of the Transformers")]
    heads: Annotated[int, Field(ge=1, le=64)]
    layers: Annotated[int, Field(ge=1, le=100)]
    feed_forward: Annotated[Width, Field(description="hidden layer within a Transformer's")]
    code: Annotated[Width, Field(description="values of a Z^m, and of the receiver's code")]
    hidden: Annotated[Width, Field(description="of decoders, the fusion and the receiver")]
    discriminator: Annotated[
        list[Width], Field(min_length=1, max_length=8, description="hidden layers of one")
    ]

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Model:
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads ({self.heads})")
        return self


class Training(Closed):
    batch_size: Annotated[int, Field(ge=2, le=10**6, description="utterances")]
    learning_rate: Annotated[Positive, Field(description="of Adam; not in the paper")]
    beta: Annotated[NonNegative, Field(description="of the codes' KL, per nat; not in the paper")]
    gamma: Annotated[NonNegative, Field(description="of the receiver's; not in the paper")]
    redundancy: Annotated[NonNegative, Field(description="lambda_red at the last update")]
    reverse: Annotated[
        Literal["first", "both"],
        Field(description="the arguments of a discriminator whose gradient is reversed"),
    ]
    snrs: Annotated[
        list[SNR], Field(min_length=2, max_length=2, description="lowest and highest in training")
    ]
    validation_snrs: Annotated[Listing[SNR], Field(description="at which models are compared")]

    @model_validator(mode="after")
    def _snrs_are_in_order(self) -> Training:
        low, high = self.snrs
        if low > high:
            raise ValueError("snrs: the lowest stands first")
        return self


class Budget(Closed):
    """How long a system is trained on one corpus."""

    updates: Annotated[int, Field(ge=1, le=10**6, description="steps of Adam, warm-up included")]
    warm_up_updates: Annotated[int, Field(ge=0, description="of them with lambda_red 0")]

    @model_validator(mode="after")
    def _reduction_is_left(self) -> Budget:
        if self.warm_up_updates >= self.updates:
            raise ValueError(f"warm_up_updates must be below updates ({self.updates})")
        return self


class Evaluation(Closed):
    seed: Annotated[Seed, Field(description="of the channel's draws, the same for all systems")]
    draws: Annotated[int, Field(ge=1, le=1000, description="of the channel per utterance and SNR")]
    snrs: Listing[SNR]


class Curves(Closed):
    """Fig. 5 and 6."""

    datasets: Listing[Dataset]
    channels: Listing[ChannelKind]
    methods: Listing[Method]


class Redundancy(Closed):
    """Fig. 7 and 8: with and without reduction."""

    datasets: Listing[Dataset]
    channels: Listing[ChannelKind]


class Discriminators(Closed):
    """Fig. 9; the paper does not say on which data and channel."""

    dataset: Dataset
    channel: ChannelKind


class Dimensions(Closed):
    """Table I."""

    dataset: Dataset
    channel: ChannelKind
    snr: SNR
    dimensions: Listing[Dimension]


class Studies(Closed):
    snr: Curves
    redundancy: Redundancy
    discriminators: Discriminators
    dimension: Dimensions


class Settings(Closed):
    seeds: Listing[Seed]
    dimension: Dimension
    channel: Channel
    model: Model
    training: Training
    mosei: Budget
    mosi: Budget
    conventional: Conventional
    evaluation: Evaluation
    studies: Studies

    @model_validator(mode="after")
    def _table_1_is_evaluated(self) -> Settings:
        if self.studies.dimension.snr not in self.evaluation.snrs:
            raise ValueError("studies.dimension.snr has to be among evaluation.snrs")
        return self
