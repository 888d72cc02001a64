"""MM-Fi as it lies on disk: a file per frame and modality, and one of poses per sequence.

    E01/S01/A01/rgb/frame001.npy ... frame297.npy      E01 to E04, each with ten of S01 to S40
    E01/S01/A01/ground_truth.npy                       [297, 17, 3], metres
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ibpapers.errors import UserError

FOLDER = "frames"  # of a fetched source
SCENES, SUBJECTS, ACTIONS, FRAMES, JOINTS = 4, 40, 27, 297, 17
SUBJECTS_PER_SCENE = SUBJECTS // SCENES

KEY_POINTS = ("rgb", "infra1", "infra2")
POINTS = {"lidar": 3, "mmwave": 5}  # x, y, z in metres; mmWave: and Doppler, intensity
SUFFIXES = {
    **dict.fromkeys(KEY_POINTS, ".npy"),
    "depth": ".png",
    **dict.fromkeys(POINTS, ".bin"),
    "wifi-csi": ".mat",
}
MODALITIES = tuple(SUFFIXES)
DEPTH = (480, 640)
CSI = (3, 114, 10)  # antennas, subcarriers, packets
GROUND_TRUTH = "ground_truth.npy"
ADVICE = "Take it from where the dataset came from once more."


@dataclass(frozen=True, order=True)
class Sequence:
    """A subject that performs an action in a scene; numbers as in the names, from 1."""

    scene: int
    subject: int
    action: int

    def __str__(self) -> str:
        return f"E{self.scene:02}/S{self.subject:02}/A{self.action:02}"


def scene_of(subject: int) -> int:
    """The scene, 1 to 4, in which `subject`, 1 to 40, was recorded."""
    return (subject - 1) // SUBJECTS_PER_SCENE + 1


def frame_name(modality: str, frame: int) -> str:
    """Of the file of `frame`, counted from 1."""
    return f"frame{frame:03}{SUFFIXES[modality]}"


def sequences(root: Path) -> list[Sequence]:
    """The sequences below `root`, in order.

    Raises:
        UserError: there is none.
    """
    name = re.compile(r"E(\d\d)/S(\d\d)/A(\d\d)", re.ASCII)
    folders = (path.relative_to(root).as_posix() for path in root.glob("E??/S??/A??"))
    found = sorted(Sequence(*map(int, m.groups())) for f in folders if (m := name.fullmatch(f)))
    for one in found:
        if not (1 <= one.action <= ACTIONS and 1 <= one.subject <= SUBJECTS):
            raise UserError(f"{root / str(one)}: MM-Fi has subjects S01 to S40, actions A01 to A27")
        if one.scene != scene_of(one.subject):
            raise UserError(f"{root / str(one)}: MM-Fi has S{one.subject:02} in another scene")
    if not found:
        raise UserError(f"{root} has no folder such as E01/S01/A01: it is no copy of MM-Fi")
    return found


def missing(root: Path) -> list[str]:
    """What the whole of MM-Fi has and `root` has not: folders of sequences or modalities, poses."""
    whole = (
        Sequence(scene_of(subject), subject, action)
        for subject in range(1, SUBJECTS + 1)
        for action in range(1, ACTIONS + 1)
    )
    return [lacking for one in whole for lacking in _missing(root, one)]


def _missing(root: Path, one: Sequence) -> Iterator[str]:
    folder = root / str(one)
    if not folder.is_dir():
        yield str(one)
        return
    for name in (*MODALITIES, GROUND_TRUTH):
        if not (folder / name).exists():
            yield f"{one}/{name}"


def read_poses(folder: Path) -> NDArray[np.float32]:
    """The poses of the sequence in `folder`, [frames, 17, 3], metres.

    Raises:
        UserError: the file is missing or corrupt; the message names it. So for all readers here.
    """
    path = folder / GROUND_TRUTH
    poses = _read_npy(path)
    if poses.ndim != 3 or poses.shape[1:] != (JOINTS, 3) or not len(poses):
        raise _corrupt(path, f"holds {list(poses.shape)}, not [frames, {JOINTS}, 3]")
    return _finite(path, poses)


def read_frame(folder: Path, modality: str, frame: int) -> NDArray:
    """One `frame`, counted from 1, of the sequence in `folder`.

    Key points float32 [17, 2], pixels; depth uint16 [480, 640], millimetres; lidar float32
    [N, 3] and mmwave float32 [N, 5], metres; wifi-csi float64 [3, 114, 10], amplitudes as they
    are, with infinite ones and NaN.
    """
    path = folder / modality / frame_name(modality, frame)
    if modality in KEY_POINTS:
        points = _read_npy(path)
        if points.shape != (JOINTS, 2):
            raise _corrupt(path, f"holds {list(points.shape)}, not [{JOINTS}, 2]")
        return _finite(path, points)
    if modality == "depth":
        return _read_depth(path)
    if modality in POINTS:
        return _read_points(path, POINTS[modality])
    return _read_csi(path)


def _read_npy(path: Path) -> NDArray:
    try:
        return np.load(io.BytesIO(_content(path)), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise _corrupt(path, f"is no npy file ({error})") from error


def _read_depth(path: Path) -> NDArray[np.uint16]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(_content(path)), formats=["PNG"]) as image:
            if image.size != DEPTH[::-1] or not image.mode.startswith("I"):
                raise _corrupt(path, f"is {image.size} {image.mode}, not 640 x 480 with 16 bit")
            return np.asarray(image).astype(np.uint16)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise _corrupt(path, f"is no whole PNG file ({error})") from error


def _read_points(path: Path, columns: int) -> NDArray[np.float32]:
    content = _content(path)
    if len(content) % (8 * columns):
        raise _corrupt(path, f"has {len(content):,} bytes, no multiple of {columns} float64")
    return _finite(path, np.frombuffer(content, "<f8").reshape(-1, columns))


def _read_csi(path: Path) -> NDArray[np.float64]:
    from scipy.io import loadmat

    content = _content(path)
    try:
        amplitude = loadmat(io.BytesIO(content), variable_names=["CSIamp"])["CSIamp"]
    except KeyError:
        raise _corrupt(path, "has no CSIamp") from None
    except Exception as error:  # scipy's reader lets through whatever a damaged file makes happen
        raise _corrupt(path, f"is no MATLAB 5 file ({error})") from error
    if amplitude.shape != CSI or amplitude.dtype.kind not in "fiu":
        raise _corrupt(path, f"holds CSIamp {list(amplitude.shape)}, not {list(CSI)} numbers")
    return amplitude.astype(np.float64)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}. {ADVICE}") from error


def _finite(path: Path, values: NDArray) -> NDArray[np.float32]:
    if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise _corrupt(path, "holds what is no finite number")
    return values.astype(np.float32)


def _corrupt(path: Path, what: str) -> UserError:
    return UserError(f"{path} {what}. {ADVICE}")
