"""Small stand-ins for the sources, laid out as the real ones."""

import io
import os
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ibpapers import files
from ibpapers.datasets import fetch, mnist, spoken_digits


@pytest.fixture
def mirror() -> str:
    """The folder or address of real data."""
    if "IBPAPERS_MIRROR" not in os.environ:
        pytest.skip("needs real data: set IBPAPERS_MIRROR to a mirror of the sources")
    return os.environ["IBPAPERS_MIRROR"]


@pytest.fixture
def wav() -> Callable[..., bytes]:
    """Encodes samples as a WAV file."""

    def encode(samples: np.ndarray, rate: int = 8_000, channels: int = 1) -> bytes:
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setparams((channels, samples.dtype.itemsize, rate, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
        return buffer.getvalue()

    return encode


@pytest.fixture
def tiny_sources(tmp_path: Path, wav: Callable[..., bytes]) -> tuple[Path, Path]:
    """300 training and 50 test images; 7 recordings a digit, 5 of them for testing."""
    rng = np.random.default_rng(7)
    images, recordings = tmp_path / "images", tmp_path / "recordings"
    for split, count in (("train", 300), ("test", 50)):
        images_file, labels_file = mnist.FILES[split]
        pixels = rng.integers(256, size=(count, 28, 28), dtype=np.uint8)
        mnist.write_idx(images / images_file, pixels)
        mnist.write_idx(images / labels_file, np.resize(np.arange(10, dtype=np.uint8), count))
    recordings.mkdir()
    with zipfile.ZipFile(recordings / spoken_digits.FILE, "w") as archive:
        for digit in range(10):
            for index in range(7):
                noise = rng.integers(-9_000, 9_000, size=2_000 + 100 * index).astype(np.int16)
                archive.writestr(f"{spoken_digits.FOLDER}{digit}_ann_{index}.wav", wav(noise))
    for folder in (images, recordings):
        contents = {
            path.name: {"sha256": files.sha256(path), "content": f"sha256:{files.sha256(path)}"}
            for path in sorted(folder.iterdir())
        }
        card = {"name": folder.name, "tier": "sample", "licence": "none", "files": contents}
        files.write_json(folder / fetch.CARD, card)
    return images, recordings
