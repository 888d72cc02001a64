"""From a recipe to evaluated files, on tiny datasets: what is written and what it says."""

import json
import sys

import numpy as np
import pytest
from omib.conftest import CPU

from ibpapers import config, plan
from ibpapers.datasets import sim_build
from ibpapers.files import sha256, write_json
from ibpapers.inputs import Inputs
from ibpapers.papers.omib import runtime, systems
from ibpapers.papers.omib.evaluation import evaluate
from ibpapers.papers.omib.methods import omib
from ibpapers.training import train

pytestmark = pytest.mark.slow

DIMS = {"a0": 5, "b0": 4, "a1": 3, "b1": 2, "a2": 6, "b2": 1}
SETTINGS = {"seed": 0, "draws": 4}
N_TEST = 12
H, SHARED = {"v1": 2.0, "v2": 3.0}, 1.0  # nats, of v1 and v2 and between them


@pytest.fixture(scope="module")
def dataset_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sim1")
    sim_build.build(output_folder=folder, tier="sample", seed=0, samples=10 * N_TEST, dims=DIMS)
    return folder


@pytest.fixture(scope="module")
def estimates(tmp_path_factory):
    """Files of estimates by id, as `entropies.estimate` writes them."""
    folder, paths = tmp_path_factory.mktemp("entropies"), {}
    for terms, value in ((("v1", "v1"), H["v1"]), (("v2", "v2"), H["v2"]), (("v1", "v2"), SHARED)):
        path = folder / f"{'_'.join(terms)}.json"
        write_json(
            path,
            {
                "term": terms,
                "value": value,
                "std": 0.0,
                "seeds": [0],
                "per_seed": [value],
                "ceiling": 9.0,
                "touches_ceiling": False,
            },
        )
        paths[f"omib/sim1/{path.stem}"] = path
    return paths


@pytest.fixture(scope="module")
def runs():
    overrides = [
        "papers.omib.sim.model={hidden: 8, encoding: 6, code: 5, head: [7]}",
        "papers.omib.sim.training={updates: 16, warm_up_updates: 6, batch_size: 20, "
        "learning_rate: 1e-2}",
        "papers.omib.seeds=[3, 5]",
    ]
    return plan.make(config.load("params.yaml", overrides)).runs


@pytest.fixture
def trained(runs, dataset_folder, estimates, tmp_path):
    """A function: train a run of the plan; its folder and what it read."""

    def of(name, folder="run"):
        run = runs[f"omib/sim1/{name}"]
        inputs = Inputs(dataset_folder, estimates if run.entropies else {})
        train(dict(run.recipe), inputs, tmp_path / folder, code="c0de")
        return tmp_path / folder, inputs

    return of


def values(table, seed=3):
    return table[table["seed"] == seed].set_index("metric")["value"]


def test_a_run_is_recorded_from_warm_up_to_the_end(trained):
    folder, _ = trained("omib_beta=1.0M_u")
    with np.load(folder / "history.npz", allow_pickle=False) as history:
        assert history["loss"].shape == (2, 16)
        for name in ("omf", "kl/v1", "kl/v2", "r/v1", "r/v2"):
            assert np.isnan(history[name][:, :6]).all(), name
            assert np.isfinite(history[name][:, 6:]).all(), name
        r = history["r/v2"][:, 6:]
        assert ((r > 0) & (r < 2)).all()
        assert len(np.unique(r)) == r.size  # it moves
        last = np.nanmean(history["r/v2"][0, -6:])  # 108 samples in batches of 20
    found = values(evaluate(*trained("omib_beta=1.0M_u"), SETTINGS))
    assert found["r_last/v2"] == pytest.approx(last, rel=1e-6)


def test_beta_is_resolved_with_the_estimates_and_recorded(trained):
    upper, lower = 1 / (3 * (H["v1"] + H["v2"] - SHARED)), 1 / (3 * (H["v1"] + H["v2"]))
    found = values(evaluate(*trained("omib_beta=1.0M_u"), SETTINGS))
    assert found["beta"] == pytest.approx(upper)
    assert found["bound_upper"] == pytest.approx(upper)
    assert found["bound_lower"] == pytest.approx(lower)
    fixed = values(evaluate(*trained("omib_beta=10.0", "fixed"), SETTINGS))
    assert fixed["beta"] == 10
    assert "bound_upper" not in fixed


