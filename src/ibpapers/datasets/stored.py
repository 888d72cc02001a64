"""How a dataset lies in its folder: `arrays.npz`, and `card.json` that says what they are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibpapers import arrays as npz
from ibpapers import files
from ibpapers.datasets import cards
from ibpapers.datasets.cards import CARD
from ibpapers.errors import UserError

ARRAYS = "arrays.npz"


def write(folder: str | Path, arrays: Mapping[str, NDArray], facts: Mapping[str, Any]) -> None:
    """Write `arrays` and then the card: `facts` with the hash and the shapes of the arrays."""
    arrays_file = Path(folder) / ARRAYS
    with files.atomic_write(arrays_file) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)
    described = {
        "file": ARRAYS,
        "sha256": files.sha256(arrays_file),
        "shapes": {name: list(array.shape) for name, array in arrays.items()},
    }
    files.write_json(Path(folder) / CARD, {**facts, "arrays": described})


def read(folder: str | Path) -> tuple[dict[str, NDArray], dict[str, Any]]:
    """Return the arrays and the card that `write` left in `folder`.

    Raises:
        UserError: a file is missing or damaged, or the arrays are not those of the card.
    """
    arrays_file, described = Path(folder) / ARRAYS, cards.of_dataset(folder)
    expected = described["arrays"]["sha256"]
    if not arrays_file.exists() or files.sha256(arrays_file) != expected:
        raise UserError(
            f"{arrays_file} is missing or is not the file of its card (sha256 should be "
            f"{expected}). Build the dataset again."
        )
    return npz.read(arrays_file), described


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
