"""How long a plan takes on a number of GPUs: estimated from measured steps, then simulated.

A training takes its seeds times its updates times the time of one. Steps measured on a GPU are
taken as they are (`benchmarks/step_times.csv`, written by `benchmarks/step_times.py`). From one
that was measured on a CPU only, its floating-point operations and the number of calls it consists
of are taken: on a GPU it needs the longer of the times for either, an estimate.
"""

from __future__ import annotations

import csv
import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ibpapers.errors import UserError
from ibpapers.jobs import Job, Table
from ibpapers.plan import Plan

STEP_TIMES = Path("benchmarks/step_times.csv")

# An H100 computes 67e12 float32 operations a second at best, small layers a fraction of it; PyTorch
# needs about this long for a call, however small.
OPERATIONS_PER_SECOND = 10e12
SECONDS_PER_CALL = 10e-6
# Of a job beside its training: two starts of Snakemake, one of PyTorch, the next look at the queue.
SECONDS_PER_JOB = 60.0
ESTIMATED = f"estimated from operations and calls, not measured on a GPU ({STEP_TIMES})"
UNKNOWN = f"not measured, left out ({STEP_TIMES})"
SUBMITTED = ("dataset", "entropy", "train", "evaluate")


@dataclass(frozen=True)
class Step:
    """One update of a method at a scale, with one seed."""

    gflop: float
    calls: float
    seconds: Mapping[str, float]  # by device: "cpu", or the name of a GPU

    @property
    def gpu_seconds(self) -> tuple[float, str]:
        """On a GPU, and on which; "" where it is estimated."""
        for device, seconds in self.seconds.items():
            if device != "cpu":
                return seconds, device
        computing, calling = self.gflop * 1e9 / OPERATIONS_PER_SECOND, self.calls * SECONDS_PER_CALL
        return max(computing, calling), ""


Steps = Mapping[tuple[str, ...], Step]  # by paper, dataset, method, scale


def read_steps(path: Path = STEP_TIMES) -> Steps:
    """What was measured of steps. Raises UserError where the file is missing."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    steps: dict[tuple[str, ...], Step] = {}
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        key = tuple(row[name] for name in ("paper", "dataset", "method", "scale"))
        before = steps[key].seconds if key in steps else {}
        seconds = {**before, row["device"]: float(row["seconds"])}
        steps[key] = Step(float(row["gflop"]), float(row["calls"]), seconds)
    return steps


@dataclass(frozen=True)
class Task:
    """A job for the simulation; what needs no GPU never waits for a place."""

    seconds: float
    gpus: int
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schedule:
    seconds: float
    busy: float  # the part of the GPUs' time that is in use


def tasks(plan: Plan, table: Table, steps: Steps) -> tuple[dict[str, Task], dict[str, str]]:
    """The jobs of a plan by id, and for every training how the time of its steps is known.

    A training whose steps were not measured anywhere counts as a job without updates.
    """
    made_by = {}
    for of_rule in table.values():
        for job in of_rule.values():
            made_by |= dict.fromkeys((*job.outputs, job.record), job.id)
    found, known = {}, {}
    for rule, of_rule in table.items():
        asked = getattr(plan.params.resources, rule) if rule in SUBMITTED else None
        for job in of_rule.values():
            seconds = SECONDS_PER_JOB if asked else 0.0
            if rule == "train":
                updating, known[job.name] = _training(plan, job, steps)
                seconds += updating
            after = dict.fromkeys(made_by[path] for path in job.inputs if path in made_by)
            found[job.id] = Task(seconds, asked.gpus if asked else 0, tuple(after))
    return found, known


def _training(plan: Plan, job: Job, steps: Steps) -> tuple[float, str]:
    recipe = plan.run(job.name).recipe
    step = steps.get((recipe["paper"], recipe["dataset"], recipe["method"], recipe["scale"]))
    if step is None:
        return 0.0, UNKNOWN
    seconds, device = step.gpu_seconds
    how = f"measured on {device}" if device else ESTIMATED
    return seconds * recipe["training"]["updates"] * len(recipe["seeds"]), how


def simulate(tasks: Mapping[str, Task], gpus: int) -> Schedule:
    """Run `tasks`, given in an order in which they can run, on `gpus` GPUs.

    Of those that are ready, the one with the longest chain behind it comes first.

    Raises:
        UserError: a task needs more GPUs than there are.
    """
    for name, task in tasks.items():
        if task.gpus > gpus:
            raise UserError(f"{name} needs {task.gpus} GPUs at once; there are {gpus}")
    tails, followers = _tails(tasks), _followers(tasks)
    missing = {name: len(task.after) for name, task in tasks.items()}
    ready = [(-tails[name], name) for name in tasks if not missing[name]]
    heapq.heapify(ready)
    running: list[tuple[float, str]] = []
    now, free = 0.0, gpus
    while ready or running:
        waiting = []
        while ready:
            entry = heapq.heappop(ready)
            task = tasks[entry[1]]
            if task.gpus <= free:
                free -= task.gpus
                heapq.heappush(running, (now + task.seconds, entry[1]))
            else:
                waiting.append(entry)
        ready = waiting
        now, name = heapq.heappop(running)
        free += tasks[name].gpus
        for follower in followers[name]:
            missing[follower] -= 1
            if not missing[follower]:
                heapq.heappush(ready, (-tails[follower], follower))
    in_use = sum(task.seconds * task.gpus for task in tasks.values())
    return Schedule(now, in_use / (now * gpus) if now else 0.0)


def critical_path(tasks: Mapping[str, Task]) -> list[str]:
    """The chain of tasks that takes longest, whatever the number of GPUs."""
    tails, followers = _tails(tasks), _followers(tasks)
    path: list[str] = []
    next_ones: Iterable[str] = tasks
    while next_ones := list(next_ones):
        path.append(max(next_ones, key=tails.__getitem__))
        next_ones = followers[path[-1]]
    return path


def _followers(tasks: Mapping[str, Task]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in tasks}
    for name, task in tasks.items():
        for before in task.after:
            found[before].append(name)
    return found


def _tails(tasks: Mapping[str, Task]) -> dict[str, float]:
    """Of each task, the seconds from its start to the end of the longest chain behind it."""
    followers = _followers(tasks)
    tails: dict[str, float] = {}
    for name in reversed(tasks):
        tails[name] = tasks[name].seconds + max((tails[f] for f in followers[name]), default=0.0)
    return tails


def describe(plan: Plan, table: Table, gpus: int) -> str:
    """Some lines for the person at the terminal."""
    every, known = tasks(plan, table, read_steps())
    gpu_hours = sum(task.seconds * task.gpus for task in every.values()) / 3600
    schedule, path = simulate(every, gpus), critical_path(every)
    shortest = sum(every[name].seconds for name in path) / 3600
    chain = " -> ".join(name for name in path if every[name].seconds)
    kinds = Counter(known.values())
    return "\n".join(
        (
            f"GPU time   {gpu_hours:.1f} h",
            f"{f'on {gpus} GPU':<11}{schedule.seconds / 3600:.1f} h, "
            f"{100 * schedule.busy:.0f} % of the time in use",
            f"at least   {shortest:.1f} h, however many there are: {chain}",
            *(f"{number:>4} trainings: steps {how}" for how, number in sorted(kinds.items())),
        )
    )
