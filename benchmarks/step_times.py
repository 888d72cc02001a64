"""Time, floating-point operations and calls of one update of every method: step_times.csv.

    PYTHONPATH=src python benchmarks/step_times.py [--scale paper] [--steps 3] [PAPER ...]

On sample data, which has the shapes of the real data, with one seed, on the GPU if there is one,
else on the CPU by one thread. The time is the least of some updates after a first one; operations
(those of products and convolutions, forward and backward) and calls of PyTorch are counted in one
more. Validation between updates is not in it. Rows of other devices and papers stay.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from ibpapers import datasets, plan
from ibpapers.datasets.fetch import fetch
from ibpapers.files import atomic_write, write_json
from ibpapers.papers import PAPERS
from ibpapers.plan import RESULTS, Plan, Run
from ibpapers.provenance.record import environment
from ibpapers.training import device, train
from ibpapers.training.loop import Trainee

TABLE = Path(__file__).with_name("step_times.csv")
KEY = ("paper", "dataset", "method", "scale", "device")
COLUMNS = (*KEY, "machine", "seconds", "gflop", "calls", "steps")
# Estimates that trainings read only shape beta; and an update is the same on few samples.
QUICK = (
    "data=sample", "papers.omib.seeds=[0]", "papers.omib.entropy.seeds=[0]",
    "papers.omib.entropy.mine.widths=[8]", "papers.omib.entropy.mine.steps=100",
    "papers.omib.entropy.knn.samples=200",
    "sources.mm_fi_sample.subjects=2", "sources.mm_fi_sample.frames=3",
)  # fmt: skip


class Calls(TorchDispatchMode):
    number = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        self.number += 1
        return function(*arguments, **(keywords or {}))


def measure(trainee: Trainee, last: int, steps: int, where: torch.device) -> dict[str, Any]:
    """Of the updates before `last`, which come after all warming up."""
    updates = iter(range(last - steps - 2, last + 1))
    clock = time.perf_counter if where.type == "cuda" else time.process_time
    trainee.update(next(updates))
    times = []
    for _ in range(steps):
        start = clock()
        trainee.update(next(updates))
        if where.type == "cuda":
            torch.cuda.synchronize()
        times.append(clock() - start)
    with FlopCounterMode(display=False) as flop:
        trainee.update(next(updates))
    with Calls() as calls:
        trainee.update(next(updates))
    return {
        "seconds": f"{min(times):.3g}",
        "gflop": f"{flop.get_total_flops() / 1e9:.4g}",
        "calls": calls.number,
        "steps": steps,
    }


def build(made: Plan, run: Run, where: torch.device) -> Trainee:
    """The run's trainee, after what it starts from was trained for one update."""
    recipe = {**run.recipe, "seeds": [0]}
    for other in run.after:
        above = made.run(other)
        short = {**above.recipe["training"], "updates": 1, "validate_every": 1}
        folder = made.run_folder(other)
        if not (folder / "recipe.json").exists():
            train({**above.recipe, "seeds": [0], "training": short}, made.inputs(other), folder, "")
    paper = PAPERS[run.paper]
    system = paper.room("systems").load(recipe, made.inputs(run.id), where)
    return paper.room(f"methods.{run.method}").build(recipe, system, 0, where)


def prepare(made: Plan) -> None:
    for source in made.sources():
        fetch(source, made.source_folder(source), settings=made.source_settings(source))
    for name in made.datasets():
        settings = made.dataset_settings(name)
        datasets.build(name, made.tier, RESULTS / "sources", made.dataset_folder(name), settings)
    for entropy in made.entropies.values():
        estimate = PAPERS[entropy.paper].room("entropies").estimate
        found = estimate(dict(entropy.recipe), made.dataset_folder(entropy.dataset))
        write_json(made.entropy_file(entropy.id), found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("papers", nargs="*", metavar="PAPER")
    parser.add_argument("--scale", default="paper", choices=("smoke", "laptop", "paper"))
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    include = f"include=[{','.join(options.papers or PAPERS)}]"
    made = plan.read(overrides=[f"scale={options.scale}", include, *QUICK])
    device.use_large_pages()
    device.make_deterministic(1)
    where = device.pick()
    kept = list(csv.DictReader(TABLE.open())) if TABLE.exists() else []
    rows = {tuple(row[name] for name in KEY): row for row in kept}
    machine = environment()["machine"]
    representative = {(r.paper, r.dataset, r.method): r for r in reversed(made.runs.values())}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        prepare(made)
        for key, run in reversed(representative.items()):
            identity = (*key, options.scale, device.describe(where))
            row = dict(zip(KEY, identity, strict=True)) | {"machine": machine}
            last = run.recipe["training"]["updates"]
            row |= measure(build(made, run, where), last, options.steps, where)
            rows[identity] = row
            print(*row.values(), flush=True)
            with atomic_write(TABLE) as temporary, temporary.open("w", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows[key] for key in sorted(rows))


if __name__ == "__main__":
    main()
