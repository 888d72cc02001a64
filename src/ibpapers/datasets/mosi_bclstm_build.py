"""CMU-MOSI with the feature vectors of the bc-LSTM release, on the split they were trained on."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from ibpapers.datasets import cmu_mosi_source

VALIDATION_SHARE = 0.1  # of the training videos

CONTENT = {
    "real": "CMU-MOSI: text, audio and video vectors of the bc-LSTM release.",
    "sample": "Generated stand-in: no utterance is real; factors and their weights are known.",
}
WARNING = (
    "The text and video vectors come from networks trained on the labels of the bc-LSTM training "
    "split: on the standard folds they leak, and on this split the training side is unnaturally "
    "separable and the validation side, held out from it, too. The test side is clean."
)


def build(source_folder: str | Path, *, output_folder: str | Path, tier: str, seed: int) -> None:
    """Write `arrays.npz` and then `card.json`; `seed` draws the videos held out for validation.

    Raises:
        UserError: the source is missing, damaged or changed.
    """
    utterances = cmu_mosi_source.read(source_folder)
    side = utterances.bclstm_side.astype("<U10")
    videos = np.unique(utterances.video[side == "train"])
    held_out = np.random.default_rng(seed).permutation(videos)
    held_out = held_out[: max(1, round(VALIDATION_SHARE * len(videos)))]
    side[np.isin(utterances.video, held_out)] = "validation"
    card = {
        "tier": tier,
        "content": CONTENT[tier],
        "warning": WARNING,
        "split": "bc-LSTM",
        "seed": seed,
        "validation_videos": sorted(held_out.tolist()),
    }
    cmu_mosi_source.write_splits(output_folder, utterances.features, side, utterances, card)
    print(f"mosi_bclstm ({tier}): {len(side)} utterances in {output_folder}", file=sys.stderr)
