"""The tiny plan on a real Slurm: spoilt jobs, daemons that are away, kills, preemption.

Whatever happens, results are byte for byte those of a local run in peace.
"""

import os
import re
import shutil
import signal
import sys
import time
from itertools import combinations

import pytest
from cluster.conftest import Submitter, accounts
from cluster.slurm import GPUS, said, wait_for
from workflow.conftest import OFTEN, Checkout, copy_project

from ibpapers.config import Resources
from ibpapers.jobs import RULES

pytestmark = pytest.mark.slow

ROOT = "results/sample-smoke"
A, B, C = (
    f"pom2dib/handwritten/{run}"
    for run in ("pom2dib_beta=0.001", "pom2dib_beta=0.1", "tadib_beta=0.001")
)
RUN = f"{ROOT}/runs/{C}"
# job: what befalls it, half of which result it leaves, what Slurm calls it then, and its log says
FAULTS = {
    f"train {A}": ("exit_1", f"runs/{A}/model.safetensors", "FAILED", "Exited with exit code"),
    f"train {B}": ("kill", f"runs/{B}/recipe.json", "FAILED", "Exited with exit code"),
    f"train {C}": ("out_of_memory", f"runs/{C}/history.npz", "FAILED", "exceeded memory limit"),
    f"evaluate {A}": ("out_of_time", f"evaluations/{A}.parquet", "TIMEOUT", "DUE TO TIME LIMIT"),
    f"evaluate {B}": ("cancelled", f"evaluations/{B}.parquet", "CANCELLED", "CANCELLED AT"),
}
LIMITS = {"resources__train__memory_mb": "2000", "resources__evaluate__minutes": "5"}
LONG = {"papers__pom2dib__training__updates": "400", "papers__pom2dib__seeds": "[0]"}
ENDLESS = "--output=/dev/null", "--wrap=sleep infinity"
PATIENCE = 900.0  # seconds for anything to happen on a busy machine


