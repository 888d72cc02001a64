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
from cluster.slurm import Slurm, said, why_not
from workflow.conftest import Checkout, copy_project

INJECTED = Path(__file__).parent / "injected"
PLUGIN = "snakemake_executor_plugin_slurm"
STATES = "JobID,Comment,State,Start,End,AllocTRES"


@dataclass(frozen=True)
class Submitter(Checkout):
    """A copy of the project whose jobs go to Slurm, and are watched (see `injected`)."""

    @property
    def watched(self) -> Path:
        return self.folder / ".watched"

    def environment(self, **settings: str) -> dict[str, str]:
        found = super().environment(**settings)
        path = (found["PYTHONPATH"], str(INJECTED), str(plugin_folder()))
        return {
            **found,
            "PYTHONPATH": os.pathsep.join(path),
            "IBPAPERS_WATCHED": str(self.watched),
            "SNAKEMAKE_PROFILE": "profiles/slurm",
        }

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


def plugin_folder() -> Path:
    return Path(importlib.util.find_spec(PLUGIN).origin).parents[1]


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
    """All jobs that `checkout` has submitted, in order."""
    lines = said("sacct", "-X", "-n", "-P", f"--format={STATES},WorkDir").splitlines()
    split = [line.rsplit("|", 1) for line in lines]
    return [SlurmJob.read(line) for line, where in split if where == str(checkout.folder)]


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    reason = why_not()
    if reason is None and importlib.util.find_spec(PLUGIN) is None:
        reason = "snakemake-executor-plugin-slurm is not installed"
    if reason:
        pytest.skip(reason)
    with Slurm().running() as running:
        yield running


def submitter(folder: Path) -> Submitter:
    """A copy of the project with a tiny plan, in which `make` finds an environment."""
    checkout = Submitter(copy_project(folder).folder)
    checkout.settle()
    checkout.provide_environment()
    checkout.done("make", "--touch", ".venv/installed-slurm")
    # make drops PYTHONPATH, and what is injected by it.
    python = checkout.folder / ".venv/bin/python"
    path = os.pathsep.join(map(str, (INJECTED, plugin_folder())))
    python.write_text(
        f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{path}" exec "{sys.executable}" "$@"\n'
    )
    return checkout
