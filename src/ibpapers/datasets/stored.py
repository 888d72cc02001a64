"""How a dataset lies in its folder: `arrays.npz`, and `card.json` that says what they are.

What is too large for memory lies beside them in shards, `<name>.npy`: one array each, written piece
by piece and read through a memory map.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from ibpapers import arrays as npz
from ibpapers import files
from ibpapers.datasets import cards
from ibpapers.datasets.cards import CARD
from ibpapers.errors import UserError

ARRAYS = "arrays.npz"

RESIDENT = 2**27  # bytes of one shard that reading may leave in memory
FAULT = 2**21  # bytes that a kernel may map for one that is touched


def write(
    folder: str | Path,
    arrays: Mapping[str, NDArray],
    facts: Mapping[str, Any],
    shards: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Write `arrays` and then the card: `facts` with the hash and the shapes of the arrays.

    `shards` are what `write_shard` has returned, by name. Their hashes are also an array, so that
    the hash of the arrays is one of everything.
    """
    arrays_file = Path(folder) / ARRAYS
    if shards:
        arrays = {**arrays, "shard_sha256": np.array([one["sha256"] for one in shards.values()])}
        facts = {**facts, "shards": shards}
    with files.atomic_write(arrays_file) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)
    described = {
        "file": ARRAYS,
        "sha256": files.sha256(arrays_file),
        "shapes": {name: list(array.shape) for name, array in arrays.items()},
    }
    files.write_json(Path(folder) / CARD, {**facts, "arrays": described})


def write_shard(
    folder: str | Path,
    name: str,
    shape: Sequence[int],
    dtype: DTypeLike,
    pieces: Iterable[NDArray],
) -> dict[str, Any]:
    """Write `<name>.npy`, an array of `shape` whose rows come in `pieces`; return what it is.

    Only one piece is held at a time.
    """
    path, rows = Path(folder) / f"{name}.npy", 0
    header = {"descr": npy.dtype_to_descr(np.dtype(dtype)), "fortran_order": False}
    with files.atomic_write(path) as temporary, open(temporary, "wb") as file:
        npy.write_array_header_1_0(file, {**header, "shape": tuple(shape)})
        for piece in pieces:
            file.write(np.ascontiguousarray(piece, dtype).data)
            rows += len(piece)
        if rows != shape[0]:
            raise ValueError(f"{name}: {rows} rows for an array of {shape[0]}")
        file.flush()
    return {"sha256": files.sha256(path), "shape": list(shape), "dtype": np.dtype(dtype).name}


def read(folder: str | Path) -> tuple[dict[str, NDArray], dict[str, Any]]:
    """Return the arrays and the card that `write` left in `folder`.

    Raises:
        UserError: a file is missing or damaged, or the arrays are not those of the card.
    """
    described = cards.of_dataset(folder)
    arrays_file = _verified(Path(folder) / ARRAYS, described["arrays"])
    return npz.read(arrays_file), described


def read_shard(folder: str | Path, card: Mapping[str, Any], name: str) -> "Rows":
    """Open the shard `name`, which has to be the one of the `card`.

    Raises:
        UserError: it is missing or damaged, or no shard of the card.
    """
    described = card.get("shards", {}).get(name)
    if not isinstance(described, dict) or "sha256" not in described:
        raise UserError(f"{Path(folder) / CARD} has no shard {name!r}. Build the dataset again.")
    return Rows(_verified(Path(folder) / f"{name}.npy", described))


class Rows:
    """The rows of a shard, read through a memory map.

    Pages that were read stay in memory as long as they are mapped, to the size of the whole file
    in the end. So the file is mapped anew before they can be more than `resident` bytes.
    """

    def __init__(self, path: Path, resident: int = RESIDENT):
        self._path = path
        self._map()
        # A row may begin in one of the kernel's pieces and end in the next.
        each = self.dtype.itemsize * math.prod(self.shape) + 2 * FAULT
        self._fits = self._rows.nbytes <= resident
        self._most = max(1, resident // each)  # rows to be read from one map

    def _map(self) -> None:
        try:
            self._rows = np.load(self._path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise UserError(
                f"{self._path} cannot be read: {error}. Build the dataset again."
            ) from error

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row."""
        return self._rows.shape[1:]

    @property
    def dtype(self) -> np.dtype:
        return self._rows.dtype

    def take(self, index: NDArray[np.int64]) -> NDArray:
        """Rows `index` [...], copied, [..., *shape]."""
        if self._fits:
            return np.asarray(self._rows[index])
        flat = index.reshape(-1)
        taken = np.empty((len(flat), *self.shape), self.dtype)
        for start in range(0, len(flat), self._most):
            piece = slice(start, start + self._most)
            self._map()
            taken[piece] = self._rows[flat[piece]]
        return taken.reshape(*index.shape, *self.shape)


def _verified(path: Path, described: Mapping[str, Any]) -> Path:
    expected = described["sha256"]
    if not path.exists() or files.sha256(path) != expected:
        raise UserError(
            f"{path} is missing or is not the file of its card (sha256 should be "
            f"{expected}). Build the dataset again."
        )
    return path


def of_sources(cards: list[dict[str, Any]]) -> dict[str, Any]:
    """What a card says of the sources that a dataset was built from, by their own cards."""
    return {
        card["name"]: {
            "tier": card["tier"],
            "licence": card["licence"],
            "files": {name: file["content"] for name, file in card["files"].items()},
        }
        for card in cards
    }
