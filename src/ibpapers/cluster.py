"""Jobs on a cluster under Slurm: what they ask for, what has to be there, what is left behind.

Needs nothing but Python: `python -m ibpapers cluster` is asked before there is an environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ibpapers.errors import UserError

if TYPE_CHECKING:
    from ibpapers.inputs import Inputs
    from ibpapers.plan import Plan

PROGRAMS = ("sbatch", "srun", "squeue", "scancel", "scontrol", "which")
JOB_NAMES = "ibpapers_"  # slurm-jobname-prefix of profiles/slurm
WARNING = 120  # seconds before the end of a training's time; Slurm may be 60 s early
PATIENCE = 300.0  # seconds for a cancelled job to be gone


def check() -> None:
    """Whether jobs can be submitted from here.

    Raises:
        UserError: Slurm's commands are missing, or it does not answer.
    """
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise UserError(
            f"CLUSTER=slurm: {', '.join(missing)} not found. Run it where jobs are submitted, such "
            "as a login node of a cluster under Slurm, or leave CLUSTER out to compute here."
        )
    if " is UP" not in _said("scontrol", "ping"):
        raise UserError(
            "CLUSTER=slurm: `scontrol ping` finds no controller. Ask the cluster's administrators, "
            "or try again later; what is finished is kept."
        )


def resources(plan: Plan, rule: str) -> Mapping[str, object]:
    """What a job of `rule` asks for, in Snakemake's names.

    What has failed gets twice, then three times the memory; and the time, but for a training,
    which goes on from its checkpoint.
    """
    asked = getattr(plan.params.resources, rule)
    found = {
        "mem_mb": lambda wildcards, attempt: asked.memory_mb * attempt,
        "runtime": lambda wildcards, attempt: asked.minutes * attempt,
        "gpu": asked.gpus,
    }
    if rule == "train":
        found |= {"runtime": asked.minutes, "slurm_extra": f"--signal=USR1@{WARNING}"}
    return found


def cancel_leftovers() -> int:
    """Cancel the jobs that a killed run has left behind in this folder; how many there were.

    Returns when they are gone: a training has saved its checkpoint then.

    Raises:
        UserError: one does not end.
    """
    found = _jobs_of_this_folder()
    if found:
        subprocess.run(["scancel", *found], check=False)
    end = time.monotonic() + PATIENCE
    while left := _jobs_of_this_folder():
        if time.monotonic() > end:
            raise UserError(f"Slurm's jobs {', '.join(left)} were cancelled and do not end")
        time.sleep(1)
    return len(found)


@contextmanager
def near(inputs: Inputs) -> Iterator[Inputs]:
    """`inputs` during the block, with the dataset on the node's own disk where a job has one.

    That is $TMPDIR of a job of Slurm: a dataset that is read through memory maps, batch by batch,
    would keep a shared file system busy. Where there is no room for it, it is read where it is.
    """
    scratch = os.environ.get("TMPDIR", "")
    if "SLURM_JOB_ID" not in os.environ or not os.path.isdir(scratch):
        yield inputs
        return
    with tempfile.TemporaryDirectory(dir=scratch, prefix=JOB_NAMES) as folder:
        copy = Path(folder, inputs.dataset.name)
        try:
            shutil.copytree(inputs.dataset, copy)
        except (OSError, shutil.Error) as error:
            print(f"read from the shared file system: {scratch}: {error}", file=sys.stderr)
            shutil.rmtree(copy, ignore_errors=True)
            copy = inputs.dataset
        yield replace(inputs, dataset=copy)


def requeue() -> None:
    """Have Slurm queue the job around this process again, where somebody else wants its place.

    That is so where Slurm has asked it to stop and still calls it running: it is preempted, or
    its time is nearly up. A job that is cancelled is not called running any more.
    """
    if number := os.environ.get("SLURM_JOB_ID"):
        said = _said("squeue", "--noheader", f"--jobs={number}", "--format=%T|%j")
        if said.startswith(f"RUNNING|{JOB_NAMES}"):
            print(f"asking Slurm to queue job {number} again", file=sys.stderr, flush=True)
            subprocess.run(["scontrol", "requeue", number], check=False)


def _jobs_of_this_folder() -> list[str]:
    lines = _said("squeue", "--me", "--noheader", "--format=%A|%j|%Z").splitlines()
    jobs = [line.split("|", 2) for line in lines]
    here = os.getcwd()
    return [number for number, name, where in jobs if name.startswith(JOB_NAMES) and where == here]


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
