"""The theory beside the results: entropies and rate-distortion curves of the paper's sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ibpapers.datasets import cards
from ibpapers.datasets.coloured_mnist import COLOURS_OF, joint_pmf
from ibpapers.papers.gray_wyner import theory


def estimate(recipe: Mapping[str, Any], dataset_folder: Path) -> dict[str, Any]:
    """Exact quantities of the dataset in `dataset_folder`, from its card.

    Of the synthetic source, in bits per pixel: `entropies`, and `curves` over the slopes of
    Blahut-Arimoto with their `residual`. Of coloured MNIST, in bits per image, by PMF: the
    entropies of its labels, for digits as frequent as in the test set.
    """
    return SOURCES[recipe["dataset"]](cards.of_dataset(dataset_folder))


def _synthetic(card: Mapping[str, Any]) -> dict[str, Any]:
    curves = {
        name: values.tolist() for name, values in asdict(theory.synthetic_curves(card)).items()
    }
    residual = max(curves.pop("residual"))
    return {
        "unit": "bit/pixel",
        "entropies": card["entropies"],
        "curves": {"slope": theory.SLOPES.tolist(), **curves},
        "residual": residual,
    }


def _coloured_mnist(card: Mapping[str, Any]) -> dict[str, Any]:
    digits = np.array(card["images_per_digit"]["test"])
    return {
        "unit": "bit/image",
        "entropies": {pmf: theory.coloured_entropies(joint_pmf(pmf, digits)) for pmf in COLOURS_OF},
    }


SOURCES = {"gray_wyner_source": _synthetic, "coloured_mnist": _coloured_mnist}
