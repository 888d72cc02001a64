"""From a recipe to evaluated files: what is written and what it says."""

import json

import numpy as np
import pytest
import torch
from toc.conftest import utterances

from ibpapers import config, plan, sentiment
from ibpapers.datasets import cmu_sentiment_write
from ibpapers.inputs import Inputs
from ibpapers.papers.toc.evaluation import evaluate
from ibpapers.papers.toc.scores import METRICS, chance, scores
from ibpapers.training import finished, train

pytestmark = pytest.mark.slow

SETTINGS = {"seed": 0, "draws": 3, "snrs": [-12.0, 0.5, 30.0]}
LABEL = torch.tensor([-2.6, -0.4, 0.0, 1.2, 3.0, 0.6])


@pytest.fixture(scope="module")
def dataset_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mosi_sequences")
    sizes = {"train": 96, "validation": 24, "test": 40}
    splits = {side: utterances(n, seed) for seed, (side, n) in enumerate(sizes.items())}
    cmu_sentiment_write.write(folder, splits, {"dataset": "mosi_sequences", "tier": "sample"})
    return folder


@pytest.fixture(scope="module")
def runs():
    overrides = [
        "papers.toc.model={width: 8, heads: 2, layers: 1, feed_forward: 12, code: 4, hidden: 9, "
        "discriminator: [16]}",
        "papers.toc.mosi={updates: 20, warm_up_updates: 4}",
        "papers.toc.training.learning_rate=2e-2",
        "papers.toc.dimension=10",
        "papers.toc.seeds=[3, 5]",
    ]
    return plan.make(config.load("params.yaml", overrides)).runs


@pytest.fixture(scope="module")
def evaluated(runs, dataset_folder, tmp_path_factory):
    """A function: train a run of the plan once; its folder, and its evaluation by seed."""
    made = {}

    def of(name, **settings):
        if name not in made:
            run = runs[f"toc/mosi_sequences/{name}"]
            made[name] = tmp_path_factory.mktemp("run")
            train(dict(run.recipe), Inputs(dataset_folder), made[name], code="c0de")
        return made[name], evaluate(made[name], Inputs(dataset_folder), {**SETTINGS, **settings})

    return of


def values(table, seed=3):
    return table[table["seed"] == seed].set_index("metric")["value"]


def test_one_model_is_evaluated_at_every_snr(evaluated):
    _, table = evaluated("two_stage_vib_rayleigh")
    rows = table.set_index("metric")
    for metric in METRICS:
        for snr in ("-12dB", "0.5dB", "30dB"):
            unit = "1" if metric == "mae" else "percent"
            for name in (f"{metric}/{snr}", f"{metric}_std/{snr}"):
                assert (rows.loc[name, "unit"] == unit).all()
                assert rows.loc[name, "seed"].tolist() == [3, 5]
    found = values(table)
    assert found["mae/30dB"] < found["mae/-12dB"]
    assert found["mae_std/30dB"] < found["mae_std/-12dB"]
    settings = json.loads(table["settings"].iloc[0])
    assert (settings["channel"], settings["dimension"]) == ("rayleigh", 10)


def test_a_value_is_the_mean_over_draws_of_the_channel(evaluated):
    _, table = evaluated("two_stage_vib_rayleigh")
    several = values(table)["acc2/-12dB"] * 40 * 3 / 100
    assert several == pytest.approx(round(several))
    _, once = evaluated("two_stage_vib_rayleigh", draws=1)
    assert (once[once["metric"].str.contains("_std/")]["value"] == 0).all()
    _, again = evaluated("two_stage_vib_rayleigh")
    assert again.equals(table)
    _, other = evaluated("two_stage_vib_rayleigh", seed=1)
    assert values(other)["mae/-12dB"] != values(table)["mae/-12dB"]


@pytest.mark.parametrize("name", ["two_stage_vib_rayleigh", "two_stage_vib_no_red_awgn"])
def test_redundancy_is_that_of_the_end_of_training(evaluated, name):
    folder, table = evaluated(name)
    history, found = finished.read(folder).history, values(table, seed=5)
    for pair in ("video_text", "video_audio", "text_audio"):
        for quantity in ("bce", "p_positive", "p_negative"):
            assert history[f"{quantity}/{pair}"].shape == (2, 20)
            last = history[f"{quantity}/{pair}"][1, -2:].mean()
            assert found[f"{quantity}_last/{pair}"] == pytest.approx(last, rel=1e-6)
    weight = history["redundancy_weight"]
    assert (weight[:, :4] == 0).all()
    assert weight[0, -1] == pytest.approx(0 if "no_red" in name else 0.4)


def test_without_a_channel_there_is_one_value_and_what_chance_reaches(evaluated):
    _, table = evaluated("noiseless")
    found = values(table)
    assert set(METRICS) | {f"{metric}_chance" for metric in METRICS} <= set(found.index)
    assert not any("dB" in metric for metric in found.index)
    assert found["mae"] < found["mae_chance"]
    assert found["acc2"] > found["acc2_chance"]


def test_t_deepsc_has_no_discriminators(evaluated):
    _, table = evaluated("t_deepsc_awgn")
    assert len(table) == 2 * 2 * len(METRICS) * 3


def test_scores_are_means_and_deviations_of_the_shared_metrics():
    drawn = LABEL + torch.tensor([[0.3], [-0.7], [1.4]])
    each = [sentiment.metrics(one.numpy(), LABEL.numpy()) for one in drawn.double()]
    for metric, (mean, deviation, unit) in scores(drawn, LABEL).items():
        expected = [one[METRICS[metric]][0] for one in each]
        assert mean == pytest.approx(np.mean(expected))
        assert deviation == pytest.approx(np.std(expected, ddof=1))
        assert unit == ("1" if metric == "mae" else "percent")


def test_chance_is_the_best_single_answer():
    found = {metric: value for metric, (value, _) in chance(LABEL).items()}
    assert found["acc2"] == pytest.approx(100 * 4 / 6)  # all positive or zero
    assert found["acc2_nonzero"] == pytest.approx(100 * 3 / 5)
    assert found["f1_nonzero"] == pytest.approx(100 * 3 / 5 * 2 * 3 / (5 + 3))
    assert found["acc7"] == pytest.approx(100 * 2 / 6)  # -3 0 0 1 3 1
    median = np.median(LABEL)
    assert found["mae"] == pytest.approx(np.abs(LABEL.numpy() - median).mean())
