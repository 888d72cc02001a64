"""What has to be in order in this folder before Snakemake starts on its jobs, and how it stops."""

from __future__ import annotations

import signal
import sys
import threading
import time
from contextlib import suppress
from itertools import chain
from pathlib import Path
from types import FrameType

import psutil

from ibpapers import cluster, files, locking
from ibpapers.errors import UserError
from ibpapers.jobs import Table
from ibpapers.plan import RESULTS, Plan
from ibpapers.provenance import bookkeeping, integrity
from ibpapers.tracking import marker

LOCK = Path(".snakemake/ibpapers/workflow.lock")
PATIENCE = 5.0  # seconds, for somebody who only looks what is due

_until_the_end: list[object] = []
_is_stopping = threading.Event()


def prepare(plan: Plan, jobs: Table, alone: bool) -> None:
    """Remove what must not be taken for done; with `alone`, make sure that nobody else works here.

    Without `alone` (nothing will be made) nothing is touched while somebody is at work.

    Raises:
        UserError: another process is at work here.
    """
    try:
        lock = locking.hold(LOCK, "results/ is being worked on", PATIENCE if alone else 0)
    except UserError:
        if alone:
            raise
        return
    if alone:
        _until_the_end.append(lock)
        _clear_stale_locks()
        files.remove_leftovers(RESULTS)
    every = list(chain.from_iterable(of_rule.values() for of_rule in jobs.values()))
    for path in integrity.remove_damaged(every):
        print(f"ibpapers: {path} was damaged and is made again", file=sys.stderr)
    # Runs that an unreachable tracking server has missed are sent again.
    for paper in jobs["track"]:
        if marker.is_incomplete(plan, paper):
            marker.path(plan, paper).unlink()
    bookkeeping.put_right(every)
    if not alone:
        lock.release()


def _clear_stale_locks() -> None:
    """Whoever left Snakemake's own locks is dead: alive, it would hold `LOCK`."""
    for path in Path(".snakemake/locks").glob("*.lock"):
        path.unlink(missing_ok=True)


def stop_when_asked() -> None:
    """From now on SIGINT (Ctrl-C) and SIGTERM end the run within seconds.

    Its jobs are asked to end, which for a training is at its next update, with a checkpoint; by
    itself Snakemake waits for them.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)


def take_over_cluster() -> None:
    """Be the only one with jobs on a cluster for this folder; where there is none, end the run."""
    try:
        cluster.check()
        if left := cluster.cancel_leftovers():
            print(f"ibpapers: cancelled {left} jobs of a run that was killed", file=sys.stderr)
    except UserError as error:
        sys.exit(f"ibpapers: error: {error}")


def is_stopping() -> bool:
    """Whether somebody has asked this run to stop."""
    return _is_stopping.is_set()


def say_how_to_go_on() -> None:
    if is_stopping():
        print(
            f"ibpapers: stopped. What is finished, and the checkpoints of trainings, are kept in "
            f"{RESULTS}/; the same command goes on from there.",
            file=sys.stderr,
        )


def _stop(number: int, frame: FrameType | None) -> None:
    if not is_stopping():
        _is_stopping.set()
        threading.Thread(target=_end_jobs, daemon=True).start()
    raise KeyboardInterrupt


def _end_jobs() -> None:
    """Terminate the commands of jobs, each once; one may just be starting."""
    asked: set[psutil.Process] = set()
    while True:
        for process in set(psutil.Process().children(recursive=True)) - asked:
            with suppress(psutil.NoSuchProcess):
                # Not the shell around a command, which waits for it, nor what cancels jobs.
                if not process.children() and process.name() not in cluster.PROGRAMS:
                    process.terminate()
                    asked.add(process)
        time.sleep(0.1)
