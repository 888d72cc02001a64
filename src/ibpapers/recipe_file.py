"""A run as a file: what `recipe RUN` prints and `train --recipe FILE` takes, on another machine.

Its settings were checked where it was printed; a machine that only trains cannot check them again,
so a checksum says that they are still the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ibpapers.datasets import DATASETS
from ibpapers.errors import UserError
from ibpapers.files import read_json
from ibpapers.papers import PAPERS

LARGEST = 1_000_000  # bytes
KEYS = {"recipe", "code", "dataset", "entropies", "runs"}


def to_text(content: Mapping[str, Any]) -> str:
    """`content`, which has `KEYS`, as JSON with its checksum."""
    return json.dumps({**content, "sha256": _checksum(content)}, indent=2)


def read(path: str | Path) -> dict[str, Any]:
    """What `to_text` was given.

    Raises:
        UserError: the file is missing, is none of `to_text` or was changed since; or this
            installation does not have its paper, method or dataset.
    """
    if Path(path).is_file() and Path(path).stat().st_size > LARGEST:
        raise UserError(f"{path} is larger than the {LARGEST:,} bytes allowed. {_ADVICE}")
    content = read_json(path)
    if not isinstance(content, dict) or set(content) != {*KEYS, "sha256"}:
        raise UserError(f"{path} is not the output of `python -m ibpapers recipe RUN`. {_ADVICE}")
    if content.pop("sha256") != _checksum(content):
        raise UserError(f"{path} has been changed since it was printed. {_ADVICE}")
    _refuse_unknown(path, content["recipe"])
    return content


_ADVICE = "Print it again: python -m ibpapers [--set KEY=VALUE] recipe RUN"


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _refuse_unknown(path: str | Path, recipe: Mapping[str, Any]) -> None:
    paper, method, dataset = (str(recipe.get(key)) for key in ("paper", "method", "dataset"))
    if paper not in PAPERS:
        _refuse(path, "paper", paper, PAPERS)
    methods = Path(__file__).parent / "papers" / paper / "methods"
    known = sorted(file.stem for file in methods.glob("[!_]*.py"))
    if method not in known:
        _refuse(path, "method", method, known)
    if dataset not in DATASETS:
        _refuse(path, "dataset", dataset, DATASETS)


def _refuse(path: str | Path, kind: str, name: str, known: Any) -> None:
    raise UserError(f"{path}: there is no {kind} {name!r} here, only {', '.join(known)}")
