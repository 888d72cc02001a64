"""CMU-MOSI and CMU-MOSEI, read back: what is said about films, and how positive each utterance is.

Zadeh et al. 2016, 2018. These datasets share this form, and are not to be mixed up (their cards
say why):

================  =======================  ==============================================
dataset           split                    modalities
================  =======================  ==============================================
mosi_bclstm       bc-LSTM's 1,447/752,     one vector per utterance: text 100, audio 73,
                  validation: held-out     video 68 (features of the bc-LSTM release)
                  videos
mosi_transcripts  standard folds,          one vector per utterance: text 384 (sentence
                  1,284/229/686            embeddings of the transcripts, made here),
                                           audio 73
mosi_sequences    that of the user's file  one vector per word: text 768, audio, video
mosei_sequences   that of the user's file  one vector per word: text 768, audio, video
================  =======================  ==============================================
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
    """N utterances of up to T words.

    Attributes:
        modalities: by name, float32 [N, width] where a modality is one vector per utterance,
            [N, T, width] where it is one per word; utterances of fewer words end in zeros. Columns
            have mean 0 and deviation 1 over the words of the training side; those constant there
            are left out.
        words: int64 [N], 1 to T; 1 where there is one vector per utterance.
        sentiment: float32 [N] in [-3, 3].
    """

    modalities: dict[str, NDArray[np.float32]]
    words: NDArray[np.int64]
    sentiment: NDArray[np.float32]


@dataclass(frozen=True)
class CmuSentiment:
    train: Split
    validation: Split
    test: Split
    card: dict[str, Any]


def load(folder: str | Path) -> CmuSentiment:
    """Load the dataset that a builder wrote into `folder`.

    Raises:
        UserError: a file is missing, or the arrays are not those of the card.
    """
    arrays, card = stored.read(folder)
    splits = (_split(arrays, side, card["modalities"]) for side in SIDES)
    return CmuSentiment(*splits, card)


def _split(arrays: dict[str, NDArray], side: str, modalities: list[str]) -> Split:
    sentiment = arrays[f"{side}_sentiment"]
    return Split(
        modalities={name: arrays[f"{side}_{name}"] for name in modalities},
        words=arrays.get(f"{side}_words", np.ones(len(sentiment), np.int64)),
        sentiment=sentiment,
    )
