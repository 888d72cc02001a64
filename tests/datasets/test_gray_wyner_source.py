import numpy as np
import pytest
import torch

from ibpapers.datasets import gray_wyner_source, gray_wyner_source_build, stored
from ibpapers.datasets.gray_wyner_sampler import Sampler
from ibpapers.datasets.gray_wyner_source import SYMBOLS, GrayWynerSource, symbol_pmf
from ibpapers.errors import UserError
from ibpapers.information.entropy import mutual_information
from ibpapers.information.tied_source import Ties, entropies

SETTINGS = {"side": 16, "seed": 0}


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> GrayWynerSource:
    folder = tmp_path_factory.mktemp("source")
    gray_wyner_source_build.build(folder, "sample", **SETTINGS)
    return gray_wyner_source.load(folder)


@pytest.fixture(scope="module")
def samples(source):
    """8,000 samples, and their symbols by position, [8,000, 2 H W] from 0 to 8."""
    batch = Sampler(source).draw(8_000, torch.Generator().manual_seed(1))
    return batch, (batch.x.reshape(8_000, -1) * SYMBOLS.max() + SYMBOLS.max()).long().numpy()


def test_ties_are_symmetric_and_as_frequent_as_the_walk_makes_them():
    positions = 90_000
    partner = gray_wyner_source_build.tie(positions, np.random.default_rng(0))
    everyone = np.arange(positions)
    np.testing.assert_array_equal(partner[partner], everyone)
    # A step makes a pair with probability 4/5, and so takes 9/5 positions.
    assert (partner != everyone).mean() == pytest.approx(8 / 9, abs=0.003)
    far = np.abs(partner - everyone)[partner != everyone]
    assert far.mean() == pytest.approx(positions / 3, rel=0.02), "partners are anywhere"


@pytest.mark.parametrize("positions", [1, 2, 3])
def test_the_last_position_of_the_walk_has_no_successor(positions):
    for seed in range(20):
        partner = gray_wyner_source_build.tie(positions, np.random.default_rng(seed))
        np.testing.assert_array_equal(partner[partner], np.arange(positions))


def test_the_entropies_are_near_the_printed_ones():
    for seed in range(5):
        partner = gray_wyner_source_build.tie(2 * 64**2, np.random.default_rng(seed))
        found = entropies(Ties.of(partner), symbol_pmf())
        assert found["joint"] == pytest.approx(3.3, rel=0.01)
        assert found["marginal_sum"] == pytest.approx(4.62, rel=0.02)
        assert found["mutual_information"] == pytest.approx(1.32, rel=0.06)


def test_the_card_has_the_entropies_of_the_map(source):
    expected = entropies(Ties.of(source.partner), symbol_pmf())
    assert source.card["entropies"] == pytest.approx(expected)
    assert source.shape == (16, 16)


def test_the_transforms_have_determinant_one_and_differ(source):
    assert source.transforms.shape == (2, 256, 256)
    assert source.transforms.dtype == np.float32
    for transform in source.transforms.astype(float):
        sign, log_determinant = np.linalg.slogdet(transform)
        assert sign == 1
        assert log_determinant == pytest.approx(0, abs=1e-4)
        assert np.abs(transform - np.eye(256)).max() > 1e-3
    assert np.abs(source.transforms[0] - source.transforms[1]).max() > 1e-3


def test_a_transform_is_the_exponential_of_its_logarithm():
    m = gray_wyner_source_build.traceless(64, np.random.default_rng(2))
    m *= 0.15 / np.linalg.norm(m, 2)  # as it is at the paper's size
    values, vectors = np.linalg.eig(m.astype(float))
    expected = ((vectors * np.exp(values)) @ np.linalg.inv(vectors)).real
    np.testing.assert_allclose(gray_wyner_source_build.exponential(m), expected, atol=5e-7)
    norm = gray_wyner_source_build.spectral_norm(m)
    assert norm == pytest.approx(0.15, rel=0.02)
    singular = np.linalg.svd(expected, compute_uv=False)
    assert np.exp(-0.15) <= singular.min() < 1 < singular.max() <= np.exp(0.15)


def test_a_position_and_its_partner_always_hold_the_same_symbol(source, samples):
    _, symbols = samples
    np.testing.assert_array_equal(symbols, symbols[:, source.partner])


def test_every_position_has_the_pmf_of_a_symbol(samples):
    _, symbols = samples
    found = np.stack([(symbols == k).mean(axis=0) for k in range(9)], axis=1)
    standard_error = np.sqrt(symbol_pmf() * (1 - symbol_pmf()) / len(symbols))
    assert (np.abs(found - symbol_pmf()) < 5 * standard_error).all(), "the last one included"


def test_positions_that_are_not_tied_are_independent(source, samples):
    _, symbols = samples
    alone = np.flatnonzero(source.partner == np.arange(symbols.shape[1]))
    tied = np.flatnonzero(source.partner > np.arange(symbols.shape[1]))
    for i, j in ((alone[0], alone[-1]), (alone[0], tied[0]), (tied[0], tied[1])):
        joint = np.zeros((9, 9))
        np.add.at(joint, (symbols[:, i], symbols[:, j]), 1 / len(symbols))
        # A plug-in estimate is biased by (9 - 1)^2 / (2 n ln 2), 0.006 bits.
        assert mutual_information(joint) == pytest.approx(0.0058, abs=0.003)


def test_targets_are_the_transforms_of_the_halves(source, samples):
    batch, _ = samples
    assert batch.x.shape == batch.z.shape == (8_000, 2, 16, 16)
    assert batch.x.dtype == batch.z.dtype == torch.float32
    assert batch.x.abs().max() == 1
    for half in (0, 1):
        x = batch.x[17, half].flatten().numpy()
        expected = [sum(a * b for a, b in zip(row, x)) for row in source.transforms[half]]
        np.testing.assert_allclose(batch.z[17, half].flatten(), expected, atol=1e-5)


def test_samples_depend_on_the_generator_alone(source):
    sampler = Sampler(source)
    first, again, other = (
        sampler.draw(4, torch.Generator().manual_seed(seed)) for seed in (5, 5, 6)
    )
    assert torch.equal(first.x, again.x)
    assert torch.equal(first.z, again.z)
    assert not torch.equal(first.x, other.x)


def test_same_settings_same_bytes_other_seed_other_source(source, tmp_path):
    for name, seed in (("again", 0), ("other", 1)):
        gray_wyner_source_build.build(tmp_path / name, "sample", side=16, seed=seed)
    again, other = (gray_wyner_source.load(tmp_path / name) for name in ("again", "other"))
    assert again.card == source.card
    np.testing.assert_array_equal(again.transforms, source.transforms)
    assert (other.partner != source.partner).any()
    assert (other.transforms != source.transforms).any()


def test_changed_arrays_are_refused(tmp_path):
    gray_wyner_source_build.build(tmp_path, "sample", **SETTINGS)
    with open(tmp_path / stored.ARRAYS, "ab") as file:
        file.write(b"!")
    with pytest.raises(UserError, match=r"arrays\.npz is missing or is not the file of its card"):
        gray_wyner_source.load(tmp_path)


@pytest.mark.slow
def test_the_papers_size(tmp_path):
    gray_wyner_source_build.build(tmp_path, "real", side=64, seed=0)
    source = gray_wyner_source.load(tmp_path)
    assert source.transforms.shape == (2, 4096, 4096)
    for transform, norm in zip(source.transforms, source.card["transforms"]["norm_of_logarithm"]):
        assert np.linalg.slogdet(transform)[1] == pytest.approx(0, abs=2e-3)
        assert 0.1 < norm < 0.2
