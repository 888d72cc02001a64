"""What training the critics of all seeds side by side gains, on the sizes of SIM-I.

    .venv/bin/python benchmarks/mine.py

The baseline, timed in the same run, is one training per seed, one after the other. One thread, as
trainings have it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "src"))

from ibpapers.information.mine import Settings, mutual_information  # noqa: E402

SEEDS = (0, 1, 2)
SETTINGS = Settings(
    batch_size=256, widths=(64, 64), steps=500, learning_rate=3e-4,
    ema_rate=0.01, held_out=0.2, window=100,
)  # fmt: skip
ALLOWED = 60  # seconds on two cores for 9,000 samples of 900 dimensions
DIMENSIONS = (10, 100, 900)


def main() -> None:
    torch.set_num_threads(1)
    print(f"9,000 samples, {len(SEEDS)} seeds, {SETTINGS.steps} steps; allowed: {ALLOWED} s")
    print(f"{'dimensions':>10}{'seconds':>9}{'one by one':>12}{'gain':>6}   estimates (nats)")
    for dimensions in DIMENSIONS:
        x, y = torch.randn(2, 9_000, dimensions, generator=torch.Generator().manual_seed(0))
        y[:, : dimensions // 2] = x[:, : dimensions // 2]
        together, seconds = timed(x, y, [SEEDS])
        _, baseline = timed(x, y, [[seed] for seed in SEEDS])
        print(
            f"{dimensions:>10}{seconds:>9.1f}{baseline:>12.1f}{baseline / seconds:>6.2f}   "
            + ", ".join(f"{value:.2f}" for value in together),
            flush=True,
        )


def timed(x: Tensor, y: Tensor, groups: list) -> tuple[np.ndarray, float]:
    """Estimates of all seeds, the seeds of a group trained together; and the seconds it took."""
    start = time.perf_counter()
    values = [mutual_information(x, y, seeds, SETTINGS).values for seeds in groups]
    return np.concatenate(values), time.perf_counter() - start


if __name__ == "__main__":
    main()