def test_every_test_sample_counts_once(trained):
    found = values(evaluate(*trained("omib_beta=10.0"), SETTINGS))
    for metric, samples in (("accuracy", N_TEST), ("accuracy_of_one_draw", 4 * N_TEST)):
        right = found[metric] * samples / 100
        assert right == pytest.approx(round(right)), metric
    right = found["training_accuracy"] * 9 * N_TEST / 100
    assert right == pytest.approx(round(right))
    assert (found[["kl/v1", "kl/v2"]] > 0).all()


def test_feature_sets_are_named_and_hold_what_they_say(trained, runs):
    folder, inputs = trained("features")
    found = values(evaluate(folder, inputs, SETTINGS))
    widths = {
        "consistent_relevant": 5, "specific_relevant": 9, "unimodal_1": 14, "unimodal_2": 16,
        "authentic_optimal_mib": 14, "union": 21,
    }  # fmt: skip
    assert {name for name in found.index if name.startswith("accuracy/")} == {
        f"accuracy/{name}" for name in widths
    }
    recipe = json.loads((folder / "recipe.json").read_text())["recipe"]
    layout = systems.load(recipe, inputs, CPU).layout
    assert dict(layout.views) == {name: (width,) for name, width in widths.items()}
    assert list(layout.views) == list(widths)


def test_rows_carry_what_they_are(trained):
    table = evaluate(*trained("omib_without_r_beta=1.0M_u"), SETTINGS)
    assert list(table.columns) == [
        *("paper", "dataset", "tier", "scale", "run", "method", "settings"),
        *("seed", "metric", "value", "unit"),
    ]
    (settings,) = table["settings"].unique()
    settings = json.loads(settings)
    assert settings["beta"] == "1.0 M_u"
    assert settings["ablation"] == "without_r"
    assert not table.duplicated(["seed", "metric"]).any()
    assert table["value"].notna().all()


def test_the_same_recipe_gives_the_same_bytes(trained):
    folders = [trained("omib_beta=1.0M_u", name)[0] for name in ("one", "other")]
    for name in ("model.safetensors", "history.npz", "recipe.json"):
        first, second = (folder / name for folder in folders)
        assert sha256(first) == sha256(second), name


@pytest.mark.parametrize("dies_at", [4, 11])
def test_a_run_killed_in_either_phase_ends_in_the_same_bytes(trained, monkeypatch, dies_at):
    undisturbed, _ = trained("omib_beta=1.0M_u", "whole")
    loop = sys.modules["ibpapers.training.loop"]
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    update = omib.OMIB.update

    def dies(trainee, number):
        if trainee.seed == 5 and number == dies_at:
            raise KeyboardInterrupt
        return update(trainee, number)

    monkeypatch.setattr(omib.OMIB, "update", dies)
    with pytest.raises(KeyboardInterrupt):
        trained("omib_beta=1.0M_u", "killed")
    monkeypatch.setattr(omib.OMIB, "update", update)
    resumed, _ = trained("omib_beta=1.0M_u", "killed")
    for name in ("model.safetensors", "history.npz"):
        assert sha256(resumed / name) == sha256(undisturbed / name), name


def test_an_epoch_of_each_phase_is_timed(runs, dataset_folder):
    recipe = dict(runs["omib/sim1/omib_beta=10.0"].recipe)
    system = systems.load(recipe, Inputs(dataset_folder), CPU)
    ticks = iter([10.0, 12.5, 20.0, 27.0])
    updates = []

    def build(recipe, *arguments):
        trainee = omib.build(recipe, *arguments)
        update = trainee.update
        trainee.update = lambda number: updates.append((trainee.warm_up, number)) or update(number)
        return trainee

    found = runtime.epoch_seconds(recipe, system, build, 0, CPU, clock=lambda: next(ticks))
    assert found == {"warm_up": 2.5, "main": 7.0}
    assert len(updates) == 2 * (runtime.UNTIMED + 6)
    assert all(warm_up > number for warm_up, number in updates[:9])
    assert all(warm_up == 0 for warm_up, _ in updates[9:])


def test_times_are_rows_per_size_and_seed(runs, dataset_folder, trained, monkeypatch):
    folder, inputs = trained("omib_beta=10.0")

    def size_as_time(recipe, system, *_):
        return {"main": system.train.size}

    monkeypatch.setattr(runtime, "epoch_seconds", size_as_time)
    table = evaluate(folder, inputs, {"samples": [30, 50]})
    assert values(table).to_dict() == {
        "main_seconds_per_epoch/30": 30,
        "main_seconds_per_epoch/50": 50,
    }
    assert set(table["unit"]) == {"s"}
    assert set(table["seed"]) == {3, 5}
