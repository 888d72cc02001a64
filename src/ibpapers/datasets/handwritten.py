"""HandWritten, read back: images and speech of the same digit (PoM2-DIB, Section V)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibpapers import arrays, files
from ibpapers.datasets import cards
from ibpapers.errors import UserError

ARRAYS = "arrays.npz"
FORMS = {
    "train_fft": "float32 [N, 196]",
    "train_mel": "float32 [N, 512]",
    "train_digit": "int64 [N]",
    "test_fft": "float32 [M, 196]",
    "test_mel": "float32 [M, 512]",
    "test_digit": "int64 [M]",
}


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
        UserError: a file is missing or damaged, or the arrays are not those of the card, or not
            HandWritten's.
    """
    arrays_file = Path(folder) / ARRAYS
    card = cards.of_dataset(folder)
    expected = card["arrays"]["sha256"]
    if not arrays_file.exists() or files.sha256(arrays_file) != expected:
        raise UserError(
            f"{arrays_file} is missing or is not the file of its card (sha256 should be "
            f"{expected}). Build the dataset again."
        )
    stored = arrays.read(arrays_file, FORMS)
    train, test = (
        Split(*(stored[f"{side}_{field}"] for field in ("fft", "mel", "digit")))
        for side in ("train", "test")
    )
    for split in (train, test):
        if not np.isin(split.digit, np.arange(10)).all():
            raise UserError(f"{arrays_file} holds digits outside 0 to 9. Build the dataset again.")
    return HandWritten(train, test, card)
