import math

import numpy as np
import pytest

from ibpapers.datasets import mel


@pytest.fixture(scope="module")
def waveforms() -> np.ndarray:
    time = np.arange(mel.LENGTH) / mel.SAMPLE_RATE
    chirp = 0.5 * np.sin(2 * np.pi * (200 + 1_500 * time) * time)
    noise = np.random.default_rng(3).uniform(-1, 1, mel.LENGTH)
    return np.stack([chirp, noise]).astype(np.float32)


def htk_triangles() -> np.ndarray:
    """The filters from the formula, one weight at a time."""

    def to_mel(hertz: float) -> float:
        return 2_595 * math.log10(1 + hertz / 700)

    def to_hertz(mels: float) -> float:
        return 700 * (10 ** (mels / 2_595) - 1)

    corners = [to_hertz(to_mel(4_000) * step / 17) for step in range(18)]
    weights = np.zeros((1_025, 16))
    for k in range(1_025):
        hertz = k * 8_000 / 2_048
        for band in range(16):
            left, centre, right = corners[band : band + 3]
            if left <= hertz <= centre:
                weights[k, band] = (hertz - left) / (centre - left)
            elif centre < hertz <= right:
                weights[k, band] = (right - hertz) / (right - centre)
    return weights


def test_filters_follow_htk():
    np.testing.assert_allclose(mel.mel_filters(), htk_triangles(), atol=1e-12)


def test_spectrogram_equals_an_explicit_fourier_sum(waveforms):
    samples = np.arange(2_048)
    fourier = np.exp(-2j * np.pi * np.outer(samples, np.arange(1_025)) / 2_048)
    window = np.sin(np.pi * samples / 2_048) ** 2
    expected = np.empty((2, 16, 32))
    for row, waveform in enumerate(waveforms.astype(np.float64)):
        mirrored = np.concatenate([waveform[1_024:0:-1], waveform, waveform[-2:-1_026:-1]])
        for frame in range(32):
            piece = mirrored[256 * frame : 256 * frame + 2_048] * window
            expected[row, :, frame] = np.abs(piece @ fourier) ** 2 @ htk_triangles()
    found = mel.mel_spectrogram(waveforms)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * expected.max())


def test_standardised_spectrograms_have_mean_0_and_deviation_1(waveforms):
    spectrograms = mel.standardise(mel.mel_spectrogram(waveforms))
    np.testing.assert_allclose(spectrograms.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(spectrograms.std(axis=(1, 2)), 1, atol=1e-5)


def test_silence_becomes_zeros():
    silence = mel.mel_spectrogram(np.zeros((1, mel.LENGTH), np.float32))
    np.testing.assert_array_equal(mel.standardise(silence), np.zeros((1, 16, 32)))
