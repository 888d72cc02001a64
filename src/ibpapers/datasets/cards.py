"""card.json: what a source or a dataset is, where it comes from, and the hashes of its files."""

from pathlib import Path, PurePosixPath
from typing import Any

from ibpapers import files
from ibpapers.errors import UserError

CARD = "card.json"
ADVICE = "Delete it and run the step that makes it again."


def of_source(folder: str | Path) -> dict[str, Any]:
    """Return the card that `fetch` wrote: name, tier, licence, and of each file its hashes.

    Raises:
        UserError: it is missing or is no such card.
    """
    path = Path(folder) / CARD
    card = files.read_json(path)
    _require(path, card, "", {"name": str, "tier": str, "licence": str, "files": dict})
    for name, described in card["files"].items():
        if PurePosixPath(name).name != name:
            raise UserError(f"{path} names the file {name!r}, which is not in its folder. {ADVICE}")
        _require(path, described, name, {"sha256": str, "content": str})
    return card


def of_dataset(folder: str | Path) -> dict[str, Any]:
    """Return the card that a builder wrote; `card["arrays"]["sha256"]` is of its arrays.

    Raises:
        UserError: it is missing or is no such card.
    """
    path = Path(folder) / CARD
    card = files.read_json(path)
    _require(path, card, "", {"tier": str, "arrays": dict})
    _require(path, card["arrays"], "arrays", {"sha256": str})
    return card


def _require(path: Path, content: object, where: str, keys: dict[str, type]) -> None:
    for key, kind in keys.items():
        if not isinstance(content, dict) or not isinstance(content.get(key), kind):
            name = f"{where}.{key}" if where else key
            raise UserError(
                f"{path} is no card: {name!r} is missing or is no {_NAMES[kind]}. {ADVICE}"
            )


_NAMES = {str: "text", dict: "mapping"}
