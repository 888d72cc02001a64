"""From a recipe to evaluated files, on a tiny dataset: what is written and what it says."""

import math
import sys

import numpy as np
import pytest
from pom2dib.conftest import N_TEST

from ibpapers.files import read_json, sha256
from ibpapers.papers.pom2dib.evaluation import evaluate
from ibpapers.training import train
from ibpapers.training.checkpoint import load as load_checkpoint

pytestmark = pytest.mark.slow

SETTINGS = {"seed": 0, "batch_size": 6, "selection_draws": 50, "log_window": 2}


@pytest.fixture
def trained(recipe, inputs, tmp_path):
    """A function: train a method for three updates with two seeds; the run's folder."""

    def of(method, name="run"):
        training = {**recipe(method)["training"], "updates": 3, "log_selection_every": 2}
        folder = tmp_path / name
        train(recipe(method, training=training, seeds=[3, 5]), inputs, folder, code="c0de")
        return folder

    return of


def values(table, seed):
    return table[table["seed"] == seed].set_index("metric")["value"]


def test_a_run_leaves_whole_files_that_know_each_other(trained):
    folder = trained("pom2dib")
    assert {p.name for p in folder.iterdir()} == {"model.safetensors", "history.npz", "recipe.json"}
    made = read_json(folder / "recipe.json")
    assert made["code"] == "c0de"
    assert made["files"] == {name: sha256(folder / name) for name in made["files"]}
    with np.load(folder / "history.npz", allow_pickle=False) as history:
        assert history["update"].tolist() == [1, 2, 3]
        assert history["n_ce"].shape == (2, 3)
        assert history["snapshot_update"].tolist() == [1, 2]
        assert history["snapshot/selection_probability"].shape == (2, 2, 3, 9)
        assert history["link"][0] == "x1/C1"


@pytest.mark.parametrize("method", ["pom2dib", "dlsc"])
def test_the_same_recipe_gives_the_same_bytes(trained, method):
    one, other = trained(method, "one"), trained(method, "other")
    for name in ("model.safetensors", "history.npz", "recipe.json"):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def test_training_log_is_the_mean_of_the_last_updates(trained, inputs):
    folder = trained("tadib")
    table = evaluate(folder, inputs, SETTINGS)
    with np.load(folder / "history.npz", allow_pickle=False) as history:
        for number, seed in enumerate((3, 5)):
            found = values(table, seed)
            for name in ("sum_rate", "n_ce", "t2_top1"):
                expected = history[name][number, -2:].mean()
                assert found[f"training_{name}"] == pytest.approx(expected, rel=1e-6)


def test_full_participation_counts_and_bounds(trained, inputs):
    found = values(evaluate(trained("tadib"), inputs, SETTINGS), 3)
    assert found["links"] == 27
    assert found["sum_rate"] == found["sum_rate_factorised"]
    assert 0 < found["sum_rate_joint"] <= 27 * math.log(6)
    assert found["sum_rate_factorised"] <= 27 * 4 * math.log(6)
    assert (found.filter(like="selection/") == 1).all()
    assert found["limit_violations"] == SETTINGS["selection_draws"]  # it ignores them


def test_a_policy_keeps_the_limits(trained, inputs):
    table = evaluate(trained("pom2dib"), inputs, SETTINGS)
    assert (table[table["metric"] == "limit_violations"]["value"] == 0).all()


def test_the_whole_test_set_is_used(trained, inputs):
    found = values(evaluate(trained("dlsc"), inputs, SETTINGS), 5)
    correct = found["t3_top1"] * N_TEST / 100
    assert correct == pytest.approx(round(correct))
    assert "sum_rate_joint" not in found


def test_rows_carry_what_they_are(trained, inputs):
    table = evaluate(trained("rsdib"), inputs, SETTINGS)
    assert list(table.columns) == [
        *("paper", "dataset", "tier", "scale", "run", "method", "settings"),
        *("seed", "metric", "value", "unit"),
    ]
    assert set(table["run"]) == {"pom2dib/handwritten/rsdib_beta=0.001"}
    assert not table.duplicated(["seed", "metric"]).any()
    assert table["value"].notna().all()


def test_a_run_resumes_from_the_checkpoints_of_its_seeds(trained, monkeypatch, tmp_path):
    undisturbed = trained("rsdib")
    engine = sys.modules[train.__module__]
    fit = engine.fit

    def dies_before_the_second_seed(*arguments, **keywords):
        if keywords["label"].startswith("seed 5"):
            raise KeyboardInterrupt
        return fit(*arguments, **keywords)

    monkeypatch.setattr(engine, "fit", dies_before_the_second_seed)
    with pytest.raises(KeyboardInterrupt):
        trained("rsdib", "killed")
    left = [p.name for p in (tmp_path / "killed").iterdir()]
    assert left == ["checkpoint-3.safetensors"]
    assert load_checkpoint(tmp_path / "killed" / left[0], "somebody else's") is None
    monkeypatch.setattr(engine, "fit", fit)
    resumed = trained("rsdib", "killed")
    for name in ("model.safetensors", "history.npz", "recipe.json"):
        assert (resumed / name).read_bytes() == (undisturbed / name).read_bytes()
