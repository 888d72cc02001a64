"""What a trained codec is worth on the test set: rates, distortions, and bits that came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from ibpapers.datasets import cards
from ibpapers.datasets.coloured_mnist import CLASSES
from ibpapers.evaluations import tidy
from ibpapers.inputs import Inputs
from ibpapers.papers.gray_wyner import streams, theory
from ibpapers.papers.gray_wyner.codec import CHANNELS, COMMON
from ibpapers.papers.gray_wyner.trainee import GrayWyner, Learner
from ibpapers.training import finished

Row = tuple[str, float, str]  # metric, value, unit

SETTINGS = ("beta", "eta", "pmf", "gamma", "gamma_scale", "model", "training", "threads")

UNITS = {
    "objective": "loss",
    "auxiliary": "squared",
    "agreement": "fraction",
    "accuracy_1": "fraction",
    "accuracy_2": "fraction",
    **{f"reconstruction_{channel}": "rmse" for channel in CHANNELS},
}


def evaluate(run_folder: Path, inputs: Inputs, settings: Mapping[str, Any]) -> pd.DataFrame:
    """One row per seed and metric of the run in `run_folder`.

    Means over at most ``settings["images"]`` test images. Rates are estimates: ``rate_<channel>``
    in bits per pixel, ``bits_<channel>`` per image; joint's receivers both take channel 0, so that
    its receive rate is twice that. ``measured_bits_<channel>`` are the lengths of the bitstreams
    of the first ``settings["coded_images"]`` images, ``measured_bits_file`` that of the whole file,
    per image; the symbols read back from it are the very same. ``transmit_bound`` and
    ``receive_bound`` are what no codec with these answers can be below (`theory`).
    """
    run = finished.load(run_folder, inputs)
    recipe = run.recipe
    rows = []
    for number, seed in enumerate(recipe["seeds"]):
        learner = run.trainee(seed)
        found = [*_test_set(learner, settings)]
        if isinstance(learner, GrayWyner):
            found += _bounds(learner, dict(row[:2] for row in found), inputs, settings)
        found += _epochs(run.history["validation"][number], int(run.history["best_update"][number]))
        if isinstance(learner, GrayWyner) and settings["coded_images"]:
            found += _measured(learner, streams.identity(run_folder, seed), settings)
        rows += [(seed, *row) for row in found]
    return tidy(rows, recipe, SETTINGS)


def _test_set(learner: Learner, settings: Mapping[str, Any]) -> Iterator[Row]:
    data = learner.system.data
    means = learner.means(data.test(settings["images"], settings["batch_size"]))
    for name, unit in UNITS.items():
        if name in means:
            yield name, means[name], unit
    if not isinstance(learner, GrayWyner):
        return
    for number, task in enumerate(learner.system.tasks, 1):
        yield f"distortion_{number}", means[f"distortion_{number}"], task.unit
    rates = [means[f"rate_{channel}"] for channel in CHANNELS]
    pixels = data.shape[1] * data.shape[2]
    for channel, rate in enumerate(rates):
        yield f"rate_{channel}", rate, "bit/pixel"
        yield f"bits_{channel}", rate * pixels, "bit/image"
    transmit = sum(rates)
    for name, rate in (("transmit", transmit), ("receive", transmit + rates[COMMON])):
        yield f"{name}_rate", rate, "bit/pixel"
        yield f"{name}_bits", rate * pixels, "bit/image"


def _bounds(
    learner: GrayWyner, means: Mapping[str, float], inputs: Inputs, settings: Mapping[str, Any]
) -> Iterator[Row]:
    """What theory says that answers as good as these take, on these test images."""
    data = learner.system.data
    pixels = data.shape[1] * data.shape[2]
    if "accuracy_1" in means:
        labels = [batch.targets for batch in data.test(settings["images"], settings["batch_size"])]
        digit, colour = (torch.cat(one).cpu().numpy() for one in zip(*labels, strict=True))
        joint = np.zeros((CLASSES, CLASSES))
        np.add.at(joint, (digit, colour), 1 / len(digit))
        bits = theory.coloured_bounds(joint, (means["accuracy_1"], means["accuracy_2"]))
        bounds = theory.Bounds(*(each / pixels for each in bits))
    else:
        errors = means["distortion_1"], means["distortion_2"]
        bounds = theory.synthetic_bounds(cards.of_dataset(inputs.dataset), errors)
    yield "transmit_bound", bounds.transmit, "bit/pixel"
    yield "receive_bound", bounds.receive, "bit/pixel"


def _epochs(validation: np.ndarray, best_update: int) -> Iterator[Row]:
    """Of one seed: its scores [updates], NaN where none was due, and the update that was kept."""
    due = ~np.isnan(validation)
    yield "validation", float(validation[best_update - 1]), "loss"
    yield "best_epoch", float(due[:best_update].sum()), "epoch"
    yield "epochs", float(due.sum()), "epoch"


@torch.no_grad()
def _measured(learner: GrayWyner, model: int, settings: Mapping[str, Any]) -> Iterator[Row]:
    codec, images = learner.codec, settings["coded_images"]
    batches = learner.system.data.test(images, settings["batch_size"])
    encoded = [codec.encoder(batch.x).symbols for batch in batches]
    symbols = {channel: torch.cat([one[channel] for one in encoded]) for channel in codec.widths}
    count = len(next(iter(symbols.values())))
    file = streams.write(codec, symbols, model)
    shape = next(iter(symbols.values())).shape[2:]
    streams.read(codec, file, model, shape, tuple(codec.widths))  # raises where it differs
    lengths = streams.stream_lengths(codec, file, model)
    measured = [8 * lengths.get(channel, 0) / count for channel in CHANNELS]
    for channel, bits in zip(CHANNELS, measured, strict=True):
        yield f"measured_bits_{channel}", bits, "bit/image"
    yield "measured_transmit_bits", sum(measured), "bit/image"
    yield "measured_receive_bits", sum(measured) + measured[COMMON], "bit/image"
    yield "measured_bits_file", 8 * len(file) / count, "bit/image"
