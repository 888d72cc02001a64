"""A stand-in for MM-Fi: figures that move in four rooms, written as MM-Fi's own files."""

from __future__ import annotations

import io
import shutil
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ibpapers.datasets import mm_fi_files, mm_fi_motion, mm_fi_sensors
from ibpapers.datasets.mm_fi_files import SUBJECTS_PER_SCENE, Sequence
from ibpapers.datasets.mm_fi_sensors import SCENES, Figure
from ibpapers.datasets.progress import Progress
from ibpapers.errors import UserError

LENGTH = 30.0  # seconds of a sequence, however many frames there are of it
EPSILON = 0.05  # seconds over which velocities are taken
MAT_HEADER = b"MATLAB 5.0 MAT-file, made by ibpapers".ljust(116)


def generate(folder: str | Path, seed: int, subjects: int, actions: int, frames: int) -> str:
    """Write the last `subjects` of each scene's ten, who perform the first `actions`, in `frames`.

    The same arguments give the same files. Returns where the data come from.
    """
    root = Path(folder) / mm_fi_files.FOLDER
    if root.exists():
        shutil.rmtree(root)
    sequences = [
        Sequence(scene, SUBJECTS_PER_SCENE * scene - which, action)
        for scene in range(1, mm_fi_files.SCENES + 1)
        for which in range(subjects)
        for action in range(1, actions + 1)
    ]
    progress = Progress("mm_fi_sample", len(sequences))
    for done, one in enumerate(sequences, start=1):
        try:
            _record(root / str(one), one, seed, frames)
        except OSError as error:
            raise UserError(
                f"cannot write {root / str(one)}: {error.strerror or error}. Free some space."
            ) from error
        progress.update(done)
    return "generated here: a jointed figure and models of the sensors"


def _record(folder: Path, one: Sequence, seed: int, frames: int) -> None:
    """Write all files of a sequence."""
    scene = SCENES[one.scene - 1]
    rng = np.random.default_rng([seed, one.subject, one.action])
    seconds = LENGTH * np.arange(frames) / frames

    def joints(at: NDArray) -> NDArray:
        subject = np.random.default_rng([seed, one.subject])  # is the same in every action
        return mm_fi_sensors.place(mm_fi_motion.perform(one.action - 1, at, subject), scene)

    poses = joints(seconds)
    velocities = (joints(seconds + EPSILON) - joints(seconds - EPSILON)) / (2 * EPSILON)
    surfaces = mm_fi_sensors.cover(poses, rng)
    for modality in mm_fi_files.MODALITIES:
        (folder / modality).mkdir(parents=True, exist_ok=True)
    np.save(folder / mm_fi_files.GROUND_TRUTH, poses, allow_pickle=False)
    for frame, parts in enumerate(zip(poses, velocities, surfaces, strict=True), start=1):
        for modality, content in _files(Figure(*parts), scene, rng).items():
            name = mm_fi_files.frame_name(modality, frame)
            (folder / modality / name).write_bytes(content)


def _files(
    figure: Figure, scene: mm_fi_sensors.Scene, rng: np.random.Generator
) -> dict[str, bytes]:
    """The content of each modality's file of a frame."""
    cameras = {
        camera: _npy(mm_fi_sensors.key_points(figure.joints, scene, camera, rng))
        for camera in mm_fi_files.KEY_POINTS
    }
    return {
        **cameras,
        "depth": _png(mm_fi_sensors.depth_image(figure.surface, scene)),
        "lidar": mm_fi_sensors.lidar_points(figure.surface, scene, rng).astype("<f8").tobytes(),
        "mmwave": mm_fi_sensors.mmwave_points(figure, rng).astype("<f8").tobytes(),
        "wifi-csi": _mat(*mm_fi_sensors.csi(figure, scene, rng)),
    }


def _npy(array: NDArray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _png(image: NDArray[np.uint16]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def _mat(amplitude: NDArray, phase: NDArray) -> bytes:
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, {"CSIamp": amplitude, "CSIphase": phase})
    content = buffer.getvalue()
    return MAT_HEADER + content[len(MAT_HEADER) :]  # scipy's has the time in it
