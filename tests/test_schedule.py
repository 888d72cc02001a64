"""The simulated schedule against cases worked out by hand, and the estimate of a training."""

import pytest

from ibpapers import jobs, plan, schedule
from ibpapers.errors import UserError
from ibpapers.schedule import Step, Task, critical_path, simulate

FOUR = {name: Task(10, 1) for name in "abcd"}
# prepare (no GPU), two branches of 10 and 30 + 5, and their end (no GPU)
DIAMOND = {
    "prepare": Task(2, 0),
    "short": Task(10, 1, ("prepare",)),
    "long": Task(30, 1, ("prepare",)),
    "after long": Task(5, 1, ("long",)),
    "end": Task(1, 0, ("short", "after long")),
}
# Three of 2 and one of 3 that leads to another 3: who begins with it is done after 6, not 7.
TAIL = {"a": Task(2, 1), "b": Task(2, 1), "c": Task(2, 1), "d": Task(3, 1), "e": Task(3, 1, ("d",))}


@pytest.mark.parametrize(
    ("tasks", "gpus", "seconds", "busy"),
    [
        (FOUR, 1, 40, 1.0),
        (FOUR, 2, 20, 1.0),
        (FOUR, 3, 20, 40 / 60),
        (FOUR, 64, 10, 4 / 64),
        (DIAMOND, 1, 48, 45 / 48),
        (DIAMOND, 2, 38, 45 / 76),
        (TAIL, 2, 6, 1.0),
        ({"big": Task(4, 2), "small": Task(3, 1)}, 2, 7, 11 / 14),
        ({"free": Task(5, 0), "also": Task(5, 0)}, 1, 5, 0.0),
        ({}, 1, 0, 0.0),
    ],
)
def test_schedule_worked_out_by_hand(tasks, gpus, seconds, busy):
    found = simulate(tasks, gpus)
    assert (found.seconds, found.busy) == (seconds, pytest.approx(busy))


def test_critical_path_is_the_longest_chain():
    assert critical_path(DIAMOND) == ["prepare", "long", "after long", "end"]
    assert critical_path({}) == []


def test_what_needs_more_gpus_than_there_are_is_refused():
    with pytest.raises(UserError, match="big needs 2 GPUs at once; there are 1"):
        simulate({"big": Task(1, 2)}, 1)


def test_step_is_bound_by_arithmetic_or_by_calls_unless_it_was_measured():
    assert Step(100.0, 50, {"cpu": 3.0}).gpu_seconds == (0.01, "")  # 1e11 at 1e13 a second
    assert Step(1.0, 500, {"cpu": 3.0}).gpu_seconds == (0.005, "")  # 500 calls of 10 us
    assert Step(1.0, 500, {"cpu": 3.0, "H100": 0.002}).gpu_seconds == (0.002, "H100")


def test_tasks_are_the_jobs_of_the_plan_and_a_training_takes_its_updates():
    settings = "datasets=[handwritten]", "seeds=[0,1,2]", "training.updates=100"
    asked = plan.read(overrides=["include=[pom2dib]", *(f"papers.pom2dib.{x}" for x in settings)])
    table = jobs.table(asked)
    steps = {
        ("pom2dib", "handwritten", method, "smoke"): Step(1.0, 1000, {"cpu": 1.0})
        for method in ("pom2dib", "pom2dib_stable", "rsdib", "tadib")
    }
    tasks, known = schedule.tasks(asked, table, steps)
    assert set(tasks) == {job.id for of_rule in table.values() for job in of_rule.values()}
    unknown = [run for run, how in known.items() if how == schedule.UNKNOWN]
    assert unknown == ["pom2dib/handwritten/dlsc"] and len(known) == len(table["train"])
    run = "pom2dib/handwritten/tadib_beta=0.001"
    training, evaluation = tasks[f"train {run}"], tasks[f"evaluate {run}"]
    assert training.seconds == pytest.approx(schedule.SECONDS_PER_JOB + 3 * 100 * 1000 * 10e-6)
    assert training.gpus == 1 and training.after == ("dataset handwritten",)
    assert set(evaluation.after) == {f"train {run}", "dataset handwritten"}
    assert tasks["paper paper"].seconds == 0.0


def test_plan_says_how_long_it_takes(capsys):
    from ibpapers.__main__ import main

    assert main(["--set", "scale=paper", "plan", "--gpus", "8"]) == 0
    out = capsys.readouterr().out
    for part in ("GPU time ", "on 8 GPU ", "at least ", " -> evaluate ", "not measured on a GPU"):
        assert part in out
    assert main(["plan", "--gpus", "0"]) == 2
