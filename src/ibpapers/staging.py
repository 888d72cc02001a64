"""What a plan needs from the network, listed before a machine without one has to do without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ibpapers.datasets import sources
from ibpapers.plan import Plan


def lines(plan: Plan) -> Iterator[str]:
    """A line for every file of the plan's sources: where it comes from and where it lies."""
    for name in plan.sources():
        source, folder = sources.find(name), plan.source_folder(name)
        yield f"{name}  ({source.licence})"
        for file in source.files:
            origin = _origin(source, file, plan.params.mirror)
            yield f"    {file.name}: {origin}; {_place(file, folder / file.name)}"


def _place(file: sources.SourceFile, path: Path) -> str:
    if not path.exists():
        return "missing"
    if file.is_folder:  # linked, as it may be far too large to copy
        return f"used where it lies, {path.resolve()}"
    return f"{path.stat().st_size:,} bytes at {path}"


def _origin(source: sources.Source, file: sources.SourceFile, mirror: str | None) -> str:
    if source.is_generated:
        return "made here"
    if mirror:
        return "from the mirror"
    return file.urls[0] if file.urls else "has no public address: to be brought, on a mirror"
