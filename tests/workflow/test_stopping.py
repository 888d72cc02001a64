"""Asked to stop, a run says what it keeps; two at once do no harm, nor do locks of the dead."""

import os
import re
import shutil
import signal
import sys

import pytest

pytestmark = pytest.mark.slow

SNAKEMAKE = sys.executable, "-m", "snakemake", "--logger", "ibpapers"
# Until it is asked to stop.
ENDLESS = {"papers__pom2dib__training__updates": "100000"}


@pytest.fixture
def unfinished(copy):
    """A finished checkout but for its trainings."""
    copy.provide_environment()
    shutil.rmtree(copy.runs)
    return copy


def wait_for_a_training(started, checkout):
    assert started.wait_until(lambda: list(checkout.runs.rglob("checkpoint-*"))), started.output


def interrupt_all(started):
    """As a terminal does on Ctrl-C."""
    os.killpg(started.process.pid, signal.SIGINT)


def terminate_first(started):
    started.process.terminate()


@pytest.mark.parametrize(
    ("command", "stop"), [(("make", "paper"), interrupt_all), (SNAKEMAKE, terminate_first)]
)
def test_stopped_run_says_what_is_kept_and_goes_on_from_there(unfinished, command, stop):
    with unfinished.started(*command, **ENDLESS) as started:
        wait_for_a_training(started, unfinished)
        stop(started)
        assert started.process.wait(timeout=60) != 0
        output = started.output
    assert "the same command goes on from there" in output
    assert "Traceback" not in output and "FAILED" not in output
    run, update = re.search(r"train (\S+): seed 0 .*: stopped after update (\d+) ", output).groups()
    train = sys.executable, "-m", "ibpapers", "train", run
    with unfinished.started(*train, **ENDLESS) as started:
        resumed = f"resumed after update {update} of 100000"
        assert started.wait_until(lambda: resumed in started.output), started.output
        started.process.send_signal(signal.SIGUSR1)
        assert started.process.wait(timeout=60) == 130
        assert "stopped after update" in started.output


def test_second_run_says_that_one_is_at_work_and_harms_nothing(unfinished):
    with unfinished.started("make", "paper", **ENDLESS) as started:
        wait_for_a_training(started, unfinished)
        locks = list((unfinished.folder / ".snakemake/locks").iterdir())
        for command in (("make", "paper"), SNAKEMAKE, (*SNAKEMAKE, "--unlock")):
            second = unfinished.run(*command, **ENDLESS)
            assert second.returncode != 0
            (line,) = [x for x in second.stdout.splitlines() if x.startswith("ibpapers: error: ")]
            assert re.search(r"by process \d+ on \S+ since 2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d", line)
        assert list((unfinished.folder / ".snakemake/locks").iterdir()) == locks
        assert "typeset the report" in unfinished.due(**ENDLESS)
        assert started.process.poll() is None and started.trainings(), started.output
        interrupt_all(started)
        started.process.wait(timeout=60)
        assert "the same command goes on from there" in started.output


def test_locks_of_a_killed_run_are_cleared_by_the_next(unfinished):
    with unfinished.started(*SNAKEMAKE, **ENDLESS) as started:
        wait_for_a_training(started, unfinished)
        os.killpg(started.process.pid, signal.SIGKILL)
        started.process.wait()
    assert list((unfinished.folder / ".snakemake/locks").glob("*.lock"))
    assert list((unfinished.folder / ".snakemake/incomplete").glob("*"))
    unfinished.done(*SNAKEMAKE)
    assert not (unfinished.folder / ".snakemake/locks").exists()


def test_what_an_orphan_finishes_is_not_made_again(unfinished):
    """Snakemake is killed, its training ends well: the next run takes it as it is."""
    with unfinished.started(*SNAKEMAKE) as started:
        assert started.wait_until(started.trainings), started.output
        orphans = started.trainings().values()
        started.process.kill()
        for orphan in orphans:
            orphan.wait()
        started.process.wait()
    trained = [path.parent.name for path in unfinished.runs.rglob("trace.json")]
    assert trained, started.output
    output = unfinished.done(*SNAKEMAKE)
    again = [run for run in trained if f"train pom2dib/handwritten/{run}\n" in output]
    assert again == [], output
