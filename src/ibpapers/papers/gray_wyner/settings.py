"""The section `papers.gray_wyner` of params.yaml; the paper's own values stand in its Table 1."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ibpapers.settings import Closed, Count, Distinct, Listing, NonNegative, Positive, Seed

Ablated = Literal["shared", "separated", "combined"]
PMF = Literal["dependent", "independent", "mixture"]
InitialWeights = Literal["pytorch", "lecun"]
# Far above what the paper needs, and such that no single one of them exhausts a machine's memory.
Width = Annotated[int, Field(ge=1, le=4096)]
BatchSize = Annotated[int, Field(ge=1, le=10**4)]
Updates = Annotated[int, Field(ge=1, le=10**6)]
Images = Annotated[int, Field(ge=1, le=10**6, description="at most so many images")]


class Model(Closed):
    representation_channels: Annotated[
        int, Field(ge=2, le=4096, multiple_of=2, description="E, of what an analysis makes")
    ]
    widths: Annotated[
        list[Width],
        Field(min_length=1, max_length=8, description="channels between changes of resolution"),
    ]
    blocks: Annotated[int, Field(ge=0, le=100, description="residual blocks at each width")]
    initial_weights: Annotated[InitialWeights, Field(description="see nn.initialise")]


class ImageModel(Model):
    classifier_width: Annotated[Width, Field(description="hidden units of a task's classifier")]


class Training(Closed):
    updates: Annotated[Updates, Field(description="optimiser steps at most")]
    validate_every: Annotated[Count, Field(description="updates: one epoch")]
    validation_images: Images
    patience: Annotated[Count, Field(description="epochs without a better one before the end")]
    batch_size: BatchSize
    learning_rate: Positive
    final_learning_rate: Annotated[
        Positive, Field(description="after `updates`, by a cosine; the same: no schedule")
    ]
    gradient_norm: Annotated[Positive, Field(description="gradients clipped to")]


class CodecTraining(Training):
    rate_warm_up: Annotated[
        int, Field(ge=0, le=10**6, description="updates in which eta rises from 0; paper: 0")
    ]


class Evaluation(Closed):
    images: Images
    batch_size: BatchSize
    coded_images: Annotated[
        int, Field(ge=0, le=10**6, description="images written as bitstreams; 0: none")
    ]


class Synthetic(Closed):
    model: Model
    training: CodecTraining
    evaluation: Evaluation


class ColouredMNIST(Closed):
    model: ImageModel
    training: CodecTraining
    evaluation: Evaluation


class Probe(Closed):
    """Fig. 10: reconstructions from single channels of trained codecs."""

    training: Training
    evaluation: Evaluation


class Baselines(Closed):
    """Table 2: joint and independent."""

    etas: Listing[Positive]


class Ablation(Closed):
    """Tables 3 to 5, Fig. 3 and 9."""

    methods: Listing[Ablated]
    betas: Listing[Positive]
    etas: Listing[Positive]


class EdgeCases(Closed):
    """Table 6 and Fig. 4: shared on `pmfs`, independent on `independent_pmfs`."""

    pmfs: Listing[PMF]
    independent_pmfs: Distinct[PMF]
    beta: Annotated[Positive, Field(description="of shared")]
    etas: Listing[Positive]


class Studies(Closed):
    synthetic_baselines: Baselines
    synthetic_ablation: Ablation
    coloured_mnist: EdgeCases


class Settings(Closed):
    seeds: Listing[Seed]
    gamma: Annotated[NonNegative, Field(description="weight of the auxiliary term, Eq. 15")]
    gamma_scale: Annotated[
        Literal["one", "eta"], Field(description="one: as printed; eta: times eta, as released")
    ]
    synthetic: Synthetic
    coloured_mnist: ColouredMNIST
    probe: Probe
    studies: Studies
