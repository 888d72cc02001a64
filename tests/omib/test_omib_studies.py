"""What the settings of OMIB ask for, and mistakes in them."""

import re

import pytest

from ibpapers import config, plan
from ibpapers.errors import UserError


def read(*overrides):
    return plan.make(config.load("params.yaml", overrides)).papers["omib"]


def test_every_run_stands_once_and_every_study_finds_its_own():
    omib = read()
    ids = [run.id for run in omib.runs]
    assert len(ids) == len(set(ids))
    assert {run for study in omib.studies for run in study.runs} == set(ids)
    full = "omib/sim1/omib_beta=1.0M_u"
    assert sum(full in study.runs for study in omib.studies) == 3  # sweep, features, ablation
    assert all(re.fullmatch(r"[\w/=.+-]+", run) for run in ids)


def test_only_a_beta_in_terms_of_a_bound_waits_for_estimates():
    by_id = {run.id: run for run in read().runs}
    assert by_id["omib/sim2/omib_beta=1.0M_u"].entropies == (
        "omib/sim2/h_v1", "omib/sim2/h_v2", "omib/sim2/i_v1_v2",
    )  # fmt: skip
    assert by_id["omib/sim2/omib_beta=10.0"].entropies == ()
    assert by_id["omib/mosi_bclstm/misa"].entropies == ()
    assert len(by_id["omib/mosi_bclstm/omib_beta=1.0M_u"].entropies) == 6


def test_estimates_are_asked_for_where_they_are_read():
    omib = read()
    read_by_runs = {entropy for run in omib.runs for entropy in run.entropies}
    assert {entropy.id for entropy in omib.entropies} == read_by_runs


def test_all_methods_share_networks_and_budget():
    compared = [run.recipe for run in read().runs if run.dataset == "mosi_bclstm"]
    assert len(compared) == 11
    for key in ("model", "training", "seeds", "views"):
        assert all(recipe[key] == compared[0][key] for recipe in compared), key


def test_an_ablation_is_a_setting_of_omib():
    ablated = [run for run in read().runs if "without" in run.name]
    assert {run.method for run in ablated} == {"omib"}
    assert {run.recipe["ablation"] for run in ablated} == {
        "without_warm_up", "without_cross_attention", "without_omf", "without_r",
    }  # fmt: skip


@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_larger_scales_keep_rows_and_axes(scale):
    smoke, larger = read(), read(f"scale={scale}")
    for exhibits in ("figures", "tables", "claims"):
        names = [getattr(one, "name", one) for one in getattr(smoke, exhibits)]
        assert names == [getattr(one, "name", one) for one in getattr(larger, exhibits)]
    betas = {run.recipe["beta"] for run in larger.runs if run.dataset == "sim1"}
    assert {1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, "1.0 M_l", "1.0 M_u"} <= betas


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("papers.omib.studies.sentiment.beta=1.0 M_x", "M_x"),
        ("papers.omib.studies.beta_sweep.betas=[-1.0]", "-1.0"),
        ("papers.omib.sim.training.warm_up_updates=80", "warm_up_updates must be below updates"),
        ("papers.omib.studies.ablation.without=[warmup]", "warm_up"),
        ("papers.omib.studies.beta_sweep.datasets=[sim4]", "sim3"),
    ],
)
def test_mistakes_are_named(override, says):
    with pytest.raises(UserError, match=re.escape(says)) as error:
        read(override)
    assert override.partition("=")[0].rpartition(".")[0] in str(error.value)
