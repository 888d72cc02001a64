"""SIM-I to SIM-III, built: drawn here, of any size (OMIB, Appendix F)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ibpapers.datasets import sim, stored


def build(
    *, output_folder: str | Path, tier: str, seed: int, samples: int, dims: Mapping[str, int]
) -> None:
    """Write `arrays.npz` and then `card.json` into `output_folder`.

    The arrays are `delta` float32 and `{train,test}_` label int64 [N] and each factor float32
    [N, d]; nine tenths of `samples` are for training. The same settings give the same bytes.
    """
    of_delta, of_train, of_test = np.random.default_rng(seed).spawn(3)
    delta = of_delta.standard_normal(sum(dims[name] for name in sim.RELEVANT), dtype=np.float32)
    train = samples * 9 // 10
    arrays = {"delta": delta}
    for side, count, rng in (("train", train, of_train), ("test", samples - train, of_test)):
        split = sim.draw(dims, delta, count, rng)
        arrays |= {f"{side}_{name}": array for name, array in vars(split).items()}
    card = {
        "tier": tier,
        "content": "Simulated Gaussian factors, the same in every tier.",
        "seed": seed,
        "dims": dict(dims),
        "samples": {"train": train, "test": samples - train},
        "sources": {},
    }
    stored.write(output_folder, arrays, card)
    print(f"SIM: {train} and {samples - train} samples in {output_folder}", file=sys.stderr)
