"""HandWritten, built: MNIST images paired with spoken digits (PoM2-DIB, Section V)."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ibpapers import files
from ibpapers.datasets import mel, mnist, spoken_digits
from ibpapers.datasets.cards import CARD
from ibpapers.datasets.fetch import verified_card
from ibpapers.datasets.handwritten import ARRAYS
from ibpapers.datasets.progress import Progress
from ibpapers.errors import UserError

IMAGE_MEAN, IMAGE_DEVIATION = 0.1307, 0.3081  # of MNIST, pixels in [0, 1]
CROP = slice(7, 21)  # the central 14 of 28 rows and columns

NOISE_DEVIATION = 1e-5  # of a waveform in [-1, 1]
GAIN = (0.95, 1.05)
MAX_SHIFT = 400  # samples to either side, 50 ms
MAX_MASKED_BANDS = 10
MAX_MASKED_FRAMES = 20

CHUNK = 256  # samples at a time: bounds memory, and fixes the order of the random draws
CONTENT = {
    "real": "MNIST images; recordings of the Free Spoken Digit Dataset.",
    "sample": "5,000 real MNIST images; the speech is synthesised, no person recorded it.",
}


def build(
    images_folder: str | Path,
    recordings_folder: str | Path,
    output_folder: str | Path,
    tier: str,
    seed: int,
) -> None:
    """Write `arrays.npz` and then `card.json` into `output_folder`.

    The arrays are `{train,test}_` fft float32 [N, 196], mel float32 [N, 512], digit int64 [N] and
    recording int32 [N], the recording's rank among all when sorted by digit, speaker and index.
    Row i belongs to MNIST's image i. Training images get a random training recording of their
    digit, augmented; test images share the test recordings evenly, as they are. The same inputs
    and seed give the same bytes.

    Raises:
        UserError: a source is missing, damaged or changed, or a digit lacks recordings.
    """
    cards = [verified_card(folder) for folder in (images_folder, recordings_folder)]
    recordings = spoken_digits.read(Path(recordings_folder) / spoken_digits.FILE)
    waveforms = np.stack([_fixed_length(waveform) for waveform in recordings.waveform])
    pairing, augmentation = np.random.default_rng(seed).spawn(2)

    arrays: dict[str, NDArray] = {}
    for side in ("train", "test"):
        images, digits = mnist.read_split(images_folder, side)
        pools = _pools(recordings, side, recordings_folder)
        pair, rng = (pair_at_random, augmentation) if side == "train" else (pair_evenly, None)
        paired = pair(digits, pools, pairing)
        arrays[f"{side}_fft"] = fft_magnitude(images)
        arrays[f"{side}_mel"] = _mel(f"handwritten {side}", waveforms, paired, rng)
        arrays[f"{side}_digit"] = digits.astype(np.int64)
        arrays[f"{side}_recording"] = paired

    output_folder = Path(output_folder)
    with files.atomic_write(output_folder / ARRAYS) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)
    files.write_json(output_folder / CARD, _card(cards, arrays, output_folder / ARRAYS, tier, seed))
    print(f"handwritten ({tier}): {len(digits)} test images in {output_folder}", file=sys.stderr)


def fft_magnitude(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return modality A, [N, 196], of images [N, 28, 28].

    That is the magnitude of the shifted 2-D Fourier transform of the central 14 x 14 pixels,
    normalised with MNIST's mean and deviation.
    """
    crops = (images[:, CROP, CROP] / np.float32(255) - IMAGE_MEAN) / IMAGE_DEVIATION
    spectra = np.fft.fftshift(np.fft.fft2(crops), axes=(1, 2))
    return np.abs(spectra).reshape(len(images), -1).astype(np.float32)


def pair_at_random(
    digits: NDArray[np.uint8], pools: list[NDArray[np.int32]], rng: np.random.Generator
) -> NDArray[np.int32]:
    """Return for each of N digits a recording drawn from `pools[digit]`, with replacement."""
    paired = np.empty(len(digits), np.int32)
    for digit, pool in enumerate(pools):
        chosen = digits == digit
        paired[chosen] = rng.choice(pool, size=chosen.sum())
    return paired


def pair_evenly(
    digits: NDArray[np.uint8], pools: list[NDArray[np.int32]], rng: np.random.Generator
) -> NDArray[np.int32]:
    """Like `pair_at_random`, but uses the recordings of a digit equally often, within one."""
    paired = np.empty(len(digits), np.int32)
    for digit, pool in enumerate(pools):
        chosen = digits == digit
        paired[chosen] = rng.permutation(np.resize(rng.permutation(pool), chosen.sum()))
    return paired


