"""What is listed and removed: all that the plan does not ask for, and nothing else."""

from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from provenance.conftest import OVERRIDES, RUN, make_all

from ibpapers import locking
from ibpapers import plan as plans
from ibpapers.errors import UserError
from ibpapers.provenance.bookkeeping import MADE
from ibpapers.provenance.prune import prune, superfluous
from ibpapers.workplace import LOCK

WITHOUT_TADIB = "papers.pom2dib.studies={comparison: {methods: [pom2dib], beta: 1e-3}, \
rate_relevance: {methods: [pom2dib], betas: [1e-3, 0.1], points: []}}"


@pytest.fixture
def smaller(made):
    """A plan without TADIB, whose results and notes are there all the same."""
    for name in ("logs", "benchmarks"):
        note = Path(f"results/{name}/train/sample-smoke/{RUN}.log")
        note.parent.mkdir(parents=True)
        note.touch()
    Path("results/mlflow.db").touch()
    return plans.read(overrides=[*OVERRIDES, WITHOUT_TADIB])


def files():
    return {path for path in Path().rglob("*") if path.is_file() and ".snakemake" not in str(path)}


def book(path: str) -> Path:
    """A record of Snakemake's, in the folders that it makes for a long name."""
    name = urlsafe_b64encode(path.encode()).decode()
    *folders, last = [name[i : i + 50] for i in range(0, len(name), 50)]
    place = MADE.joinpath(*(f"@{folder}" for folder in folders), last)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.touch()
    return place


def test_plan_asks_for_all_that_it_makes(made, capsys):
    assert superfluous(made) == []
    prune(made)
    assert "Nothing to prune" in capsys.readouterr().out


def test_checkpoints_and_files_of_sources_are_the_plan_s(made):
    (made.run_folder(RUN) / "checkpoint-0.safetensors").touch()
    (made.source_folder("mnist_sample") / "raw.gz.part").touch()
    assert superfluous(made) == []


def test_what_an_earlier_plan_left_is_listed_and_stays_unless_agreed(smaller, capsys):
    before = files()
    prune(smaller)
    assert files() == before
    shown = capsys.readouterr().out
    assert "results/sample-smoke/runs/pom2dib/handwritten/dlsc" in shown
    assert "nothing removed" in shown and "files in all" in shown


def test_yes_removes_exactly_that(smaller):
    dropped, kept = book(f"results/sample-smoke/runs/{RUN}/model.safetensors"), book("results/x")
    here = book("results/paper.pdf")
    before = files()
    prune(smaller, unasked=True)
    gone = before - files()
    used = {run.id for run in smaller.runs.values()}
    assert gone and all(not any(f"/{run}" in str(path) for run in used) for path in gone)
    assert {path for path in gone if path.parts[0] != "results"} == set()
    assert not Path(f"results/sample-smoke/runs/{RUN}").exists()
    assert not list(Path("results/logs").rglob("*.log"))
    assert Path("results/mlflow.db").exists()
    assert (dropped.exists(), kept.exists(), here.exists()) == (False, False, True)
    assert superfluous(smaller) == []


def test_record_of_a_source_that_was_not_restored_stays(made):
    card = made.source_folder("mnist_sample") / "card.json"
    kept = book(str(card))
    card.unlink()
    prune(made, unasked=True)
    assert kept.exists()


def test_other_scales_stay_with_their_data_unless_all_is_said(made):
    other = plans.read(overrides=[*OVERRIDES, "data=real", "scale=laptop"])
    make_all(other)
    assert superfluous(made) == []
    names = " ".join(group.name for group in superfluous(made, other_roots=True))
    for name in ("sources/mnist ", "datasets/handwritten-real", "real-laptop/runs"):
        assert f"results/{name}" in f"{names} "
    assert "sample" not in names


def test_links_are_removed_and_not_what_they_lead_to(smaller, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "precious"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    Path("results/sample-smoke/old").symlink_to(elsewhere)
    prune(smaller, unasked=True)
    assert (elsewhere / "file").exists()
    assert not Path("results/sample-smoke/old").is_symlink()


def test_nothing_is_pruned_while_a_workflow_is_at_work(smaller):
    lock = locking.hold(LOCK, "busy")
    before = files()
    with pytest.raises(UserError, match="is being worked on by process"):
        prune(smaller, unasked=True)
    lock.release()
    assert files() == before
