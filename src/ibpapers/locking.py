"""One process at a time: locks that end with the process that holds them, however it ends."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ibpapers.errors import UserError


def hold(path: Path, what: str, patience: float = 0.0) -> FileLock:
    """Take the lock at `path`, for as long as the returned object lives or until its release.

    Waits for it for `patience` seconds.

    Raises:
        UserError: a living process holds it; the message says which.
    """
    lock = _lock(path)
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        raise UserError(f"{what} by {_holder(path)}. Wait for it, or stop it first.") from None
    _sign(path)
    return lock


@contextmanager
def waited_for(path: Path, what: str) -> Iterator[bool]:
    """Hold the lock at `path` during the block, after waiting for it where somebody else has it.

    Yields whether it had to be waited for.
    """
    lock, waited = _lock(path), False
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waited = True
        print(f"{what} by {_holder(path)}: waiting for it", file=sys.stderr, flush=True)
        lock.acquire()
    try:
        _sign(path)
        yield waited
    finally:
        lock.release()


def _lock(path: Path) -> FileLock:
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path)


def _sign(path: Path) -> None:
    started = time.strftime("%Y-%m-%d %H:%M:%S")
    facts = {"process": os.getpid(), "machine": os.uname().nodename, "since": started}
    path.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")


def _holder(path: Path) -> str:
    try:
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        return "process {process} on {machine} since {since}".format(**facts)
    except (OSError, ValueError, KeyError):
        return "another process"
