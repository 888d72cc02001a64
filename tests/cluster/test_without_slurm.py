"""Where there is no Slurm, and what is asked of one, with stand-ins for its commands."""

import errno
import os
import shutil
import subprocess
import sys

import pytest
import yaml
from workflow.conftest import PROJECT, copy_project

from ibpapers import cluster, plan, staging
from ibpapers.errors import UserError
from ibpapers.inputs import Inputs
from snakemake_logger_plugin_ibpapers import CLUSTER_LOGS

# What make itself needs.
PROGRAMS = ("make", "sh", "sed", "cksum", "tr", "python3")


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Programs by name and shell script, the only ones there are."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(**scripts):
        for name, script in scripts.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        return folder

    make(**dict.fromkeys(cluster.PROGRAMS, "exit 1"))
    monkeypatch.setenv("PATH", str(folder))
    return make


def test_missing_commands_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="sbatch, srun, squeue, scancel, scontrol, which not found"):
        cluster.check()


def test_controller_that_does_not_answer_is_named(commands):
    commands(scontrol='echo "Slurmctld(primary) at login is DOWN"')
    with pytest.raises(UserError, match="finds no controller"):
        cluster.check()
    commands(scontrol='echo "Slurmctld(primary) at login is UP"')
    cluster.check()


def test_make_says_what_is_missing_before_anything_else(tmp_path):
    checkout = copy_project(tmp_path / "checkout").folder
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        found = sys.executable if name == "python3" else shutil.which(name)
        (programs / name).symlink_to(found)
    done = subprocess.run(
        [programs / "make", "paper", "CLUSTER=slurm"],
        cwd=checkout,
        env={**os.environ, "PATH": str(programs)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("ibpapers: error: CLUSTER=slurm: sbatch, srun")
    assert not (checkout / ".venv").exists() and not (checkout / "results").exists()


def test_only_jobs_of_this_folder_that_snakemake_named_are_left_behind(
    commands, monkeypatch, tmp_path
):
    here = tmp_path / "a|folder"
    here.mkdir()
    monkeypatch.chdir(here)
    names = "ibpapers_5e8a"
    listed = f"7|{names}|{here}\n8|{names}|/elsewhere\n9|mine|{here}\n10|{names}|{here}"
    cancelled = tmp_path / "cancelled"
    commands(
        squeue=f"[ -e {cancelled} ] || echo '{listed}'",
        scancel=f'echo "$@" > {cancelled}',
    )
    assert cluster.cancel_leftovers() == 2
    assert cancelled.read_text() == "7 10\n"
    assert cluster.cancel_leftovers() == 0


@pytest.mark.parametrize(
    ("job", "state", "asked"),
    [
        ("12", "RUNNING|ibpapers_5e8a", "requeue 12\n"),
        ("12", "COMPLETING|ibpapers_5e8a", ""),  # cancelled
        ("12", "RUNNING|somebody's own", ""),
        ("", "RUNNING|ibpapers_5e8a", ""),
    ],
)
def test_only_a_job_that_is_called_running_is_queued_again(
    commands, monkeypatch, tmp_path, job, state, asked
):
    log = tmp_path / "asked"
    log.touch()
    commands(squeue=f'echo "{state}"', scontrol=f'echo "$@" >> {log}')
    monkeypatch.setenv("SLURM_JOB_ID", job)
    cluster.requeue()
    assert log.read_text() == asked


def test_job_reads_its_dataset_from_the_disk_of_its_node_where_there_is_room(
    monkeypatch, tmp_path, capsys
):
    shared, scratch = tmp_path / "shared", tmp_path / "scratch"
    for folder in (shared, scratch):
        folder.mkdir()
    (shared / "arrays").write_text("numbers")
    inputs = Inputs(shared, runs={"a": tmp_path})
    monkeypatch.setenv("TMPDIR", str(scratch))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with cluster.near(inputs) as found:
        assert found == inputs

    monkeypatch.setenv("SLURM_JOB_ID", "7")
    with cluster.near(inputs) as found:
        assert scratch in found.dataset.parents and found.runs == inputs.runs
        assert (found.dataset / "arrays").read_text() == "numbers"
    assert not list(scratch.iterdir())

    def no_room(*paths):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", no_room)
    with cluster.near(inputs) as found:
        assert found == inputs
    assert "No space left on device" in capsys.readouterr().err


def test_jobs_ask_for_what_params_say_and_for_more_after_a_failure():
    overrides = ["resources.evaluate.minutes=5", "resources.evaluate.memory_mb=100"]
    made = plan.read(overrides=[*overrides, "resources.train.minutes=7"])
    evaluate, train = (cluster.resources(made, rule) for rule in ("evaluate", "train"))
    asked = [(evaluate["mem_mb"]({}, n), evaluate["runtime"]({}, n)) for n in (1, 2, 3)]
    assert asked == [(100, 5), (200, 10), (300, 15)]
    assert train["runtime"] == 7 and train["slurm_extra"] == "--signal=USR1@120"


def test_profile_names_jobs_and_logs_as_they_are_looked_for():
    profile = yaml.safe_load((PROJECT / "profiles/slurm/config.yaml").read_text())
    assert f"{profile['slurm-jobname-prefix']}_" == cluster.JOB_NAMES
    assert f"{profile['slurm-logdir']}/" == CLUSTER_LOGS


def test_staging_names_the_place_of_a_linked_folder_and_the_size_of_a_file(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    made = plan.read(PROJECT / "params.yaml", ["include=[pom2dib]", "data=real", "mirror=/mirror"])
    mm_fi, mnist = made.source_folder("mm_fi"), made.source_folder("mnist")
    for folder in (tmp_path / "theirs", mm_fi, mnist):
        folder.mkdir(parents=True)
    (mm_fi / "frames").symlink_to(tmp_path / "theirs")
    (mnist / "t10k-labels-idx1-ubyte.gz").write_bytes(bytes(4542))
    lines = list(staging.lines(made))
    name = "t10k-labels-idx1-ubyte.gz"
    assert f"    frames: from the mirror; used where it lies, {tmp_path}/theirs" in lines
    assert f"    {name}: from the mirror; 4,542 bytes at {mnist / name}" in lines
    assert "    t10k-images-idx3-ubyte.gz: from the mirror; missing" in lines
