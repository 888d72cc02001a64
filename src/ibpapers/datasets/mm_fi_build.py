"""MM-Fi, built: its frames cleaned, brought to one shape, split, and written into shards."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibpapers.datasets import mm_fi_files, stored
from ibpapers.datasets.fetch import verified_card
from ibpapers.datasets.mm_fi import DTYPES, SHAPES, SIDES
from ibpapers.datasets.mm_fi_files import Sequence
from ibpapers.datasets.progress import Progress
from ibpapers.errors import UserError

PIECE = 256  # frames at a time: bounds memory
MISSING_SHOWN = 5
FIELDS = ("depth", "wifi-csi")  # of one quantity; all others are points with coordinates
TRAIN_SHARE = 0.8  # of the subjects of an action, in the random split: 32 of 40
DAILY = frozenset({2, 3, 4, 5, 13, 14, 17, 18, 19, 20, 21, 22, 23, 27})
PROTOCOLS = {
    "all": frozenset(range(1, mm_fi_files.ACTIONS + 1)),
    "daily": DAILY,
    "rehabilitation": frozenset(range(1, mm_fi_files.ACTIONS + 1)) - DAILY,
}
CONTENT = {
    "real": "The authors' recordings of 40 subjects.",
    "sample": "Generated: jointed figures that move, and what the sensors would see of them.",
}

Frame = tuple[Sequence, int]  # counted from 1


def build(
    source_folder: str | Path,
    output_folder: str | Path,
    tier: str,
    seed: int,
    split: str,
    protocol: str,
) -> None:
    """Write the shards `{train,test}_<modality>.npy`, `arrays.npz` and then `card.json`.

    The arrays are `{train,test}_` pose float32 [N, 17, 3], action, scene int64 [N], subject, frame
    int16 [N], and `<modality>_` mean and deviation over the training side. Frames are in the order
    of scene, subject, action and frame. One in which a file is empty is left out. Memory holds
    `PIECE` frames of one modality, whatever the size of the whole.

    The same frames, `seed`, `split` and `protocol` give the same bytes.

    Raises:
        UserError: the source is not whole, or a file is missing or corrupt, or a side of the split
            would be empty.
    """
    source = verified_card(source_folder)
    root = Path(source_folder) / mm_fi_files.FOLDER
    if tier == "real":
        _refuse_gaps(root)
    every = [s for s in mm_fi_files.sequences(root) if s.action in PROTOCOLS[protocol]]

    shards: dict[str, dict[str, Any]] = {}
    arrays: dict[str, NDArray] = {}
    empty: Counter[str] = Counter()
    skipped = 0
    for side, sequences in _split(every, split, seed).items():
        frames, poses, left_out = _frames(root, sequences, empty)
        if not frames:
            raise UserError(
                f"mm_fi: split {split!r} of the {len(every)} sequences of protocol {protocol!r} "
                f"leaves no {side} frames. Choose another split or protocol."
            )
        skipped += left_out
        arrays |= _labels(side, frames, poses)
        for modality in SHAPES:
            moments = _Moments(1 if modality in FIELDS else SHAPES[modality][-1])
            pieces = _pieces(f"mm_fi {side} {modality}", root, frames, modality, seed)
            shape = (len(frames), *SHAPES[modality])
            name = f"{side}_{modality}"
            shards[name] = stored.write_shard(
                output_folder, name, shape, DTYPES[modality], moments.watch(pieces)
            )
            if side == "train":
                arrays[f"{modality}_mean"], arrays[f"{modality}_deviation"] = moments.result()
    facts = {
        "dataset": "mm_fi",
        "tier": tier,
        "content": CONTENT[tier],
        "seed": seed,
        "split": split,
        "protocol": protocol,
        "sources": stored.of_sources([source]),
        "frames": {side: len(arrays[f"{side}_action"]) for side in SIDES},
        "subjects": {side: np.unique(arrays[f"{side}_subject"]).tolist() for side in SIDES},
        "skipped_frames": skipped,
        "empty_files": {modality: empty[modality] for modality in SHAPES},
    }
    stored.write(output_folder, arrays, facts, shards)
    counts = " and ".join(f"{facts['frames'][side]:,} {side}" for side in SIDES)
    report = f"mm_fi ({tier}): {counts} frames in {output_folder}, {skipped:,} skipped"
    print(report, file=sys.stderr)


def clean_csi(amplitude: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return amplitudes [antennas, subcarriers, packets] without gaps, scaled to [0, 1].

    What is infinite or NaN becomes the mean of what is finite in its packet (in the frame, where
    a packet has nothing); a frame that is constant becomes 0.
    """
    finite = np.isfinite(amplitude)
    known = np.where(finite, amplitude, 0.0)
    count = finite.sum((0, 1))
    overall = known.sum() / max(count.sum(), 1)
    mean = np.where(count > 0, known.sum((0, 1)) / np.maximum(count, 1), overall)
    filled = np.where(finite, amplitude, mean)
    low, high = filled.min(), filled.max()
    if high == low:
        return np.zeros(amplitude.shape, np.float32)
    return ((filled - low) / (high - low)).astype(np.float32)


