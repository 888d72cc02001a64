"""CPU time of an update of PoM2-DIB and TADIB, against Algorithm 1 in plain loops.

    PYTHONPATH=src python benchmarks/pom2dib_update.py [--steps 3] [--only tadib]

The baseline (pom2dib_plain.py) calls an encoder, a local decoder and a rate estimate for every
batch, task and selected modality, and goes backward batch by batch. The two are timed in turn, in
seconds of one thread's CPU. The limit is what the machine's matrix product takes for the products
of an update: their count of floating-point operations over the speed measured in the same run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from pom2dib_plain import PlainUpdate
from torch.utils.flop_counter import FlopCounterMode

from ibpapers import config, plan
from ibpapers.datasets.handwritten import Split
from ibpapers.papers.pom2dib import systems
from ibpapers.training import device, rooms

CPU = torch.device("cpu")
SAMPLES = 8000
LARGE = (2048, 2048, 2048)
USUAL = (1000, 512, 512)  # a layer on the samples that share it in an update
SMALL = (20, 512, 512)  # on those of one batch, task and modality


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", default="paper", choices=("smoke", "laptop", "paper"))
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--only", choices=("pom2dib", "tadib"))
    options = parser.parse_args()
    device.use_large_pages()
    device.make_deterministic(1)
    print(
        "matrix products, GFLOP/s: "
        + ", ".join(f"{'x'.join(map(str, s))} {speed(*s):.1f}" for s in (LARGE, USUAL, SMALL))
    )
    params = config.load("params.yaml", [f"scale={options.scale}"])
    runs = plan.make(params).runs.values()
    system = systems.System(systems.HANDWRITTEN, split(), split())
    for method in [options.only] if options.only else ("pom2dib", "tadib"):
        recipe = next(r.recipe for r in runs if r.method == method and r.recipe["beta"] == 1e-3)
        ours, other = (rooms.method(recipe).build(recipe, system, 0, CPU) for _ in range(2))
        report(f"{method} {options.scale}", ours.update, PlainUpdate(other).update, options.steps)


def report(label: str, ours: Callable, plain: Callable, steps: int) -> None:
    seconds: dict[str, list[float]] = {"ours": [], "plain": []}
    links: dict[str, list[float]] = {"ours": [], "plain": []}
    updates, speeds = {"ours": ours, "plain": plain}, []
    for step in range(1, steps + 2):
        for name, update in updates.items():
            spent, record = timed(lambda update=update, step=step: update(step))
            if step > 1:  # the first fills caches and makes the optimisers' state
                seconds[name].append(spent)
                links[name].append(record["links"])
        speeds.append(speed(*USUAL))
    operations = {name: flops(lambda update=update: update(2)) for name, update in updates.items()}
    for name, spent in seconds.items():
        limit = operations[name] / 1e9 / np.mean(speeds)
        print(
            f"{label}, {name}: {np.mean(spent):.3f} s at {np.mean(links[name]):.1f} links; "
            f"{operations[name] / 1e9:.1f} GFLOP, limit {limit:.3f} s at {np.mean(speeds):.1f} "
            f"GFLOP/s: {np.mean(spent) / limit:.2f} times"
        )
    ratios = np.divide(seconds["plain"], seconds["ours"])
    per_link = np.mean(links["ours"]) / np.mean(links["plain"])
    print(
        f"{label}: ours is {ratios.mean():.2f} times faster ({ratios.min():.2f} to "
        f"{ratios.max():.2f}); per link {ratios.mean() * per_link:.2f}",
        flush=True,
    )


def speed(m: int, k: int, n: int) -> float:
    """Of a float32 product [m, k] x [k, n], GFLOP/s."""
    a, b, out = torch.randn(m, k), torch.randn(k, n), torch.empty(m, n)
    torch.mm(a, b, out=out)
    repeats = max(3, int(5e9 / (2 * m * k * n)))
    spent, _ = timed(lambda: [torch.mm(a, b, out=out) for _ in range(repeats)])
    return 2e-9 * m * k * n * repeats / spent


def flops(work: Callable) -> int:
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def timed(work: Callable) -> tuple[float, Any]:
    """Seconds of CPU, and what `work` returns."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def split(where: torch.device = CPU) -> systems.HandWrittenSplit:
    draw = np.random.default_rng(0)
    arrays = Split(
        fft=draw.random((SAMPLES, 196), dtype=np.float32),
        mel=draw.standard_normal((SAMPLES, 512), dtype=np.float32),
        digit=draw.integers(0, 10, SAMPLES),
    )
    return systems.HandWrittenSplit(arrays, "sample", where)


if __name__ == "__main__":
    main()