def making(target):
    return sys.executable, "-m", "snakemake", target, "--logger", "ibpapers"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A checkout in which all that is submitted elsewhere was computed here. Leave it as it is."""
    checkout = copy_project(tmp_path_factory.mktemp("undisturbed") / "checkout")
    checkout.settle()
    checkout.done(*making("evaluations"))
    return checkout


@pytest.fixture(scope="module")
def spoilt(slurm, tmp_path_factory):
    """A checkout after one `make evaluations CLUSTER=slurm` on which all `FAULTS` have befallen."""
    checkout = Submitter(copy_project(tmp_path_factory.mktemp("spoilt") / "checkout").folder)
    checkout.settle()
    checkout.provide_environment()
    for job, (fault, output, *_) in FAULTS.items():
        checkout.spoil(job, fault, f"{ROOT}/{output}")
    output = checkout.done("make", "evaluations", "CLUSTER=slurm", **LIMITS)
    (checkout.folder / ".output").write_text(output)
    return checkout


@pytest.fixture
def unfinished(slurm, undisturbed, tmp_path):
    """A finished checkout but for one training, which is to be submitted."""
    folder = tmp_path / "checkout"
    shutil.copytree(undisturbed.folder, folder)
    shutil.rmtree(folder / RUN)
    shutil.rmtree(folder / "results/logs")
    return Submitter(folder)


def test_results_are_those_of_a_local_run(spoilt, undisturbed):
    assert_same(spoilt, undisturbed)
    assert len(undisturbed.artifacts()) > 25
    assert not re.search("train|evaluate", " ".join(spoilt.due()))


@pytest.mark.parametrize("job", FAULTS)
def test_spoilt_job_is_submitted_again_and_said_why(spoilt, job):
    *_, state, reason = FAULTS[job]
    attempts = [one for one in accounts(spoilt) if one.name == job.replace("/", "_")]
    assert [one.state for one in attempts] == [state, "COMPLETED"]
    log = f"{spoilt.folder}/results/logs/slurm/rule_{job.replace('/', '_').replace(' ', '/')}"
    output = (spoilt.folder / ".output").read_text()
    assert f"{job}: FAILED (SLURM-job '{attempts[0].number}' failed" in output
    assert f"The end of {log}/{attempts[0].number}.log:" in output
    assert reason in output
    rule, run = job.split()
    assert f"The end of results/logs/{rule}/sample-smoke/{run}.log:" in output


def test_never_more_jobs_on_gpus_than_there_are(spoilt):
    jobs = [job for job in accounts(spoilt) if job.gpus]
    assert {job.name.split()[0] for job in jobs} == {"train", "evaluate"}
    in_use = [sum(a.gpus for a in jobs if a.start <= b.start < a.end) for b in jobs]
    assert max(in_use) == GPUS


def test_what_takes_seconds_or_the_network_runs_where_the_command_does(spoilt):
    spoilt.done(*making(f"{ROOT}/report/pom2dib/table_1a.json"), **LIMITS)
    assert {job.name.split()[0] for job in accounts(spoilt)} == {"dataset", "train", "evaluate"}
    with (spoilt.folder / "Snakefile").open() as snakefile:
        local = re.search(r"^localrules:\n((?:    \w+,\n)+)", snakefile.read(), re.MULTILINE)[1]
    submitted = set(Resources.model_fields)
    assert set(RULES) - submitted == set(re.findall(r"\w+", local)) & set(RULES)


def test_job_is_given_its_threads_its_gpu_and_its_folder(spoilt):
    given = {job: spoilt.seen(job) for job in ("dataset handwritten", *FAULTS)}
    for job, one in given.items():
        assert one["OMP_NUM_THREADS"] == "1"
        assert one["CUDA_VISIBLE_DEVICES"] in ([None] if "dataset" in job else ["0", "1"])
        assert one["TMPDIR"].endswith(f"/scratch/{one['SLURM_JOB_ID']}")
    spans = {job.number: (job.start, job.end) for job in accounts(spoilt)}
    on_gpu = [one for one in given.values() if one["CUDA_VISIBLE_DEVICES"]]
    for one, other in combinations(on_gpu, 2):
        (start, end), (other_start, other_end) = (spans[x["SLURM_JOB_ID"]] for x in (one, other))
        if start < other_end and other_start < end:
            assert one["CUDA_VISIBLE_DEVICES"] != other["CUDA_VISIBLE_DEVICES"]


def test_daemons_away_for_20_seconds_while_a_training_ends(slurm, unfinished, undisturbed):
    hold(unfinished)
    with unfinished.started(*making(f"{RUN}/trace.json"), **LIMITS) as started:
        until(started, lambda: unfinished.is_at(f"train {C}"))
        slurm.stop("slurmctld")
        slurm.stop("slurmdbd")
        back = time.monotonic() + 20
        unfinished.let_go()
        until(started, lambda: "done in" in log(unfinished) and time.monotonic() > back)
        slurm.start("slurmdbd")
        slurm.start("slurmctld")
        assert started.process.wait(PATIENCE) == 0, started.output
    assert_same(unfinished, undisturbed)


def test_killed_command_is_given_again(unfinished, undisturbed):
    hold(unfinished)
    with unfinished.started(*making(f"{RUN}/trace.json"), **LIMITS) as started:
        until(started, lambda: unfinished.is_at(f"train {C}"))
        os.killpg(started.process.pid, signal.SIGKILL)
    assert [job.state for job in accounts(unfinished)] == ["RUNNING"]
    output = unfinished.done(*making(f"{RUN}/trace.json"), **LIMITS)
    assert "ibpapers: cancelled 1 jobs of a run that was killed" in output
    assert [job.state for job in accounts(unfinished)] == ["CANCELLED", "COMPLETED"]
    assert_same(unfinished, undisturbed)


def test_training_that_has_to_go_is_queued_again_and_resumes(unfinished, tmp_path):
    """First its time is nearly up, then somebody more urgent wants its GPU."""
    folder = tmp_path / "undisturbed"
    shutil.copytree(unfinished.folder, folder)
    alone = Checkout(folder)
    alone.edit("src/ibpapers/training/loop.py", *reversed(OFTEN))  # each takes a while
    alone.done(sys.executable, "-m", "ibpapers", "train", C, **LONG)

    with unfinished.started(*making(f"{RUN}/trace.json"), **LONG, **LIMITS) as started:
        until(started, lambda: has_checkpoint(unfinished))
        (job,) = accounts(unfinished)
        said("scancel", "--signal=USR1", job.number)
        until(started, lambda: restarts(job) == 1)
        until(started, lambda: "resumed after update" in log(unfinished))
        urgent = said("sbatch", "--parsable", "--partition=urgent", f"--gpus={GPUS}", *ENDLESS)
        until(started, lambda: restarts(job) == 2)
        said("scancel", urgent)
        assert started.process.wait(PATIENCE) == 0, started.output
    assert "FAILED" not in started.output
    assert re.search(r"resumed after update \d+ of 400", log(unfinished))
    for name in ("model.safetensors", "history.npz"):
        resumed, straight = (at / RUN / name for at in (unfinished.folder, folder))
        assert resumed.read_bytes() == straight.read_bytes()


def test_ctrl_c_cancels_what_is_submitted(unfinished):
    hold(unfinished)
    with unfinished.started(*making(f"{RUN}/trace.json"), **LIMITS) as started:
        until(started, lambda: unfinished.is_at(f"train {C}"))
        os.killpg(started.process.pid, signal.SIGINT)
        assert started.process.wait(PATIENCE) != 0
    assert "the same command goes on from there" in started.output
    assert wait_for(lambda: [job.state for job in accounts(unfinished)] == ["CANCELLED"], PATIENCE)


def test_packed_trainings_are_one_job_on_one_gpu(unfinished, undisturbed):
    shutil.rmtree(unfinished.folder / ROOT / "runs")
    unfinished.provide_environment()
    unfinished.done("make", "runs", "CLUSTER=slurm", "TRAININGS_PER_JOB=3", **LIMITS)
    (job,) = accounts(unfinished)
    assert (job.state, job.gpus) == ("COMPLETED", 1)
    assert_same(unfinished, undisturbed)


def hold(checkout):
    """Have the one training that is due wait until it is let go."""
    checkout.spoil(f"train {C}", "held", f"{RUN}/model.safetensors")


def until(started, condition):
    came = wait_for(condition, PATIENCE, unless=lambda: started.process.poll() is not None)
    assert came, started.output


def log(checkout):
    path = checkout.folder / f"results/logs/train/sample-smoke/{C}.log"
    return path.read_text() if path.exists() else ""


def has_checkpoint(checkout):
    return list((checkout.folder / RUN).glob("checkpoint-*"))


def restarts(job):
    return int(re.search(r"Restarts=(\d+)", said("scontrol", "show", "job", job.number))[1])


def assert_same(checkout, undisturbed):
    here, there = checkout.artifacts(), undisturbed.artifacts()
    assert {name: here.get(name) for name in there} == there
