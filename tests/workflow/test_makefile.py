"""What make does before anything else: an environment, installed once, found by experiments."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

# Stands in for Python: installs nothing, and says in a file when it would.
PYTHON = """#!/bin/sh
case "$1 $2" in
"-m venv")
    mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
"-m pip")
    echo "$@" "$PIP_NO_INDEX$PIP_FIND_LINKS" >> pip.log
    while [ ! -e go ]; do sleep 0.05; done ;;
"-c import sysconfig"*) ;;
*)
    exec "{python}" "$@" ;;
esac
"""


@pytest.fixture
def bare(checkout):
    """A checkout without an environment, and a Python that only pretends to make one."""
    python = checkout.folder / "python"
    python.write_text(PYTHON.format(python=sys.executable))
    python.chmod(0o755)
    return checkout


def install(checkout, *settings):
    return subprocess.Popen(
        ["make", "environment", "PYTHON=./python", *settings],
        cwd=checkout.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_two_first_installs_at_once_are_one(bare):
    first = install(bare)
    while not (bare.folder / "pip.log").exists():
        assert first.poll() is None, first.communicate()
        time.sleep(0.01)
    second = install(bare)
    said = second.stdout.readline()
    (bare.folder / "go").touch()
    assert said == "Another process installs the environment: waiting for it\n"
    assert "Installing the environment" in first.communicate()[0]
    assert "Installing the environment" not in second.communicate()[0]
    assert [first.returncode, second.returncode] == [0, 0]


def test_killed_install_is_begun_again(bare):
    first = install(bare)
    while not (bare.folder / "pip.log").exists():
        assert first.poll() is None, first.communicate()
        time.sleep(0.01)
    os.killpg(first.pid, signal.SIGKILL)
    (bare.folder / "go").touch()
    second = install(bare)
    out, _ = second.communicate()
    assert second.returncode == 0 and "Installing the environment" in out
    assert list((bare.folder / ".venv").glob("installed-*"))


def test_packages_come_from_a_folder_where_there_is_no_network(bare):
    (bare.folder / "go").touch()
    out, _ = install(bare, "WHEELS=stage/wheels").communicate()
    installed = (bare.folder / "pip.log").read_text().splitlines()
    assert installed, out
    assert all(line.endswith(" 1" + str(bare.folder / "stage/wheels")) for line in installed)


def test_staging_fetches_the_packages_that_an_installation_needs(bare):
    (bare.folder / "go").touch()
    install(bare).communicate()
    dry_run = ["make", "--dry-run", "stage", "PYTHON=./python"]
    done = subprocess.run(dry_run, cwd=bare.folder, capture_output=True, text=True, check=True)
    staged = done.stdout
    assert re.search(r"pip download .* torch==\S+ *$", staged, re.MULTILINE)
    slurm = r"snakemake-executor-plugin-slurm==\S+ snakemake-executor-plugin-slurm-jobstep==\S+"
    assert re.search(rf"pip download .* --no-deps -r requirements.lock {slurm}", staged)
    assert re.search(r"-m snakemake +sources ", staged)


@pytest.mark.parametrize("folder", [".dvc/tmp/exps/standalone/tmp1", ".dvc/tmp/exps/tmp2"])
def test_experiment_takes_the_environment_around_it_and_its_own_code(checkout, folder, project):
    checkout.provide_environment()
    (checkout.folder / ".venv/bin/python").write_text('#!/bin/sh\necho "$PYTHONPATH"\n')
    experiment = checkout.folder / folder
    experiment.mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        (experiment / name).write_bytes((project / name).read_bytes())
    done = subprocess.run(["make", "lint"], cwd=experiment, capture_output=True, text=True)
    assert f"{experiment}/src\n" in done.stdout, done
    assert not (experiment / ".venv").exists()
