from typing import get_args

import numpy as np
import pytest

from ibpapers.datasets import coloured_mnist, coloured_mnist_build, mnist, mnist_sample, stored
from ibpapers.datasets.coloured_mnist import COLOURS_OF, PALETTE, PMF, Split, joint_pmf
from ibpapers.datasets.fetch import fetch
from ibpapers.errors import UserError
from ibpapers.information.entropy import entropy, gacs_korner, mutual_information

# Of digits that are equally likely: H(digit), H(colour), H(digit, colour), I, Gacs-Korner, bits.
EXPECTED = {
    "dependent": (3.321928, 3.321928, 3.321928, 3.321928, 3.321928),
    "independent": (3.321928, 3.321928, 6.643856, 0, 0),
    "mixture": (3.321928, 3.196931, 5.118507, 1.400353, 0),
}


def build(images, folder, seed=0):
    coloured_mnist_build.build(images, folder, "sample", seed)
    return coloured_mnist.load(folder)


def split(digits, seed=0):
    uniform = np.random.default_rng(seed).random(len(digits))
    return Split(np.zeros((len(digits), 32, 32), np.uint8), digits, uniform)


@pytest.mark.parametrize("pmf", EXPECTED)
def test_entropies_of_the_three_pmfs(pmf):
    joint = joint_pmf(pmf)
    found = (
        entropy(joint.sum(1)), entropy(joint.sum(0)), entropy(joint), mutual_information(joint),
        gacs_korner(joint),
    )  # fmt: skip
    assert found == pytest.approx(EXPECTED[pmf], abs=1e-6)
    assert set(EXPECTED) == set(COLOURS_OF) == set(get_args(PMF))


def test_mixture_is_the_table_of_the_release():
    table = np.zeros((10, 10))
    table[[0, 1, 2], [0, 1, 2]] = 0.1
    table[3:6] = 0.01
    for digit, first in ((6, 0), (7, 2), (8, 4), (9, 6)):
        table[digit, first : first + 4] = 0.025
    np.testing.assert_allclose(joint_pmf("mixture"), table)


@pytest.mark.parametrize("pmf", EXPECTED)
def test_colours_follow_their_pmf(pmf):
    digits = np.repeat(np.arange(10), 20_000)
    found = np.zeros((10, 10))
    np.add.at(found, (digits, split(digits).colour(pmf)), 1 / len(digits))
    expected = joint_pmf(pmf)
    np.testing.assert_allclose(found, expected, atol=5 * np.sqrt(0.01 / len(digits)))
    assert ((found > 0) == (expected > 0)).all()


def test_a_colour_belongs_to_its_image_in_whatever_order():
    digits = np.random.default_rng(3).integers(10, size=500)
    whole = split(digits)
    order = np.random.default_rng(4).permutation(500)
    part = Split(whole.image[order], whole.digit[order], whole.uniform[order])
    for pmf in COLOURS_OF:
        np.testing.assert_array_equal(part.colour(pmf), whole.colour(pmf)[order])
    assert (split(digits, seed=1).colour("independent") != whole.colour("independent")).any()


def test_every_colour_of_the_palette_is_another():
    assert PALETTE.shape == (10, 3)
    assert len(np.unique(PALETTE, axis=0)) == 10


def test_images_are_enlarged_as_an_explicit_cubic_convolution_does():
    images = np.random.default_rng(5).integers(256, size=(2, 28, 28), dtype=np.uint8)
    found = coloured_mnist_build.resize(images)
    assert found.shape == (2, 32, 32)
    assert found.dtype == np.uint8

    def kernel(x):
        x = abs(x)
        if x < 1:
            return 1.5 * x**3 - 2.5 * x**2 + 1
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0

    for u, v in ((0, 0), (7, 31), (16, 15), (30, 2)):
        y, x = ((i + 0.5) * 28 / 32 - 0.5 for i in (u, v))
        total = sum(
            kernel(y - i) * kernel(x - j) * float(images[1, min(max(i, 0), 27), min(max(j, 0), 27)])
            for i in range(-3, 31)
            for j in range(-3, 31)
        )
        assert found[1, u, v] == round(min(max(total, 0), 255))


def test_enlarging_keeps_what_is_flat():
    flat = np.full((1, 28, 28), 97, np.uint8)
    assert (coloured_mnist_build.resize(flat) == 97).all()


