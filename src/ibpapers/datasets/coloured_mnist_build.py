"""Coloured MNIST, built: images at 32 x 32, a validation split, what decides their colours."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibpapers.datasets import mnist, stored
from ibpapers.datasets.coloured_mnist import CLASSES, SIDE
from ibpapers.datasets.fetch import verified_card

VALIDATION_SHARE = 12  # one in twelve training images: 5,000 of MNIST's 60,000
KEYS_SHARPNESS = -0.5  # of the cubic kernel
CONTENT = {
    "real": "All MNIST images; the colours are drawn here.",
    "sample": "5,000 real MNIST images; the colours are drawn here.",
}


def build(images_folder: str | Path, output_folder: str | Path, tier: str, seed: int) -> None:
    """Write `arrays.npz` and then `card.json` into `output_folder`.

    The arrays are `{train,validation,test}_` image uint8 [N, 32, 32], digit int64 [N] and uniform
    float64 [N]. Validation images are drawn from MNIST's training images; the others, and the test
    images, stay in MNIST's order. The same images and seed give the same bytes.

    Raises:
        UserError: the source is missing, damaged or changed.
    """
    source = verified_card(images_folder)
    selection, *colours = np.random.default_rng(seed).spawn(3)
    arrays: dict[str, NDArray] = {}

    def add(side: str, images: NDArray, digits: NDArray, uniform: NDArray) -> None:
        arrays[f"{side}_image"] = resize(images)
        arrays[f"{side}_digit"] = digits.astype(np.int64)
        arrays[f"{side}_uniform"] = uniform

    images, digits = mnist.read_split(images_folder, "train")
    uniform = colours[0].random(len(digits))
    held_out = np.zeros(len(digits), dtype=bool)
    held_out[selection.permutation(len(digits))[: len(digits) // VALIDATION_SHARE]] = True
    for side, chosen in (("train", ~held_out), ("validation", held_out)):
        add(side, images[chosen], digits[chosen], uniform[chosen])
    images, digits = mnist.read_split(images_folder, "test")
    add("test", images, digits, colours[1].random(len(digits)))

    stored.write(output_folder, arrays, _card(source, arrays, tier, seed))
    print(f"coloured_mnist ({tier}): {len(digits)} test images in {output_folder}", file=sys.stderr)


def resize(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images [N, 28, 28] as [N, 32, 32]: bicubic, pixels as areas, edges repeated."""
    weights = _bicubic(images.shape[1], SIDE)
    resized = np.empty((len(images), SIDE, SIDE), np.uint8)
    for start in range(0, len(images), 1000):  # bounds memory
        piece = images[start : start + 1000].astype(np.float64)
        exact = np.matmul(np.matmul(weights, piece), weights.T)
        resized[start : start + 1000] = np.rint(exact.clip(0, 255))
    return resized


def _bicubic(old: int, new: int) -> NDArray[np.float64]:
    """Return the [new, old] weights of Keys' cubic convolution; rows add up to one."""
    weights = np.zeros((new, old))
    for i, centre in enumerate((np.arange(new) + 0.5) * old / new - 0.5):
        for j in range(int(np.floor(centre)) - 1, int(np.floor(centre)) + 3):
            weights[i, min(max(j, 0), old - 1)] += _keys(abs(centre - j))
    return weights


def _keys(x: float) -> float:
    a = KEYS_SHARPNESS
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0


def _card(
    source: dict[str, Any], arrays: dict[str, NDArray], tier: str, seed: int
) -> dict[str, Any]:
    digits = {
        side: np.bincount(arrays[f"{side}_digit"], minlength=CLASSES)
        for side in ("train", "validation", "test")
    }
    return {
        "dataset": "coloured_mnist",
        "tier": tier,
        "content": CONTENT[tier],
        "seed": seed,
        "sources": {
            source["name"]: {
                "tier": source["tier"],
                "licence": source["licence"],
                "files": {name: file["content"] for name, file in source["files"].items()},
            }
        },
        "images_per_digit": {side: count.tolist() for side, count in digits.items()},
    }
