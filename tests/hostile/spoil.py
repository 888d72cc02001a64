"""Ways to break something in a folder in which all is right; each returns what does it."""

from __future__ import annotations

import io
import json
import pickle
import stat
import struct
import wave
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ibpapers import files, recipe_file
from ibpapers.datasets import mnist, spoken_digits

Spoil = Callable[[Path], None]  # of the project's folder

IMAGES, DIGITS = (Path("results/sources/mnist_sample", name) for name in mnist.FILES["train"])
SPEECH = Path("results/sources/spoken_digits_sample", spoken_digits.FILE)
ARRAYS = Path("results/datasets/handwritten-sample/arrays.npz")
EVALUATION = Path("results/sample-smoke/evaluations/pom2dib/handwritten/dlsc.parquet")
RESULTS = Path("results/sample-smoke/report/pom2dib/results.parquet")
HISTORY = Path("results/sample-smoke/runs/pom2dib/handwritten/pom2dib_beta=0.001/history.npz")
MODEL = HISTORY.with_name("model.safetensors")
CANARY = Path("canary")  # exists once code of a hostile file has run


@dataclass(frozen=True)
class Hostile:
    """One malformed input: what is wrong, the command that meets it, what that has to say."""

    wrong: str
    command: str
    said: str
    spoil: Spoil = lambda folder: None

    def __str__(self) -> str:
        return self.wrong


class Bomb:
    """Unpickled, it runs code."""

    def __reduce__(self) -> tuple:
        return open, (str(CANARY.absolute()), "w")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` but for locks, which stay."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".snakemake" not in path.parts
    }


def write(path: str | Path, content: str | bytes) -> Spoil:
    content = content.encode() if isinstance(content, str) else content

    def spoil(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)

    return spoil


def replace(path: str | Path, old: str, new: str) -> Spoil:
    def spoil(folder: Path) -> None:
        text = (folder / path).read_text()
        assert old in text, f"{path} has no {old!r}"
        (folder / path).write_text(text.replace(old, new, 1))

    return spoil


def remove(path: str | Path) -> Spoil:
    return lambda folder: (folder / path).unlink()


def change_bytes(path: str | Path, change: Callable[[bytes], bytes]) -> Spoil:
    return lambda folder: (folder / path).write_bytes(change((folder / path).read_bytes()))


def change_json(path: str | Path, change: Callable[[Any], Any]) -> Spoil:
    """`change` alters the content in place, or returns another."""

    def spoil(folder: Path) -> None:
        content = json.loads((folder / path).read_text())
        changed = change(content)
        (folder / path).write_text(json.dumps(content if changed is None else changed))

    return spoil


def pickled(path: str | Path) -> Spoil:
    return lambda folder: (folder / path).write_bytes(pickle.dumps(Bomb()))


def both(*spoils: Spoil) -> Spoil:
    def spoil(folder: Path) -> None:
        for each in spoils:
            each(folder)

    return spoil


# Sources


def forged(path: Path, spoil: Spoil) -> Spoil:
    """`spoil` the source at `path`, with a card that fits what became of it."""

    def whole(folder: Path) -> None:
        spoil(folder)
        card_source(folder / path.parent)

    return whole


def card_source(folder: Path) -> None:
    described = {
        path.name: {"sha256": files.sha256(path), "content": "forged"}
        for path in sorted(folder.iterdir())
        if path.name != "card.json"
    }
    card = {"name": folder.name, "tier": "sample", "licence": "none", "files": described}
    files.write_json(folder / "card.json", card)


def images(content: bytes) -> Spoil:
    return forged(IMAGES, write(IMAGES, content))


def digits(content: bytes) -> Spoil:
    return forged(DIGITS, write(DIGITS, content))


def idx(shape: tuple[int, ...], content: int, magic: bytes = b"\0\0\x08") -> bytes:
    """An IDX file of that header and so many bytes, or of so many times 0."""
    return magic + bytes([len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + bytes(content)


def speech(members: dict[str, bytes], **how: Any) -> Spoil:
    return forged(SPEECH, write(SPEECH, zipped(members, **how)))


def recording(content: bytes) -> Spoil:
    """All digits as they have to be but for one recording."""
    return speech({**takes(), f"{spoken_digits.FOLDER}3_ann_5.wav": content})


def zipped(
    members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, mode: int = 0o100644
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = method
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def links(members: dict[str, bytes]) -> bytes:
    return zipped(members, mode=stat.S_IFLNK | 0o777)


def patched(archive: bytes, at: int, value: bytes) -> bytes:
    """A zip of one member with `value` at byte `at` of its entry in the directory."""
    start = archive.rindex(b"PK\x01\x02") + at
    return archive[:start] + value + archive[start + len(value) :]


def takes() -> dict[str, bytes]:
    """One recording for testing and one for training of every digit."""
    return {
        f"{spoken_digits.FOLDER}{digit}_ann_{index}.wav": wav()
        for digit in range(10)
        for index in (0, 5)
    }


def wav(samples: int = 300, rate: int = 8_000, channels: int = 1, width: int = 2) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(bytes(range(1, 251)) * (samples * channels * width // 250))
    return buffer.getvalue()


# Datasets


def arrays(change: Callable[[dict[str, np.ndarray]], Any], save: Callable = np.savez) -> Spoil:
    """Other arrays in the dataset, with a card that fits them."""

    def spoil(folder: Path) -> None:
        with np.load(folder / ARRAYS) as stored:
            content = dict(stored)
        change(content)
        save(folder / ARRAYS, **content)
        card_arrays(folder)

    return spoil


def raw_arrays(content: Spoil) -> Spoil:
    """Anything in place of the dataset's arrays, with a card that fits it."""
    return both(content, card_arrays)


def card_arrays(folder: Path) -> None:
    card = {"tier": "sample", "arrays": {"sha256": files.sha256(folder / ARRAYS)}}
    files.write_json(folder / ARRAYS.with_name("card.json"), card)


def npz(header: str) -> bytes:
    """An npz whose one array has that header and no content."""
    text = header.encode().ljust(117) + b"\n"
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text
    return zipped({"train_fft.npy": npy}, method=zipfile.ZIP_STORED)


# Results


def rows(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Spoil:
    def spoil(folder: Path) -> None:
        change(pd.read_parquet(folder / path)).to_parquet(folder / path, index=False)

    return spoil


def history(change: Callable[[dict[str, np.ndarray]], Any], save: Callable = np.savez) -> Spoil:
    def spoil(folder: Path) -> None:
        with np.load(folder / HISTORY) as stored:
            content = dict(stored)
        change(content)
        save(folder / HISTORY, **content)

    return spoil


# Recipes


def recipe(**changes: Any) -> Spoil:
    """recipe.json with other entries and a checksum that fits them."""

    def spoil(folder: Path) -> None:
        content = json.loads((folder / "recipe.json").read_text())
        del content["sha256"]
        content["recipe"] |= changes
        (folder / "recipe.json").write_text(recipe_file.to_text(content))

    return spoil
