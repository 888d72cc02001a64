"""Updates per second of PoM2-DIB's seeds trained as one ensemble, against one after the other.

    PYTHONPATH=src python benchmarks/pom2dib_ensemble.py [--members 32] [--scale paper] [--steps 5]

On the GPU if there is one, by its clock, else on the CPU by one thread's CPU time. An update of the
ensemble is one of every member. Where nothing but the number of PyTorch's calls matters, as on a
GPU that waits for them, the ratio of the calls is the gain to expect; operations say what it costs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from pom2dib_update import flops, split
from step_times import Calls

from ibpapers import config, plan
from ibpapers.papers.pom2dib import systems
from ibpapers.papers.pom2dib.trainee import DIB
from ibpapers.training import device, rooms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=32)
    parser.add_argument("--scale", default="paper", choices=("smoke", "laptop", "paper"))
    parser.add_argument("--steps", type=int, default=5)
    options = parser.parse_args()
    device.make_deterministic(1)
    where = device.pick()
    print(f"{device.describe(where)}, {options.scale}, {options.members} members")
    params = config.load("params.yaml", [f"scale={options.scale}"])
    runs = plan.make(params).runs.values()
    system = systems.System(systems.HANDWRITTEN, split(where), split(where))
    for method in ("pom2dib", "pom2dib_stable", "tadib"):
        recipe = next(r.recipe for r in runs if r.method == method and r.recipe["beta"] == 1e-3)
        alone, *members = (
            rooms.method(recipe).build(recipe, system, seed, where)
            for seed in (0, *range(options.members))
        )
        one = measured(alone.update, options.steps, where)
        all_ = measured(DIB.joint(members).update_members, options.steps, where)
        for name, (seconds, gflop, calls), count in (
            ("alone", one, 1), ("together", all_, options.members)
        ):  # fmt: skip
            print(
                f"{method}, {name}: {count / seconds:.2f} updates of a seed per second; "
                f"{gflop / count:.1f} GFLOP and {calls / count:.0f} calls each"
            )
        gain, fewer = options.members * one[0] / all_[0], options.members * one[2] / all_[2]
        print(f"{method}: {gain:.2f} times faster together, {fewer:.1f} times fewer calls")


def measured(update: Callable, steps: int, where: torch.device) -> tuple[float, float, int]:
    """Seconds, GFLOP and calls of an update; the first ones are not counted."""
    clock = time.perf_counter if where.type == "cuda" else time.process_time
    update(1)
    start = clock()
    for step in range(2, steps + 2):
        update(step)
    if where.type == "cuda":
        torch.cuda.synchronize()
    seconds = (clock() - start) / steps
    operations = flops(lambda: update(steps + 2))
    with Calls() as calls:
        update(steps + 3)
    return seconds, operations / 1e9, calls.number


if __name__ == "__main__":
    main()
