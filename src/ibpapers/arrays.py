"""Arrays in npz files, read without trust: no code, and no more memory than the file is large."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ibpapers.errors import UserError

ADVICE = "Make it again, or take it from where it was made."


class Arrays(dict[str, NDArray]):
    """Arrays by name. One that is not there raises a UserError that names the file."""

    def __init__(self, path: str | Path, arrays: Mapping[str, NDArray]) -> None:
        super().__init__(arrays)
        self._path = path

    def __missing__(self, name: str) -> NDArray:
        raise UserError(f"{self._path} has no array {name!r}; it has {', '.join(self)}. {ADVICE}")


def read(path: str | Path, forms: Mapping[str, str] | None = None) -> Arrays:
    """Read all arrays of a file that `np.savez` has written, by name.

    Args:
        forms: the arrays that have to be there, such as ``{"x": "float32 [N, 3]"}``. A letter
            stands for the same size in all of them.

    Raises:
        UserError: the file is missing or damaged; or an array holds objects, which would be
            unpickled; or it is compressed, or promises more than the file holds; or `forms` are
            not kept.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_unsafe(path, archive)
        with np.load(path, allow_pickle=False) as stored:
            arrays = Arrays(path, stored)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}. Make it first.") from error
    except (zipfile.BadZipFile, EOFError, RuntimeError, ValueError) as error:
        raise UserError(f"{path} is not a whole npz file: {error}. {ADVICE}") from error
    _refuse_other_forms(path, arrays, forms or {})
    return arrays


def _refuse_unsafe(path: str | Path, archive: zipfile.ZipFile) -> None:
    """Judge by the headers, before anything is allocated for what they promise."""
    entries = archive.infolist()
    at_most = Path(path).stat().st_size
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED:
            raise UserError(
                f"{path}: {entry.filename!r} is compressed, so that its size is not known. "
                f"Only arrays as np.savez writes them are allowed. {ADVICE}"
            )
    if sum(entry.file_size for entry in entries) > at_most:
        raise UserError(f"{path}: its arrays are larger than the {at_most:,} bytes of it. {ADVICE}")
    for entry in entries:
        with archive.open(entry) as member:
            shape, _, dtype = _header(member)
            held = entry.file_size - member.tell()
        if dtype.hasobject:
            raise UserError(
                f"{path}: {entry.filename!r} holds Python objects; only numbers and text are "
                f"allowed, since objects can run code when they are read. {ADVICE}"
            )
        if math.prod(shape) * dtype.itemsize != held:
            raise UserError(
                f"{path}: {entry.filename!r} promises {dtype} {list(shape)} but holds {held:,} "
                f"bytes. {ADVICE}"
            )


def _header(member: zipfile.ZipExtFile) -> tuple[tuple[int, ...], bool, np.dtype]:
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    version = npy.read_magic(member)
    if version not in readers:
        raise ValueError(f"npy format {version} is not known")
    return readers[version](member)


def _refuse_other_forms(
    path: str | Path, arrays: Mapping[str, NDArray], forms: Mapping[str, str]
) -> None:
    sizes: dict[str, int] = {}
    for name, form in forms.items():
        array = arrays[name]
        dtype, _, dimensions = form.partition(" ")
        wanted = dimensions.strip("[]").split(", ")
        fits = array.dtype == dtype and len(wanted) == array.ndim
        for size, found in zip(wanted, array.shape, strict=False):
            fits &= found == (sizes.setdefault(size, found) if size.isalpha() else int(size))
        if not fits:
            known = ", ".join(f"{letter} = {size}" for letter, size in sizes.items())
            raise UserError(
                f"{path}: {name!r} is {array.dtype} {list(array.shape)}; expected {form}"
                f"{f' with {known}' if known else ''}. {ADVICE}"
            )
