"""Where data come from: `sources.csv` as typed records, one row a file.

A sample is made here, by `generate` of the module of its name. Elsewhere `checksum` pins the
content: `sha256:` of the file or, for an archive whose bytes vary from one forge to the next,
`git-tree:` of the recordings in it. A source without addresses has to be brought by the user, on a
mirror; where there are several files of the kind, there is no checksum, and `what` says which do.
One file of the scheme `listing` is a folder: known by the names and sizes of the files in it, and
used where it lies.
"""

import csv
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from ibpapers import files
from ibpapers.errors import UserError


@dataclass(frozen=True)
class SourceFile:
    """One file of a source; `max_bytes` is None where it is generated.

    `expected` is None where it is generated or is one of those that `what` describes.
    """

    name: str
    max_bytes: int | None
    scheme: str
    expected: str | None
    urls: tuple[str, ...]
    what: str = ""

    @property
    def is_folder(self) -> bool:
        return self.scheme == "listing"

    def content_id(self, path: Path) -> str:
        """Return the identity of the content at `path`, such as `sha256:440f...`.

        Raises:
            UserError: `path` is not an archive that can be read (`git-tree` only).
        """
        if self.is_folder:
            return f"listing:{files.listing_sha256(path)}"
        if self.scheme == "git-tree":
            from ibpapers.datasets import spoken_digits

            return f"git-tree:{spoken_digits.git_tree(path)}"
        return f"sha256:{files.sha256(path)}"


@dataclass(frozen=True)
class Source:
    """A set of files under one licence, real or a sample."""

    name: str
    tier: str
    licence: str
    files: tuple[SourceFile, ...]

    @property
    def is_generated(self) -> bool:
        return self.tier == "sample"


def find(name: str) -> Source:
    """Return the source called `name`.

    Raises:
        UserError: there is no such source.
    """
    if name not in SOURCES:
        raise UserError(f"there is no source {name!r}. Sources: {', '.join(SOURCES)}.")
    return SOURCES[name]


def _read_table() -> dict[str, Source]:
    text = (resources.files(__package__) / "sources.csv").read_text(encoding="utf-8")
    sources: dict[str, Source] = {}
    for row in csv.DictReader(text.splitlines()):
        scheme, _, digest = row["checksum"].partition(":")
        file = SourceFile(
            name=row["file"],
            max_bytes=int(row["max_bytes"]) if row["max_bytes"] else None,
            scheme=scheme,
            expected=row["checksum"] if digest else None,
            urls=tuple(row["urls"].split()),
            what=row["what"],
        )
        earlier = sources[row["name"]].files if row["name"] in sources else ()
        sources[row["name"]] = Source(row["name"], row["tier"], row["licence"], (*earlier, file))
    return sources


SOURCES: dict[str, Source] = _read_table()
