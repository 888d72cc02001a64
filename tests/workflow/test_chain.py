"""The whole chain at tiny settings: what is made, and what is made again after which change.

The tests share one finished checkout and leave it as they found it. Most look at what would run;
`test_interruption` and `test_dvc` let it run.
"""

import os
import shutil
import sys

import pytest
from workflow.edits import EDITS, TRACK, rewrite_without_change, touch_everything

pytestmark = pytest.mark.slow


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


def test_touches_comments_docstrings_and_the_order_of_keys_are_no_change(changed):
    touch_everything(changed)
    rewrite_without_change(changed)
    assert changed.due() == []


@pytest.mark.parametrize("edit", EDITS)
def test_edit_reruns_exactly_its_part(changed, edit):
    changed.edit(*EDITS[edit][0])
    os.utime(changed.folder / EDITS[edit][0][0], (0, 0))
    assert changed.due() == sorted(EDITS[edit][1])


def test_checksum_of_a_source_is_part_of_what_is_made_from_it(changed):
    code = (
        "from ibpapers import jobs, plan; real = plan.read('params.yaml', ['data=real']);"
        "print(jobs.table(real)['dataset']['handwritten'].settings)"
    )
    before = changed.done(sys.executable, "-c", code)
    changed.edit("src/ibpapers/datasets/sources.csv", "sha256:440f", "sha256:441f")
    assert changed.done(sys.executable, "-c", code) != before


def test_evaluation_settings_train_nothing(changed):
    changed.edit("params.yaml", "selection_draws: 10", "selection_draws: 11")
    due = changed.due()
    assert [job for job in due if job.startswith("train")] == []
    assert len([job for job in due if job.startswith("evaluate")]) == 3


@pytest.mark.parametrize("lost", [["model.safetensors"], ["recipe.json", "trace.json"], [""]])
def test_deleted_intermediate_is_remade(changed, lost):
    run = changed.runs / "tadib_beta=0.001"
    aside = changed.folder / "aside"
    shutil.copytree(run, aside)
    for name in lost:
        (run / name).unlink() if name else shutil.rmtree(run)
    due = changed.due()
    shutil.rmtree(run, ignore_errors=True)
    aside.rename(run)
    assert "train pom2dib/handwritten/tadib_beta=0.001" in due
    assert "train pom2dib/handwritten/pom2dib_beta=0.1" not in due
    assert changed.due() == []


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
    assert changed.due(tracking__uri=dead) == [TRACK]
    assert changed.snakemake().returncode == 0
