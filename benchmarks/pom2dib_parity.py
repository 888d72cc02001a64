"""What PoM2-DIB and TADIB come to by our update, and by Algorithm 1 in plain loops.

    PYTHONPATH=src python benchmarks/pom2dib_parity.py [--seeds 8] [--updates 45] [--scale smoke]

On sample data. A seed begins from the same weights and reads the same batches both ways; selections
and the noise of codes are drawn anew. Printed are means over seeds on the test set, and the mean
difference between the two with its 95% interval, which holds 0 unless they differ.
"""

from __future__ import annotations

import argparse
import os
import tempfile

import pandas as pd
import torch
from pom2dib_plain import PlainUpdate
from step_times import QUICK, prepare

from ibpapers import plan
from ibpapers.papers.pom2dib import systems
from ibpapers.papers.pom2dib.trainee import DIB
from ibpapers.report.results import estimate
from ibpapers.training import device, rooms
from ibpapers.training.seeds import generator

CPU = torch.device("cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8, help="at least 2")
    parser.add_argument("--updates", type=int, help="instead of those of the scale")
    parser.add_argument("--scale", default="smoke", choices=("smoke", "laptop", "paper"))
    options = parser.parse_args()
    device.use_large_pages()
    device.make_deterministic(1)
    only = ("include=[pom2dib]", "papers.pom2dib.datasets=[handwritten]")
    made = plan.read(overrides=[f"scale={options.scale}", *only, *QUICK])
    runs = [r for r in made.runs.values() if r.recipe["beta"] == 1e-3]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        prepare(made)
        for method in ("pom2dib", "tadib"):
            run = next(run for run in runs if run.method == method)
            system = systems.load(run.recipe, made.inputs(run.id), CPU)
            updates = options.updates or run.recipe["training"]["updates"]
            found = {"ours": [], "plain": []}
            for seed in range(options.seeds):
                ours, plain = (
                    rooms.method(run.recipe).build(run.recipe, system, seed, CPU) for _ in range(2)
                )
                for name, update, trainee in (
                    ("ours", ours.update, ours),
                    ("plain", PlainUpdate(plain).update, plain),
                ):
                    for number in range(1, updates + 1):
                        update(number)
                    found[name].append(on_test_set(trainee))
            report(method, {name: pd.DataFrame(rows) for name, rows in found.items()})
        os.chdir("/")  # out of the folder before it goes


def on_test_set(trainee: DIB) -> dict[str, float]:
    """Means over batches; rates and N-CE in nats."""
    size, test = trainee.training["batch_size"], trainee.system.test
    draw = generator(0, "parity")
    index = torch.arange(test.size // size * size).view(-1, size)
    with torch.no_grad():
        links = trainee.selector.draw(len(index), draw).links
        found = trainee.losses(test.batches(index, draw), links, draw)
    return {
        "N-CE": -found.outcome.relevance.sum(-1).mean().item(),
        "sum-rate": found.rate.sum().item() / len(index),
        "links": links.sum((1, 2)).float().mean().item(),
    }


def report(method: str, found: dict[str, pd.DataFrame]) -> None:
    differences = found["ours"] - found["plain"]
    for metric, values in differences.items():
        both = ", ".join(f"{name} {table[metric].mean():.3f}" for name, table in found.items())
        difference = estimate(values)
        print(
            f"{method}, {metric}: {both}; difference {difference.mean:.3f}, "
            f"plus or minus {difference.half_width:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
