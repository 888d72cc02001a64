"""HandWritten, read back: images and speech of the same digit (PoM2-DIB, Section V)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibpapers import files
from ibpapers.errors import UserError

ARRAYS = "arrays.npz"
CARD = "card.json"


@dataclass(frozen=True)
class Split:
    """N samples of one side of the split.

    Attributes:
        fft: float32 [N, 196], the magnitudes of the image's spectrum (modality A), not scaled.
        mel: float32 [N, 512], the recording's 16 x 32 mel spectrogram (modality B), standardised.
        digit: int64 [N], 0 to 9.
    """

    fft: NDArray[np.float32]
    mel: NDArray[np.float32]
    digit: NDArray[np.int64]


@dataclass(frozen=True)
class HandWritten:
    """The dataset and its card (tier, sources, licences, how it was made)."""

    train: Split
    test: Split
    card: dict[str, Any]


def load(folder: str | Path) -> HandWritten:
    """Load the dataset that `build` wrote into `folder`.

    Raises:
        UserError: a file is missing, or the arrays are not those of the card.
    """
    arrays_file = Path(folder) / ARRAYS
    card = files.read_json(Path(folder) / CARD)
    expected = card["arrays"]["sha256"]
    if not arrays_file.exists() or files.sha256(arrays_file) != expected:
        raise UserError(
            f"{arrays_file} is missing or is not the file of its card (sha256 should be "
            f"{expected}). Build the dataset again."
        )
    with np.load(arrays_file, allow_pickle=False) as arrays:
        train, test = (
            Split(*(arrays[f"{side}_{field}"] for field in ("fft", "mel", "digit")))
            for side in ("train", "test")
        )
    return HandWritten(train, test, card)
