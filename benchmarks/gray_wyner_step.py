"""Time of a training step of `shared`, against its convolutions alone and a naive step.

    PYTHONPATH=src python benchmarks/gray_wyner_step.py [--scale laptop] [--steps 10] [--only mnist]

The limit is the time of the step's convolutions and linear layers by themselves, forward and
backward, on inputs of the same shapes. The naive step is the same codec with the masked
convolution as a dense 5 x 5 one whose mask is applied in every step, the rates summed sample by
sample, and Adam parameter by parameter. Times are of the CPU spent by one thread.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ibpapers import config, plan
from ibpapers.datasets import gray_wyner_source_build, stored
from ibpapers.inputs import Inputs
from ibpapers.nn.causal_convolution import TAPS, CausalConvolution
from ibpapers.nn.discretised_gaussian import SMALLEST_SCALE, likelihood
from ibpapers.nn.straight_through import lower_bound
from ibpapers.papers.gray_wyner import systems
from ibpapers.papers.gray_wyner.codec import COMMON, position_major
from ibpapers.papers.gray_wyner.methods import shared

CPU = torch.device("cpu")
RUNS = {"mnist": "shared_mixture_eta=10.0", "synthetic": "shared_beta=1.0_eta=0.1"}


class DenseMasked(nn.Module):
    """The causal convolution as it is usually written."""

    def __init__(self, causal: CausalConvolution):
        super().__init__()
        _, inputs, outputs = causal.weight.shape
        self.convolution = nn.Conv2d(inputs, outputs, 5, padding=2)
        mask = torch.zeros(5, 5)
        for down, right in TAPS:
            mask[2 + down, 2 + right] = 1
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.convolution.weight * self.mask
        y = F.conv2d(x.permute(2, 3, 0, 1), kernel, self.convolution.bias, padding=2)
        return y.permute(2, 3, 0, 1)


def naive(trainee):
    codec = trainee.codec
    for model in codec.entropy_models.values():
        model.before = DenseMasked(model.before)
    trainee.parameters = list(codec.parameters())
    adam = torch.optim.Adam(trainee.parameters, 1e-4, foreach=False)
    trainee.optimisers = {"all": adam}

    def bits(symbols):
        common, lengths = symbols.get(COMMON), []
        for channel, representation in symbols.items():
            model, mine = codec.entropy_models[str(channel)], position_major(representation)
            mean, scale = model(mine, model.condition(common))
            chances = likelihood(mine, mean, lower_bound(scale, SMALLEST_SCALE))
            chances = lower_bound(chances, 1e-9)
            lengths.append(sum(-chances[:, :, n].log2().sum() for n in range(mine.shape[2])))
        return torch.stack(lengths)

    codec.bits = bits
    return trainee


def milliseconds(work, steps: int) -> float:
    work()
    start = time.process_time()
    for _ in range(steps):
        work()
    return 1e3 * (time.process_time() - start) / steps


def limit(trainee, steps: int) -> float:
    """The sum over the codec's layers of the time of the layer alone."""
    calls: list[tuple[nn.Module, Tensor]] = []
    kinds = nn.Conv2d | nn.ConvTranspose2d | nn.Linear
    layers = [layer for layer in trainee.codec.modules() if isinstance(layer, kinds)]
    hooks = [h.register_forward_hook(lambda m, x, _: calls.append((m, x[0]))) for h in layers]
    batch = trainee.system.data.training(0, 1, trainee.training["batch_size"])
    trainee.codec(batch.x)
    for hook in hooks:
        hook.remove()
    total = 0.0
    for layer, given in calls:
        x = given.detach().requires_grad_(given.requires_grad)
        wanted = [*layer.parameters(), *([x] if x.requires_grad else [])]
        gradient = torch.ones_like(layer(x))
        step = lambda: torch.autograd.grad(layer(x), wanted, gradient)  # noqa: B023, E731
        total += milliseconds(step, steps)
    return total


def datasets(root: Path, side: int) -> dict[str, Path]:
    gray_wyner_source_build.build(root / "gray_wyner_source", tier="sample", seed=0, side=side)
    draw = np.random.default_rng(0)
    arrays = {}
    for name in ("train", "validation", "test"):
        arrays[f"{name}_image"] = draw.integers(0, 256, (200, 32, 32), dtype=np.uint8)
        arrays[f"{name}_digit"] = draw.integers(0, 10, 200)
        arrays[f"{name}_uniform"] = draw.random(200)
    stored.write(root / "coloured_mnist", arrays, {"dataset": "coloured_mnist", "tier": "sample"})
    return {name: root / name for name in ("gray_wyner_source", "coloured_mnist")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", default="laptop", choices=("smoke", "laptop", "paper"))
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--only", choices=tuple(RUNS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    params = config.load("params.yaml", [f"scale={options.scale}"])
    runs = {run.name: run for run in plan.make(params).papers["gray_wyner"].runs}
    with tempfile.TemporaryDirectory() as folder:
        folders = datasets(Path(folder), params.datasets.gray_wyner_source.side)
        for kind in [options.only] if options.only else RUNS:
            recipe = runs[RUNS[kind]].recipe

            def build(recipe=recipe):
                system = systems.load(recipe, Inputs(folders[recipe["dataset"]]), CPU)
                return shared.build(recipe, system, 0, CPU)

            ours, usual = build(), naive(build())
            step = milliseconds(lambda one=ours: one.update(1), options.steps)
            plain = milliseconds(lambda one=usual: one.update(1), options.steps)
            bare = limit(ours, options.steps)
            print(
                f"{kind:<10} {options.scale}: step {step:.1f} ms, its convolutions alone "
                f"{bare:.1f} ms ({step / bare:.2f} times), naive step {plain:.1f} ms "
                f"({plain / step:.2f} times)"
            )


if __name__ == "__main__":
    main()
