"""Small datasets of both kinds, small settings, and codecs on them."""

from importlib import import_module

import numpy as np
import pytest
from small_runs import CPU, DIGITS, SMALL, SOURCE

from ibpapers import config, plan
from ibpapers.datasets import gray_wyner_source_build, stored
from ibpapers.inputs import Inputs
from ibpapers.papers.gray_wyner import systems


@pytest.fixture(scope="session")
def recipes():
    """Recipe by run name."""
    ours = plan.make(config.load("params.yaml", SMALL)).papers["gray_wyner"]
    return {run.name: (run.recipe, run.evaluation) for run in ours.runs}


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Folder of each dataset; 40 noisy images with rows of the digit's number to train on."""
    root = tmp_path_factory.mktemp("datasets")
    gray_wyner_source_build.build(root / SOURCE, tier="sample", seed=0, side=16)
    draw, arrays = np.random.default_rng(0), {}
    for side, size in (("train", 40), ("validation", 12), ("test", 15)):
        digit = draw.permutation(np.arange(size) % 10)
        image = draw.integers(0, 60, (size, 32, 32), dtype=np.uint8)
        for number, one in zip(digit, image):
            one[3 * number : 3 * number + 3] = 255
        arrays[f"{side}_image"] = image
        arrays[f"{side}_digit"] = digit.astype(np.int64)
        arrays[f"{side}_uniform"] = draw.random(size)
    stored.write(root / DIGITS, arrays, {"dataset": DIGITS, "tier": "sample"})
    return {SOURCE: root / SOURCE, DIGITS: root / DIGITS}


@pytest.fixture
def learner(recipes, folders):
    """A function: the learner of a run by name, with changes to its recipe."""

    def of(name, seed=0, runs=None, **changes):
        recipe = {**recipes[name][0], **changes}
        system = systems.load(recipe, Inputs(folders[recipe["dataset"]], {}, runs or {}), CPU)
        method = import_module(f"ibpapers.papers.gray_wyner.methods.{recipe['method']}")
        built = method.build(recipe, system, seed, CPU)
        for name, weight in built.model.named_parameters():
            if name.endswith(".4.weight") and "encoder" in name and "branch" not in name:
                weight.data *= 4  # or all common symbols of these few images would be zero
        return built

    return of
