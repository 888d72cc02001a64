"""Files that are whole or absent: written beside their target, then renamed over it."""

import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ibpapers.errors import UserError

TEMPORARY = re.compile(r"\..+-[0-9a-f]{32}(\.\w+)?")


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a path beside `path`; the file written there becomes `path` when the block succeeds.

    Missing folders are created. If the block raises, `path` stays as it was and nothing is left
    beside it. The yielded path keeps the target's suffix, which some writers go by. Only write in
    the block: any OSError in it is reported as a failure to write.

    Raises:
        UserError: the file cannot be written (disk full, no permission, ...).
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush_to_disk(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}. "
            "Free some space, or choose a folder that can be written to."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove_leftovers(folder: str | Path) -> None:
    """Delete what `atomic_write` has left beside its targets below `folder` when it was killed."""
    for path in Path(folder).rglob(".*"):
        if TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _flush_to_disk(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's content as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def listing_sha256(folder: str | Path) -> str:
    """Return the SHA-256 of the relative paths and sizes of all files below `folder`.

    For what is too large to be read whole each time: a change of content alone is not seen.
    """
    listed = hashlib.sha256()
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders.sort()  # the order in which they are visited
        inside = os.path.relpath(parent, folder)
        for name in sorted(names):
            size = os.stat(os.path.join(parent, name)).st_size
            listed.update(f"{inside}/{name}\t{size}\n".encode())
    return listed.hexdigest()


def write_json(path: str | Path, obj: Any) -> None:
    """Write `obj` as indented JSON with sorted keys: the same object gives the same bytes."""
    text = json.dumps(obj, indent=2, sort_keys=True, ensure_ascii=False)
    with atomic_write(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        UserError: the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {error.strerror or error}. Make it first, or check the path."
        ) from error
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path} is not valid JSON: {error}. Delete it and run the step that makes it again."
        ) from error
