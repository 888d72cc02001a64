"""Killed at any moment, the same command goes on, and ends in the bytes of an undisturbed run."""

import os
import random
import shutil
import signal
import sys
import time
from contextlib import ExitStack, suppress

import psutil
import pytest

pytestmark = pytest.mark.slow

KILLS = 30
MAKE = sys.executable, "-m", "snakemake", "--logger", "ibpapers"


def kill_a_training(started):
    """After one of its checkpoints; the others go on, and Snakemake sees it fail."""
    before = _checkpoints(started)
    victims = []

    def find():
        now, trainings = _checkpoints(started), started.trainings()
        written = [path.parent.name for path in now if now[path] != before.get(path)]
        victims.extend(trainings[run] for run in written if run in trainings)
        return victims

    if started.wait_until(find):
        with suppress(psutil.NoSuchProcess):
            victims[0].kill()
    started.process.wait()


def kill_snakemake(started):
    """Its jobs go on, and meet those of the next run."""
    started.process.kill()
    started.process.wait()


def kill_all(started):
    with suppress(ProcessLookupError):
        os.killpg(started.process.pid, signal.SIGKILL)
    started.process.wait()


def _checkpoints(started):
    """Those there are, and when they were written."""
    results = started.file.parent / "results"
    found = {}
    for path in results.glob("sample-smoke/runs/**/checkpoint-*.safetensors"):
        with suppress(FileNotFoundError):
            found[path] = path.stat().st_mtime_ns
    return found


def forget(checkout, chance):
    """So that there is something to interrupt again."""
    results = checkout.folder / "results"
    if chance.random() < 0.15:
        shutil.rmtree(results)
        shutil.rmtree(checkout.folder / ".snakemake")
    else:
        shutil.rmtree(results / "sample-smoke" / chance.choice(["", "runs", "evaluations"]))


def test_killed_anywhere_ends_in_the_undisturbed_bytes(finished, copy):
    undisturbed = finished.artifacts()
    chance = random.Random(3)
    forget(copy, chance)
    with ExitStack() as orphans:
        for number in range(KILLS):
            started = orphans.enter_context(copy.started(*MAKE))
            moment = time.monotonic() + chance.uniform(0.0, finished.seconds / 16)
            started.wait_until(lambda moment=moment: time.monotonic() > moment)
            kill = (kill_a_training, kill_snakemake, kill_all)[number % 3]
            kill(started)
            if started.process.returncode == 0:  # it was over before the kill
                assert copy.artifacts() == undisturbed, f"after {number} kills"
                forget(copy, chance)
        copy.done(*MAKE)
        assert copy.artifacts() == undisturbed
    assert copy.due() == []


def test_only_whole_files_are_taken_for_results(copy):
    """What a kill leaves on its way to a result is neither read nor kept."""
    half = copy.folder / f"results/sample-smoke/.paper-{'0' * 32}.pdf"
    half.write_bytes(b"half a paper")
    copy.done(*MAKE)
    assert not half.exists()