def augment(waveforms: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return waveforms [N, LENGTH] with noise, a random gain and a random shift in time."""
    count, length = waveforms.shape
    noise = rng.standard_normal(waveforms.shape, dtype=np.float32)
    gain = rng.uniform(*GAIN, size=(count, 1)).astype(np.float32)
    louder = gain * (waveforms + np.float32(NOISE_DEVIATION) * noise)
    padded = np.pad(louder, ((0, 0), (MAX_SHIFT, MAX_SHIFT)))
    first_sample = rng.integers(2 * MAX_SHIFT, endpoint=True, size=count)
    return sliding_window_view(padded, length, axis=1)[np.arange(count), first_sample]


def mask(spectrograms: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return standardised spectrograms [N, BANDS, FRAMES] with bands and frames set to zero.

    As in SpecAugment: one run of bands and one of frames a sample, widths uniform from 0 to their
    maximum, filled with the mean. Masking before standardising would blow up what is left, mere
    noise where the frames cover the whole word.
    """
    bands = _runs(len(spectrograms), mel.BANDS, MAX_MASKED_BANDS, rng)
    frames = _runs(len(spectrograms), mel.FRAMES, MAX_MASKED_FRAMES, rng)
    return np.where(bands[:, :, None] | frames[:, None, :], np.float32(0), spectrograms)


def _runs(count: int, size: int, max_width: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return [count, size], true on one run of random width and place per row."""
    width = rng.integers(max_width, endpoint=True, size=(count, 1))
    start = rng.integers(size - width, endpoint=True)
    position = np.arange(size)
    return (start <= position) & (position < start + width)


def _fixed_length(waveform: NDArray[np.int16]) -> NDArray[np.int16]:
    cut = waveform[: mel.LENGTH]
    return np.pad(cut, (0, mel.LENGTH - len(cut)))


def _pools(
    recordings: spoken_digits.Recordings, side: str, folder: str | Path
) -> list[NDArray[np.int32]]:
    """Return the recordings of each digit on one side of the split, by rank."""
    on_side = recordings.is_test == (side == "test")
    pools = [
        np.flatnonzero(on_side & (recordings.digit == digit)).astype(np.int32)
        for digit in range(10)
    ]
    for digit, pool in enumerate(pools):
        if not len(pool):
            raise UserError(
                f"{Path(folder) / spoken_digits.FILE} has no {side} recording of digit {digit}; "
                "every digit needs one. Fetch the recordings again."
            )
    return pools


def _mel(
    label: str,
    waveforms: NDArray[np.int16],
    paired: NDArray[np.int32],
    rng: np.random.Generator | None,
) -> NDArray[np.float32]:
    """Return modality B, [N, 512], of the paired recordings; augmented if there is an `rng`."""
    spectrograms = np.empty((len(paired), mel.BANDS, mel.FRAMES), np.float32)
    progress = Progress(label, len(paired))
    for start in range(0, len(paired), CHUNK):
        rows = slice(start, start + CHUNK)
        chunk = waveforms[paired[rows]] / np.float32(32_768)
        if rng is None:
            spectrograms[rows] = mel.standardise(mel.mel_spectrogram(chunk))
        else:
            chunk = mel.standardise(mel.mel_spectrogram(augment(chunk, rng)))
            spectrograms[rows] = mask(chunk, rng)
        progress.update(min(start + CHUNK, len(paired)))
    return spectrograms.reshape(len(paired), -1)


def _card(
    cards: list[dict[str, Any]],
    arrays: dict[str, NDArray],
    arrays_file: Path,
    tier: str,
    seed: int,
) -> dict[str, Any]:
    return {
        "dataset": "handwritten",
        "tier": tier,
        "content": CONTENT[tier],
        "seed": seed,
        "sources": {
            card["name"]: {
                "tier": card["tier"],
                "licence": card["licence"],
                "files": {name: file["content"] for name, file in card["files"].items()},
            }
            for card in cards
        },
        "arrays": {
            "file": ARRAYS,
            "sha256": files.sha256(arrays_file),
            "shapes": {name: list(array.shape) for name, array in arrays.items()},
        },
        "images_per_digit": {
            side: np.bincount(arrays[f"{side}_digit"], minlength=10).tolist()
            for side in ("train", "test")
        },
        "training_augmentation": {
            "noise_deviation": NOISE_DEVIATION,
            "gain": GAIN,
            "max_shift_samples": MAX_SHIFT,
            "max_masked_bands": MAX_MASKED_BANDS,
            "max_masked_frames": MAX_MASKED_FRAMES,
        },
    }
