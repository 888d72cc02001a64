"""Updates per second of PoM2-DIB's seeds trained as one ensemble, against one after the other.

    PYTHONPATH=src python benchmarks/pom2dib_ensemble.py [--members 32] [--scale paper] [--steps 5]

On the GPU if there is one, by its clock, else on the CPU by one thread's CPU time. An update of the
ensemble is one of every member. Where nothing but the number of PyTorch's calls matters, as on a
GPU that waits for them, the ratio of the calls is the gain to expect; operations say what it costs.
"""

from __future__ import annotations

import argparse

from pom2dib_update import split
from step_times import measure

from ibpapers import config, plan
from ibpapers.papers.pom2dib import systems
from ibpapers.papers.pom2dib.trainee import together
from ibpapers.training import device, rooms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=32)
    parser.add_argument("--scale", default="paper", choices=("smoke", "laptop", "paper"))
    parser.add_argument("--steps", type=int, default=5)
    options = parser.parse_args()
    device.use_large_pages()
    device.make_deterministic(1)
    where = device.pick()
    print(f"{device.describe(where)}, {options.scale}, {options.members} members")
    params = config.load("params.yaml", [f"scale={options.scale}"])
    runs = plan.make(params).runs.values()
    system = systems.System(systems.HANDWRITTEN, split(where), split(where))
    for method in ("pom2dib", "pom2dib_stable", "tadib"):
        recipe = next(r.recipe for r in runs if r.method == method and r.recipe["beta"] == 1e-3)
        build = rooms.method(recipe).build
        alone, *members = (
            build(recipe, system, seed, where) for seed in (0, *range(options.members))
        )
        trainees = {
            "alone": (alone, 1),
            "together": (together(dict(enumerate(members))), len(members)),
        }
        found = {}
        for name, (trainee, count) in trainees.items():
            one = measure(trainee, options.steps + 3, options.steps, where)
            found[name] = {k: float(one[k]) / count for k in ("seconds", "gflop", "calls")}
            print(
                f"{method}, {name}: {1 / found[name]['seconds']:.2f} updates of a seed per second; "
                f"{found[name]['gflop']:.1f} GFLOP and {found[name]['calls']:.0f} calls each"
            )
        gain, fewer = (found["alone"][k] / found["together"][k] for k in ("seconds", "calls"))
        print(f"{method}: {gain:.2f} times faster together, {fewer:.1f} times fewer calls")


if __name__ == "__main__":
    main()
