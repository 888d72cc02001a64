"""A Slurm to submit to, and copies of the project that do."""

import importlib.util
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cluster.slurm import PATIENCE, Slurm, said, wait_for, why_not
from workflow.conftest import Checkout

PLUGIN = importlib.util.find_spec("snakemake_executor_plugin_slurm")
# What watches and spoils jobs; and the plugin, wherever it is installed.
INJECTED = (
    str(Path(__file__).parent / "injected"),
    *([str(Path(PLUGIN.origin).parents[1])] if PLUGIN else []),
)
STATES = "JobID,Comment,State,Start,End,AllocTRES"


@dataclass(frozen=True)
class Submitter(Checkout):
    """A copy of the project whose jobs go to Slurm, and are watched (see `injected`)."""

    @property
    def watched(self) -> Path:
        return self.folder / ".watched"

    def environment(self, **settings: str) -> dict[str, str]:
        found = super().environment(**settings)
        return {
            **found,
            "PYTHONPATH": os.pathsep.join((found["PYTHONPATH"], *INJECTED)),
            "IBPAPERS_WATCHED": str(self.watched),
            "SNAKEMAKE_PROFILE": "profiles/slurm",
        }

    def provide_environment(self) -> None:
        """A `.venv` for `make`, which drops PYTHONPATH and what is injected by it."""
        super().provide_environment()
        self.done("make", "--touch", ".venv/installed-slurm")
        path = ":".join(("$PYTHONPATH", *INJECTED))
        python = self.folder / ".venv/bin/python"
        python.write_text(f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" "$@"\n')

    def spoil(self, job: str, fault: str, output: str) -> None:
        """Have `job`, once, leave half of `output` and then fail by `fault`."""
        self.watched.mkdir(exist_ok=True)
        (self.watched / f"{_file(job)}.fault").write_text(f"{fault} {output}")

    def let_go(self) -> None:
        """Have a job go on whose fault is to be held."""
        (self.watched / "go").touch()

    def is_at(self, job: str) -> bool:
        """Whether `job` has begun."""
        return (self.watched / f"{_file(job)}.seen").exists()

    def seen(self, job: str) -> dict[str, str]:
        """What the command of `job` was given by Slurm and Snakemake."""
        return json.loads((self.watched / f"{_file(job)}.seen").read_text())


def _file(job: str) -> str:
    return job.replace("/", "_")


@dataclass(frozen=True)
class SlurmJob:
    """A job as accounting remembers it; `name` is Snakemake's rule and wildcards."""

    number: str
    name: str
    state: str
    start: str
    end: str
    gpus: int

    @classmethod
    def read(cls, line: str) -> "SlurmJob":
        number, comment, state, start, end, allocated = line.split("|")
        gpus = re.search(r"gres/gpu=(\d+)", allocated)
        name = comment.removeprefix("rule_").replace("_wildcards_", " ")
        return cls(number, name, state.split()[0], start, end, int(gpus[1]) if gpus else 0)


def accounts(checkout: Checkout) -> list[SlurmJob]:
    """All jobs that `checkout` has submitted, in order, as of when accounting knows of them.

    The controller tells accounting of a job a moment after it shows it in the queue.
    """
    assert wait_for(lambda: _queue(checkout) <= _states(_accounted(checkout)), PATIENCE)
    return _accounted(checkout)


def _accounted(checkout: Checkout) -> list[SlurmJob]:
    lines = said("sacct", "-X", "-n", "-P", f"--format={STATES},WorkDir").splitlines()
    split = [line.rsplit("|", 1) for line in lines]
    return [SlurmJob.read(line) for line, where in split if where == str(checkout.folder)]


def _states(jobs: list[SlurmJob]) -> set[tuple[str, ...]]:
    return {(job.number, job.state) for job in jobs}


def _queue(checkout: Checkout) -> set[tuple[str, ...]]:
    """Number and state of the jobs of `checkout` that the controller remembers."""
    lines = said("squeue", "--noheader", "--states=all", "--format=%A|%T|%Z").splitlines()
    split = [line.split("|") for line in lines]
    return {(number, state) for number, state, where in split if where == str(checkout.folder)}


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    reason = why_not()
    if reason is None and PLUGIN is None:
        reason = "snakemake-executor-plugin-slurm is not installed: make .venv/installed-slurm"
    if reason:
        pytest.skip(reason)
    with Slurm().running() as running:
        yield running