def test_splits_are_those_of_mnist_and_share_no_image(tiny_sources, tmp_path):
    dataset = build(tiny_sources[0], tmp_path / "out")
    images, digits = mnist.read_split(tiny_sources[0], "train")
    assert [len(s.digit) for s in (dataset.train, dataset.validation, dataset.test)] == [
        275,
        25,
        50,
    ]
    resized = coloured_mnist_build.resize(images)
    index = {image.tobytes(): i for i, image in enumerate(resized)}
    rows = [[index[i.tobytes()] for i in s.image] for s in (dataset.train, dataset.validation)]
    assert sorted(rows[0] + rows[1]) == list(range(300))
    assert rows[0] == sorted(rows[0]), "in MNIST's order"
    assert rows[1] != list(range(rows[1][0], rows[1][0] + 25)), "drawn, not cut off"
    for found, side in zip(rows, (dataset.train, dataset.validation)):
        np.testing.assert_array_equal(side.digit, digits[found])
    uniform = np.empty(300)
    uniform[rows[0]], uniform[rows[1]] = dataset.train.uniform, dataset.validation.uniform
    drawn = np.random.default_rng(0).spawn(3)[1].random(300)
    np.testing.assert_array_equal(uniform, drawn, "an image's number, on whichever side it is")
    test_images, test_digits = mnist.read_split(tiny_sources[0], "test")
    np.testing.assert_array_equal(dataset.test.image, coloured_mnist_build.resize(test_images))
    np.testing.assert_array_equal(dataset.test.digit, test_digits)
    assert dataset.test.digit.dtype == np.int64
    assert dataset.test.uniform.min() >= 0 and dataset.test.uniform.max() < 1


def test_same_seed_same_bytes_other_seed_other_split_and_colours(tiny_sources, tmp_path):
    first = build(tiny_sources[0], tmp_path / "first")
    build(tiny_sources[0], tmp_path / "again")
    other = build(tiny_sources[0], tmp_path / "other", seed=1)
    for name in (stored.ARRAYS, stored.CARD):
        again = (tmp_path / "again" / name).read_bytes()
        assert (tmp_path / "first" / name).read_bytes() == again
    assert (first.test.uniform != other.test.uniform).all()
    assert (first.validation.image != other.validation.image).any()


def test_the_card_names_the_source_and_counts(tiny_sources, tmp_path):
    card = build(tiny_sources[0], tmp_path / "out").card
    assert card["tier"] == "sample"
    assert set(card["sources"]) == {"images"}
    assert card["images_per_digit"]["test"] == [5] * 10
    counts = card["images_per_digit"]
    assert sum(counts["train"]) == 275 and sum(counts["validation"]) == 25


def test_changed_arrays_are_refused(tiny_sources, tmp_path):
    build(tiny_sources[0], tmp_path / "out")
    with open(tmp_path / "out" / stored.ARRAYS, "ab") as file:
        file.write(b"!")
    with pytest.raises(UserError, match=r"arrays\.npz is missing or is not the file of its card"):
        coloured_mnist.load(tmp_path / "out")


@pytest.mark.slow
def test_the_sample_builds(tmp_path):
    fetch("mnist_sample", tmp_path / "mnist_sample")
    dataset = build(tmp_path / "mnist_sample", tmp_path / "out")
    sizes = [len(s.digit) for s in (dataset.train, dataset.validation, dataset.test)]
    assert sizes == [3_667, 333, 1_000]
    assert mnist_sample.TEST_PER_DIGIT == 100
    assert dataset.card["images_per_digit"]["test"] == [100] * 10


@pytest.mark.slow
def test_the_real_data_have_the_known_entropies(tmp_path, mirror):
    fetch("mnist", tmp_path / "mnist", mirror)
    coloured_mnist_build.build(tmp_path / "mnist", tmp_path / "out", "real", 0)
    dataset = coloured_mnist.load(tmp_path / "out")
    sizes = [len(s.digit) for s in (dataset.train, dataset.validation, dataset.test)]
    assert sizes == [55_000, 5_000, 10_000]
    training = np.bincount(np.concatenate([dataset.train.digit, dataset.validation.digit]))
    test = np.bincount(dataset.test.digit)
    for counts, h, i in ((training, 3.319871, 1.425567), (test, 3.319423, 1.434558)):
        joint = joint_pmf("mixture", counts)
        assert entropy(joint.sum(1)) == pytest.approx(h, abs=1e-6)
        assert mutual_information(joint) == pytest.approx(i, abs=1e-6)
