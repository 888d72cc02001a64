import subprocess
import sys
import zipfile

import numpy as np
import pytest

from ibpapers import datasets, files
from ibpapers.datasets import cards, handwritten, handwritten_build, mel, mnist, spoken_digits
from ibpapers.datasets.fetch import fetch
from ibpapers.errors import UserError


def build(tiny_sources, folder, seed=0):
    handwritten_build.build(*tiny_sources, folder, tier="sample", seed=seed)
    with np.load(folder / handwritten.ARRAYS, allow_pickle=False) as arrays:
        return dict(arrays)


def test_fft_magnitude_equals_an_explicit_fourier_sum():
    images = np.random.default_rng(4).integers(256, size=(3, 28, 28), dtype=np.uint8)
    crops = (images[:, 7:21, 7:21] / 255 - 0.1307) / 0.3081
    # Shifted: frequency 0 stands in the middle, at (7, 7).
    fourier = np.exp(-2j * np.pi * np.outer(np.arange(-7, 7), np.arange(14)) / 14)
    expected = np.abs(np.einsum("uy,nyx,vx->nuv", fourier, crops, fourier))
    found = handwritten_build.fft_magnitude(images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.reshape(3, 196), rtol=1e-5, atol=1e-4)


def test_arrays_have_the_promised_shapes_and_the_digits_of_mnist(tiny_sources, tmp_path):
    build(tiny_sources, tmp_path / "out")
    dataset = handwritten.load(tmp_path / "out")
    for split, side, count in ((dataset.train, "train", 300), (dataset.test, "test", 50)):
        images, digits = mnist.read_split(tiny_sources[0], side)
        assert split.fft.shape == (count, 196)
        assert split.mel.shape == (count, 512)
        assert split.fft.dtype == split.mel.dtype == np.float32
        assert split.digit.dtype == np.int64
        np.testing.assert_array_equal(split.digit, digits)
        np.testing.assert_array_equal(split.fft, handwritten_build.fft_magnitude(images))
    assert dataset.card["tier"] == "sample"
    assert "synthesised" in dataset.card["content"]
    assert dataset.card["images_per_digit"] == {"train": [30] * 10, "test": [5] * 10}


def test_recordings_fit_the_digit_and_the_side_of_the_split(tiny_sources, tmp_path):
    arrays = build(tiny_sources, tmp_path / "out")
    recordings = spoken_digits.read(tiny_sources[1] / spoken_digits.FILE)
    for side in ("train", "test"):
        paired = arrays[f"{side}_recording"]
        assert paired.dtype == np.int32
        np.testing.assert_array_equal(recordings.digit[paired], arrays[f"{side}_digit"])
        assert (recordings.is_test[paired] == (side == "test")).all()
    assert not set(arrays["train_recording"]) & set(arrays["test_recording"])


def test_test_speech_is_the_recording_itself_and_training_speech_is_augmented(
    tiny_sources, tmp_path
):
    arrays = build(tiny_sources, tmp_path / "out")
    recordings = spoken_digits.read(tiny_sources[1] / spoken_digits.FILE)

    def plain(rank: int) -> np.ndarray:
        waveform = np.zeros((1, mel.LENGTH), np.float32)
        samples = recordings.waveform[rank]
        waveform[0, : len(samples)] = samples / 32_768
        return mel.standardise(mel.mel_spectrogram(waveform)).ravel()

    for rank, found in zip(arrays["test_recording"], arrays["test_mel"], strict=True):
        np.testing.assert_allclose(found, plain(rank), atol=1e-5)
    first = arrays["train_recording"][0]
    assert np.abs(arrays["train_mel"][0] - plain(first)).max() > 0.01
    of_first = arrays["train_mel"][arrays["train_recording"] == first]
    assert len(np.unique(of_first, axis=0)) == len(of_first) > 1


