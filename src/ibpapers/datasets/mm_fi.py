"""MM-Fi, read back: people who move, seen by seven sensors (Yang et al. 2023).

320,760 frames do not fit in memory: the modalities stay on disk, in shards of one array each, and
rows are read as they are needed. Poses and labels are small and held.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibpapers.datasets import stored
from ibpapers.errors import UserError

# One row of each shard: padded or cropped.
SHAPES = {
    "rgb": (17, 2),
    "infra1": (17, 2),
    "infra2": (17, 2),
    "depth": (128, 128),
    "lidar": (1200, 3),
    "mmwave": (50, 5),
    "wifi-csi": (3, 90, 10),
}
DTYPES = {name: np.uint16 if name == "depth" else np.float32 for name in SHAPES}
SIDES = ("train", "test")
LABELS = ("pose", "action", "scene")


@dataclass(frozen=True)
class Split:
    """N frames of one side of the split.

    Attributes:
        modalities: name to its `stored.Rows` of `SHAPES`. Key points are in pixels, depth in
            millimetres, lidar and mmWave points in metres (mmWave: then Doppler in m/s and
            intensity), padded with zeros; wifi-csi is in [0, 1].
        pose: float32 [N, 17, 3], metres.
        action: int64 [N], 0 to 26.
        scene: int64 [N], 0 to 3.
    """

    modalities: dict[str, stored.Rows]
    pose: NDArray[np.float32]
    action: NDArray[np.int64]
    scene: NDArray[np.int64]


@dataclass(frozen=True)
class MMFi:
    """The dataset and its card (tier, source, split, frames that were skipped).

    `mean` and `deviation` of each modality over the training side: float32, one per coordinate of
    a point, one for the whole of depth and wifi-csi.
    """

    train: Split
    test: Split
    mean: dict[str, NDArray[np.float32]]
    deviation: dict[str, NDArray[np.float32]]
    card: dict[str, Any]


def load(folder: str | Path) -> MMFi:
    """Open the dataset that `mm_fi_build.build` wrote into `folder`.

    Raises:
        UserError: a file is missing, or is not the one of the card, or not MM-Fi's.
    """
    arrays, card = stored.read(folder)
    splits = []
    for side in SIDES:
        rows = {name: stored.read_shard(folder, card, f"{side}_{name}") for name in SHAPES}
        labels = {name: arrays[f"{side}_{name}"] for name in LABELS}
        count = len(labels["pose"])
        for name, shard in rows.items():
            found = shard.dtype, len(shard), shard.shape
            if found != (np.dtype(DTYPES[name]), count, SHAPES[name]):
                raise UserError(
                    f"{folder}: {side}_{name} is {shard.dtype} {[len(shard), *shard.shape]}; "
                    f"expected {np.dtype(DTYPES[name])} {[count, *SHAPES[name]]}. "
                    "Build the dataset again."
                )
        splits.append(Split(rows, **labels))
    mean, deviation = (
        {name: arrays[f"{name}_{moment}"] for name in SHAPES} for moment in ("mean", "deviation")
    )
    return MMFi(*splits, mean, deviation, card)
