"""MNIST in its original form: gzipped IDX files, read strictly."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ibpapers import files
from ibpapers.errors import UserError

FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
SIDE = 28
LARGEST_FILE = 16 + 60_000 * SIDE * SIDE  # bytes, unpacked: the training images
MOST_DIMENSIONS = 3
ADVICE = "Delete the file and fetch it again."


def read_split(folder: str | Path, split: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read one split (`train` or `test`) of MNIST.

    Returns:
        images [N, 28, 28] and digits [N], both uint8.

    Raises:
        UserError: a file is missing, empty, damaged or of another format, or the two disagree
            on N.
    """
    images_file, labels_file = (Path(folder) / name for name in FILES[split])
    images, digits = read_idx(images_file), read_idx(labels_file)
    if images.shape[1:] != (SIDE, SIDE):
        raise UserError(
            f"{images_file} holds arrays of shape {images.shape}, not [N, 28, 28]. {ADVICE}"
        )
    if digits.shape != (len(images),):
        raise UserError(
            f"{labels_file} has shape {digits.shape} but there are {len(images)} images. {ADVICE}"
        )
    if digits.size and digits.max() > 9:
        raise UserError(f"{labels_file} holds {digits.max()}; digits go from 0 to 9. {ADVICE}")
    return images, digits


def read_idx(path: str | Path) -> NDArray[np.uint8]:
    """Read a gzipped IDX file of unsigned bytes into an array of the header's shape.

    Memory is bounded by the size of MNIST's largest file, whatever the header says.

    Raises:
        UserError: the file is missing, is not whole gzip, is not IDX of unsigned bytes, or its
            length differs from its header's.
    """
    try:
        with gzip.open(path) as file:
            data = file.read(LARGEST_FILE + 1)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise UserError(f"{path} is not a whole gzip file: {error}. {ADVICE}") from error
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {error.strerror or error}. Fetch it first."
        ) from error
    if len(data) > LARGEST_FILE:
        raise UserError(
            f"{path} unpacks to more than {LARGEST_FILE:,} bytes, MNIST's largest file. {ADVICE}"
        )
    if len(data) < 4 or data[:3] != b"\0\0\x08":
        raise UserError(
            f"{path} does not begin with the magic number of IDX bytes (00 00 08). {ADVICE}"
        )
    dimensions = data[3]
    if dimensions > MOST_DIMENSIONS:
        raise UserError(
            f"{path} promises {dimensions} dimensions; at most {MOST_DIMENSIONS} are allowed. "
            f"{ADVICE}"
        )
    header_length = 4 + 4 * dimensions
    if len(data) < header_length:
        raise UserError(f"{path} ends within its header of {header_length} bytes. {ADVICE}")
    shape = struct.unpack(f">{dimensions}I", data[4:header_length])
    promised = math.prod(shape)
    if not promised:
        raise UserError(f"{path} is empty: its header promises the shape {shape}. {ADVICE}")
    if len(data) - header_length != promised:
        raise UserError(
            f"{path} holds {len(data) - header_length:,} bytes after its header, which promises "
            f"{promised:,} (shape {shape}). {ADVICE}"
        )
    return np.frombuffer(data, np.uint8, offset=header_length).reshape(shape)


def write_idx(path: str | Path, array: NDArray[np.uint8]) -> None:
    """Write unsigned bytes of any shape as gzipped IDX; the same array gives the same bytes."""
    header = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    with files.atomic_write(path) as temporary:
        temporary.write_bytes(gzip.compress(header + array.tobytes(), mtime=0))