@pytest.mark.parametrize("count", [7, 30, 100, 980])
def test_test_recordings_are_used_evenly(count):
    digits = np.repeat(np.arange(10, dtype=np.uint8), count)
    pools = [np.arange(30 * digit, 30 * digit + 30, dtype=np.int32) for digit in range(10)]
    paired = handwritten_build.pair_evenly(digits, pools, np.random.default_rng(0))
    uses = np.bincount(paired, minlength=300).reshape(10, 30)
    assert (uses.sum(axis=1) == count).all()
    assert (np.ptp(uses, axis=1) <= 1).all()
    assert (paired // 30 == digits).all()
    other = handwritten_build.pair_evenly(digits, pools, np.random.default_rng(1))
    assert (paired != other).any()


def test_same_seed_same_bytes_other_seed_other_pairs(tiny_sources, tmp_path):
    first = build(tiny_sources, tmp_path / "first")
    build(tiny_sources, tmp_path / "again")
    other = build(tiny_sources, tmp_path / "other", seed=1)
    for name in (handwritten.ARRAYS, cards.CARD):
        again = (tmp_path / "again" / name).read_bytes()
        assert (tmp_path / "first" / name).read_bytes() == again
    assert (first["train_recording"] != other["train_recording"]).any()
    assert (first["test_recording"] != other["test_recording"]).any()


def test_augmentation_stays_within_its_limits():
    ramp = np.arange(1, mel.LENGTH + 1, dtype=np.float32) / mel.LENGTH
    waveforms = np.repeat(ramp[None], 2_000, axis=0)
    augmented = handwritten_build.augment(waveforms, np.random.default_rng(5))
    step = np.diff(augmented[:, 2_000:6_000], axis=1).mean(axis=1)
    gain = step * mel.LENGTH
    shift = np.rint(augmented[:, 4_000] / step).astype(int) - 4_001
    assert gain.min() == pytest.approx(0.95, abs=1e-3)
    assert gain.max() == pytest.approx(1.05, abs=1e-3)
    assert np.abs(shift).max() <= 402
    assert shift.min() < -380
    assert shift.max() > 380
    right = augmented[np.argmin(shift)]
    assert (right[: -shift.min() - 5] == 0).all()


def test_masks_are_single_runs_up_to_their_maximum():
    masked = handwritten_build.mask(
        np.ones((4_000, mel.BANDS, mel.FRAMES), np.float32), np.random.default_rng(6)
    )
    bands, frames = (masked == 0).all(axis=2), (masked == 0).all(axis=1)
    full = bands.any(axis=1) & frames.any(axis=1)
    for runs, largest in ((bands, 10), (frames, 20)):
        edges = np.abs(np.diff(runs, axis=1, prepend=False, append=False)).sum(axis=1)
        assert set(edges) == {0, 2}
        widths = runs.sum(axis=1)
        assert set(widths) == set(range(largest + 1))
        shares = np.bincount(widths) / len(widths)
        np.testing.assert_allclose(shares, 1 / (largest + 1), atol=0.025)
    expected = bands[:, :, None] | frames[:, None, :]
    np.testing.assert_array_equal(masked == 0, expected)
    assert full.any()


def test_a_digit_without_recordings_is_refused(tiny_sources, tmp_path):
    folder = tiny_sources[1]
    with zipfile.ZipFile(folder / spoken_digits.FILE) as archive:
        kept = {n: archive.read(n) for n in archive.namelist() if "/3_ann_6" not in n}
    with zipfile.ZipFile(folder / spoken_digits.FILE, "w") as archive:
        for name, content in kept.items():
            if "/3_ann_5" not in name:
                archive.writestr(name, content)
    card = files.read_json(folder / "card.json")
    card["files"][spoken_digits.FILE]["sha256"] = files.sha256(folder / spoken_digits.FILE)
    files.write_json(folder / "card.json", card)
    with pytest.raises(UserError, match="no train recording of digit 3"):
        build(tiny_sources, tmp_path / "out")


def test_changed_arrays_are_refused(tiny_sources, tmp_path):
    build(tiny_sources, tmp_path / "out")
    with open(tmp_path / "out" / handwritten.ARRAYS, "ab") as file:
        file.write(b"!")
    with pytest.raises(UserError, match=r"arrays\.npz is missing or is not the file of its card"):
        handwritten.load(tmp_path / "out")
    with pytest.raises(UserError, match=r"cannot read .*nowhere.card\.json"):
        handwritten.load(tmp_path / "nowhere")


def test_unknown_dataset_or_tier_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no dataset 'handwriten'\. Datasets: handwritten"):
        datasets.build("handwriten", "real", tmp_path, tmp_path, {"seed": 0})
    with pytest.raises(UserError, match=r"no tier 'fake'\. Tiers: real, sample"):
        datasets.build("handwritten", "fake", tmp_path, tmp_path, {"seed": 0})


def test_loading_needs_numpy_only():
    code = (
        "import sys, ibpapers.datasets, ibpapers.datasets.handwritten as module;"
        "heavy = {'scipy', 'torch', 'mlxtend', 'pandas', 'espeakng_loader'} & set(sys.modules);"
        "sys.exit(f'imports {heavy}' if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_the_sample_builds_with_one_command(tmp_path):
    for source in datasets.DATASETS["handwritten"].sources["sample"]:
        fetch(source, tmp_path / source)
    datasets.build("handwritten", "sample", tmp_path, tmp_path / "out", {"seed": 0})
    dataset = handwritten.load(tmp_path / "out")
    assert dataset.train.mel.shape == (4_000, 512)
    assert dataset.test.mel.shape == (1_000, 512)


@pytest.mark.slow
def test_the_real_data_build(tmp_path, mirror):
    for source in datasets.DATASETS["handwritten"].sources["real"]:
        fetch(source, tmp_path / source, mirror)
    datasets.build("handwritten", "real", tmp_path, tmp_path / "out", {"seed": 0})
    dataset = handwritten.load(tmp_path / "out")
    assert dataset.train.mel.shape == (60_000, 512)
    assert dataset.test.mel.shape == (10_000, 512)
    with np.load(tmp_path / "out" / handwritten.ARRAYS, allow_pickle=False) as arrays:
        uses = np.bincount(arrays["test_recording"], minlength=3_000)
    assert np.count_nonzero(uses) == 300
    assert uses[uses > 0].min() == 892 // 30
    assert uses.max() == -(-1_135 // 30)
