"""The whole chain at tiny settings: what is made, and what is made again after which change.

The tests share one finished checkout and leave it as they found it; they look at what would run.
"""

import os
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

DRAWN = [
    "bring the runs of pom2dib into MLflow",
    "collect pom2dib",
    "draw pom2dib/figure_2a",
    "draw pom2dib/figure_3",
    "fill in pom2dib/table_1a",
    "judge the claims of pom2dib",
    "typeset the report",
]
METHOD = "src/ibpapers/papers/pom2dib/methods/tadib.py"


@pytest.fixture
def changed(finished):
    """The finished checkout, whose settings and code are put back afterwards."""
    kept = {path: path.read_bytes() for path in _texts(finished.folder)}
    yield finished
    for path, content in kept.items():
        path.write_bytes(content)


def _texts(folder: Path) -> list[Path]:
    kinds = ("*.py", "*.smk", "*.yaml", "*.csv", "*.typ", "Snakefile")
    return [p for kind in kinds for p in folder.rglob(kind) if "results" not in p.parts]


def _made_from(run: str) -> list[str]:
    return [f"evaluate pom2dib/handwritten/{run}", f"train pom2dib/handwritten/{run}"]


def test_chain_leaves_the_paper_and_nothing_is_due(finished):
    results = finished.folder / "results"
    assert (results / "paper.pdf").read_bytes().startswith(b"%PDF")
    assert (results / "paper.pdf").read_bytes() == (results / "sample-smoke/paper.pdf").read_bytes()
    again = finished.snakemake("--logger", "ibpapers")
    assert "Nothing to be done" in again.stdout and again.returncode == 0
    assert "results/paper.pdf" in finished.ibpapers("results").stdout


def test_every_job_leaves_a_log_and_a_benchmark(finished):
    for kind, suffix in (("logs", ".log"), ("benchmarks", ".tsv")):
        folder = finished.folder / "results" / kind
        rules = {path.relative_to(folder).parts[0] for path in folder.rglob(f"*{suffix}")}
        assert rules == {
            "fetch", "dataset", "train", "evaluate", "collect", "figure", "table", "claims",
            "track", "paper",
        }  # fmt: skip


def test_touches_and_comments_are_no_change(changed):
    for path in _texts(changed.folder):
        path.touch()
    for path in [changed.folder / METHOD, *changed.folder.glob("workflow/rules/*.smk")]:
        path.write_text(f"# A comment.\n\n{path.read_text()}")
    assert changed.due() == []


def test_one_beta_is_one_training(changed):
    changed.edit("params.yaml", "- 0.1", "- 0.2")
    assert changed.due() == sorted([*_made_from("pom2dib_beta=0.2"), *DRAWN])


def test_edited_method_is_trained_again_whatever_its_time_says(changed):
    first = "from __future__ import annotations\n"
    changed.edit(METHOD, first, f"{first}UNUSED = 1\n")
    os.utime(changed.folder / METHOD, (0, 0))
    assert changed.due() == sorted([*_made_from("tadib_beta=0.001"), *DRAWN])


def test_evaluation_settings_train_nothing(changed):
    changed.edit("params.yaml", "selection_draws: 10", "selection_draws: 11")
    due = changed.due()
    assert [job for job in due if job.startswith("train")] == []
    assert len([job for job in due if job.startswith("evaluate")]) == 4


def test_printed_number_draws_again(changed):
    changed.edit("published/pom2dib_table1.csv", "\n", "\n\n")
    due = changed.due()
    assert "fill in pom2dib/table_1a" in due and "typeset the report" in due
    assert not [job for job in due if job.startswith(("train", "evaluate", "collect"))]


def test_mirror_is_no_change(finished):
    assert finished.due(mirror="elsewhere") == []


def test_code_at_the_job_is_the_code_that_freshness_is_judged_by(finished):
    run = "pom2dib/handwritten/tadib_beta=0.001"
    recorded = finished.folder / "results/sample-smoke/runs" / run / "recipe.json"
    code = finished.ibpapers("recipe", run).stdout.partition('"code": ')[2].partition("\n")[0]
    assert code.strip('",') in recorded.read_text()


def test_recipe_trains_the_same_bytes_elsewhere(finished, tmp_path):
    run = "pom2dib/handwritten/tadib_beta=0.001"
    (tmp_path / "job.json").write_text(finished.ibpapers("recipe", run).stdout)
    files = "--recipe", str(tmp_path / "job.json"), "--output", str(tmp_path / "run")
    done = finished.ibpapers("train", *files)
    assert done.returncode == 0, done.stdout
    for name in ("model.safetensors", "history.npz"):
        here = finished.folder / "results/sample-smoke/runs" / run / name
        assert (tmp_path / "run" / name).read_bytes() == here.read_bytes()


def test_unreachable_tracking_fails_nothing_and_is_tried_again(changed):
    dead = "http://someone:secret@127.0.0.1:9"
    done = changed.snakemake("--logger", "ibpapers", tracking__uri=dead)
    assert done.returncode == 0, done.stdout
    assert "is not in MLflow yet" in changed.ibpapers("results", tracking__uri=dead).stdout
    records = changed.folder / ".snakemake" / "metadata"
    log = changed.folder / "results/logs/track/sample-smoke/pom2dib.log"
    for path in [log, *(p for p in records.rglob("*") if p.is_file())]:
        assert "secret" not in path.read_text()
    assert changed.due(tracking__uri=dead) == [DRAWN[0]]
    assert changed.snakemake().returncode == 0


def test_clone_with_pulled_results_has_nothing_to_do_and_sees_the_next_edit(finished, tmp_path):
    folder, remote, clone = finished.folder, tmp_path / "remote", tmp_path / "a clone"
    _provide_environment(finished)
    dvc = sys.executable, "-m", "dvc"
    for command in (
        ("git", "init", "--quiet"),
        (*dvc, "remote", "add", "--default", "folder", str(remote)),
        (*dvc, "repro"),
        (*dvc, "push"),
        ("git", "add", "."),
        ("git", "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "results"),
        ("git", "clone", "--quiet", str(folder), str(clone)),
    ):
        done = finished.run(*command)
        assert done.returncode == 0, done.stdout
    cloned = type(finished)(clone)
    done = cloned.run(*dvc, "pull")
    assert done.returncode == 0, done.stdout
    assert cloned.due() == []
    cloned.edit("params.yaml", "- 0.1", "- 0.2")
    assert cloned.due() == sorted([*_made_from("pom2dib_beta=0.2"), *DRAWN])


def _provide_environment(checkout) -> None:
    """A `.venv` that `make` takes for installed: this interpreter with this copy's code."""
    python = checkout.folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    code = checkout.folder / "src"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{code}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    done = checkout.run("make", "--touch", "environment")
    assert done.returncode == 0, done.stdout
