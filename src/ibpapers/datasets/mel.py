"""The mel power spectrogram of HandWritten, as torchaudio's MelSpectrogram defines it."""

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.sparse import csr_array

SAMPLE_RATE = 8_000  # Hz
LENGTH = 8_000  # samples of a recording
N_FFT = 2_048  # samples of a frame and of its window
HOP = 256  # samples between frames
BANDS = 16
FRAMES = 1 + LENGTH // HOP


def mel_filters() -> NDArray[np.float64]:
    """Return the triangular mel filters, [N_FFT // 2 + 1, BANDS]: HTK's scale, height 1."""
    top = 2_595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2_595) - 1)
    frequency = np.linspace(0, SAMPLE_RATE / 2, N_FFT // 2 + 1)[:, None]
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    rising = (frequency - left) / (centre - left)
    falling = (right - frequency) / (right - centre)
    return np.maximum(0, np.minimum(rising, falling))


def mel_spectrogram(waveforms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mel power spectrogram [N, BANDS, FRAMES] of waveforms [N, LENGTH].

    Frames are centred on multiples of HOP, the waveform is reflected at its ends, the window is a
    periodic Hann window, and power is |.|^2 without normalisation or logarithm.
    """
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    ends = (N_FFT // 2, N_FFT // 2)
    padded = np.pad(waveforms, ((0, 0), ends), mode="reflect")
    frames = sliding_window_view(padded, N_FFT, axis=1)[:, ::HOP]
    spectrum = scipy.fft.rfft(frames * window.astype(np.float32))
    power = spectrum.real**2 + spectrum.imag**2
    # A frequency lies in two bands at most. Nor does a sparse product go through BLAS, whose sums
    # depend on its number of threads: the dataset's hash must not.
    filters = csr_array(mel_filters().astype(np.float32))
    bands = power.reshape(-1, N_FFT // 2 + 1) @ filters
    return bands.reshape(len(waveforms), FRAMES, BANDS).swapaxes(1, 2)


def standardise(spectrograms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shift and scale each of [N, BANDS, FRAMES] to mean 0, standard deviation 1; silence to 0."""
    mean = spectrograms.mean(axis=(1, 2), keepdims=True)
    deviation = spectrograms.std(axis=(1, 2), keepdims=True)
    return (spectrograms - mean) / np.where(deviation > 0, deviation, 1)
