"""CMU-MOSI, read back: utterances about films, and how positive each is (Zadeh et al. 2016).

Two datasets share this form, and are not to be mixed up (their cards say why):

==================  ====================  ========================================  =============
dataset             split                 modalities, one vector per utterance      validation
==================  ====================  ========================================  =============
mosi_bclstm         bc-LSTM's 1,447/752   text 100, audio 73, video 68              held-out
                                          (features of the bc-LSTM release)         videos
mosi_transcripts    standard folds,       text 384 (sentence embeddings of the      standard fold
                    1,284/229/686         transcripts, made here), audio 73
==================  ====================  ========================================  =============
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibpapers.datasets import stored

MODALITIES = ("text", "audio", "video")  # the order in which a dataset has those that it has
SIDES = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """N utterances: float32 [N, width] by modality; `sentiment` float32 [N] in [-3, 3].

    Columns have mean 0 and deviation 1 on the training side; those constant there are left out.
    """

    modalities: dict[str, NDArray[np.float32]]
    sentiment: NDArray[np.float32]


@dataclass(frozen=True)
class CmuMosi:
    train: Split
    validation: Split
    test: Split
    card: dict[str, Any]


def load(folder: str | Path) -> CmuMosi:
    """Load the dataset that a builder wrote into `folder`.

    Raises:
        UserError: a file is missing, or the arrays are not those of the card.
    """
    arrays, card = stored.read(folder)
    splits = (
        Split(
            {name: arrays[f"{side}_{name}"] for name in card["modalities"]},
            arrays[f"{side}_sentiment"],
        )
        for side in SIDES
    )
    return CmuMosi(*splits, card)