def crop(array: NDArray, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray:
    """Return a window of `shape` at a random place of `array`."""
    starts = [rng.integers(n - m, endpoint=True) for n, m in zip(array.shape, shape, strict=True)]
    return array[tuple(slice(s, s + m) for s, m in zip(starts, shape, strict=True))]


def fit_points(points: NDArray, count: int, rng: np.random.Generator) -> NDArray:
    """Return `count` of the points [N, .], chosen at random, in their order; zeros fill up."""
    if len(points) > count:
        return points[np.sort(rng.permutation(len(points))[:count])]
    return np.pad(points, ((0, count - len(points)), (0, 0)))


def shape_frame(modality: str, frame: NDArray, rng: np.random.Generator) -> NDArray:
    """Return a frame as `mm_fi_files.read_frame` has it in the shape of `mm_fi.SHAPES`."""
    shape = SHAPES[modality]
    if modality in mm_fi_files.POINTS:
        return fit_points(frame, shape[0], rng)
    if modality == "wifi-csi":
        return crop(clean_csi(frame), shape, rng)
    return crop(frame, shape, rng) if modality == "depth" else frame


def _refuse_gaps(root: Path) -> None:
    gaps = mm_fi_files.missing(root)
    if gaps:
        more = f" and {len(gaps) - MISSING_SHOWN:,} more" if len(gaps) > MISSING_SHOWN else ""
        raise UserError(
            f"{root.resolve()} is not the whole of MM-Fi, which is E01 to E04 with ten of S01 to "
            f"S40 each and A01 to A27 in each of these. Missing: "
            f"{', '.join(gaps[:MISSING_SHOWN])}{more}."
        )


def _split(every: list[Sequence], split: str, seed: int) -> dict[str, list[Sequence]]:
    if split == "cross_scene":
        held_out = {one for one in every if one.scene == mm_fi_files.SCENES}
    elif split == "cross_subject":
        held_out = {one for one in every if one.subject % 5 == 0}
    else:
        held_out, rng = set(), np.random.default_rng(seed)
        for action in sorted({one.action for one in every}):
            performed = [one for one in every if one.action == action]
            order = rng.permutation(len(performed))
            held_out |= {performed[i] for i in order[int(TRAIN_SHARE * len(performed)) :]}
    return {
        "train": [one for one in every if one not in held_out],
        "test": [one for one in every if one in held_out],
    }


def _frames(
    root: Path, sequences: list[Sequence], empty: Counter[str]
) -> tuple[list[Frame], NDArray[np.float32], int]:
    """The usable frames of `sequences`, their poses, and how many others there are."""
    frames, poses, others = [], [np.empty((0, mm_fi_files.JOINTS, 3), np.float32)], 0
    for one in sequences:
        pose = mm_fi_files.read_poses(root / str(one))
        usable = _usable(root / str(one), len(pose), empty)
        frames += [(one, int(frame) + 1) for frame in np.flatnonzero(usable)]
        poses.append(pose[usable])
        others += int((~usable).sum())
    return frames, np.concatenate(poses), others


def _usable(folder: Path, frames: int, empty: Counter[str]) -> NDArray[np.bool_]:
    """Which frames of a sequence have no empty file; those are counted into `empty`.

    Raises:
        UserError: a file of the frames is missing.
    """
    usable = np.ones(frames, dtype=bool)
    for modality in SHAPES:
        try:
            with os.scandir(folder / modality) as found:
                sizes = {entry.name: entry.stat().st_size for entry in found}
        except OSError as error:
            raise UserError(f"cannot read {folder / modality}: {error.strerror}.") from error
        for frame in range(1, frames + 1):
            name = mm_fi_files.frame_name(modality, frame)
            if name not in sizes:
                raise UserError(
                    f"{folder / modality / name} is missing: {mm_fi_files.GROUND_TRUTH} has "
                    f"{frames} frames. {mm_fi_files.ADVICE}"
                )
            if not sizes[name]:
                empty[modality] += 1
                usable[frame - 1] = False
    return usable


def _labels(side: str, frames: list[Frame], poses: NDArray[np.float32]) -> dict[str, NDArray]:
    numbers = np.array([(s.scene, s.subject, s.action, frame) for s, frame in frames])
    scene, subject, action, frame = numbers.T
    return {
        f"{side}_pose": poses,
        f"{side}_action": action.astype(np.int64) - 1,
        f"{side}_scene": scene.astype(np.int64) - 1,
        f"{side}_subject": subject.astype(np.int16),
        f"{side}_frame": frame.astype(np.int16),
    }


def _pieces(
    label: str, root: Path, frames: list[Frame], modality: str, seed: int
) -> Iterator[NDArray]:
    progress, number = Progress(label, len(frames)), list(SHAPES).index(modality)
    for start in range(0, len(frames), PIECE):
        piece = frames[start : start + PIECE]
        rows = np.empty((len(piece), *SHAPES[modality]), DTYPES[modality])
        for row, (one, frame) in zip(rows, piece, strict=True):
            rng = np.random.default_rng([seed, number, one.subject, one.action, frame])
            row[...] = shape_frame(
                modality, mm_fi_files.read_frame(root / str(one), modality, frame), rng
            )
        yield rows
        progress.update(start + len(piece))


class _Moments:
    """Mean and deviation of what passes, for each of the `columns` of its last axis."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._count = 0
        self._sum = np.zeros(columns)
        self._squares = np.zeros(columns)

    def watch(self, pieces: Iterator[NDArray]) -> Iterator[NDArray]:
        for piece in pieces:
            values = piece.reshape(-1, self._columns).astype(np.float64)
            self._count += len(values)
            self._sum += values.sum(0)
            self._squares += np.square(values).sum(0)
            yield piece

    def result(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and deviation; a deviation of 0 is given as 1."""
        mean = self._sum / self._count
        deviation = np.sqrt(np.maximum(self._squares / self._count - mean**2, 0))
        deviation[deviation == 0] = 1
        return mean.astype(np.float32), deviation.astype(np.float32)
