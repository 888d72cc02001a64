"""Sections of `datasets` in params.yaml: what shapes a dataset when it is built."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ibpapers.settings import Closed, Count, Seed

Folder = Annotated[str, Field(min_length=1, max_length=4096)]


class Seeded(Closed):
    """A dataset of which nothing is to be chosen but its random numbers."""

    seed: Annotated[Seed, Field(description="of what is random in building it")]


class SimDimensions(Closed):
    """Of the factors of SIM: a are relevant, b are not; a0 and b0 are in both modalities."""

    a0: Count
    b0: Count
    a1: Count
    b1: Annotated[Count, Field(description="not in the paper's text")]
    a2: Count
    b2: Annotated[Count, Field(description="not in the paper's text")]


class Sim(Seeded):
    """SIM-I, II or III."""

    samples: Annotated[int, Field(ge=10, le=10**7, description="nine tenths of them for training")]
    dims: SimDimensions


class MMFi(Seeded):
    """MM-Fi: which frames train and which test."""

    split: Annotated[
        Literal["random", "cross_subject", "cross_scene"],
        Field(description="the test side: 8 of 40 subjects per action; S05 ... S40; scene E04"),
    ]
    protocol: Annotated[
        Literal["all", "daily", "rehabilitation"], Field(description="27, 14 or 13 actions")
    ]


class MMFiSample(Seeded):
    """The stand-in for MM-Fi: how much of it is generated, in 4 scenes."""

    subjects: Annotated[int, Field(ge=2, le=10, description="per scene; real: 10")]
    actions: Annotated[int, Field(ge=2, le=27, description="the first of 27")]
    frames: Annotated[int, Field(ge=1, le=297, description="of a sequence; real: 297")]


class GrayWynerSource(Seeded):
    """The synthetic source of Gray-Wyner."""

    side: Annotated[
        int,
        Field(ge=16, le=128, multiple_of=16, description="height and width of a half; paper: 64"),
    ]


class StandIn(Closed):
    """The generated stand-in for utterances with one vector per word: its size."""

    train: Count
    validation: Count
    test: Count
    video: Annotated[int, Field(ge=1, le=1000, description="width of the video vectors")]


class Sequences(Seeded):
    """CMU-MOSI or CMU-MOSEI with one vector per word."""

    words: Annotated[int, Field(ge=1, le=1000, description="longer utterances are cut; usual: 50")]
    bert: Annotated[
        Folder | None,
        Field(
            description="folder of BERT-base-uncased (config.json, model.safetensors, "
            "tokenizer.json), where the data have the words only"
        ),
    ]
    sample: StandIn
