"""What the settings of TOC ask for, and mistakes in them."""

import re

import pytest

from ibpapers import config, plan
from ibpapers.errors import UserError


def read(*overrides):
    return plan.make(config.load("params.yaml", overrides)).papers["toc"]


def test_every_run_stands_once_and_every_study_finds_its_own():
    toc = read()
    ids = [run.id for run in toc.runs]
    assert len(ids) == len(set(ids))
    assert {run for study in toc.studies for run in study.runs} == set(ids)
    shared = "toc/mosei_sequences/two_stage_vib_awgn"
    assert [study.name for study in toc.studies if shared in study.runs] == [
        "snr", "redundancy", "discriminators", "dimension",
    ]  # fmt: skip


def test_names_say_what_sets_runs_apart():
    by_id = {run.id: run for run in read().runs}
    for dataset in ("mosei_sequences", "mosi_sequences"):
        for name in ("two_stage_vib", "two_stage_vib_no_red", "t_deepsc"):
            for channel in ("awgn", "rayleigh"):
                run = by_id[f"toc/{dataset}/{name}_{channel}"]
                assert run.recipe["channel"] == channel
                assert run.recipe["fading"] == (None if channel == "awgn" else "block")
        assert by_id[f"toc/{dataset}/noiseless"].recipe["channel"] is None
    short = by_id["toc/mosei_sequences/two_stage_vib_awgn_dimension=10"]
    assert short.recipe["dimension"] == 10
    assert by_id["toc/mosei_sequences/two_stage_vib_awgn"].recipe["dimension"] == 50


def test_without_reduction_differs_in_its_weight_alone():
    by_id = {run.id: run for run in read().runs}
    ours = by_id["toc/mosi_sequences/two_stage_vib_awgn"].recipe["training"]
    other = by_id["toc/mosi_sequences/two_stage_vib_no_red_awgn"].recipe["training"]
    assert (ours["redundancy"], other["redundancy"]) == (0.4, 0.0)
    assert {k: v for k, v in ours.items() if k != "redundancy"} == {
        k: v for k, v in other.items() if k != "redundancy"
    }


def test_conventional_starts_from_the_noiseless_system_of_its_dataset():
    toc = read()
    ids = [run.id for run in toc.runs]
    for run in toc.runs:
        if run.method == "conventional":
            assert run.after == (f"toc/{run.dataset}/noiseless",)
            assert ids.index(run.after[0]) < ids.index(run.id)
            assert run.evaluation["channels"] == ["awgn", "rayleigh"]
        else:
            assert run.after == ()


def test_corpora_have_budgets_of_their_own():
    budgets = {run.dataset: run.recipe["training"]["updates"] for run in read().runs
               if run.method == "noiseless"}  # fmt: skip
    settings = config.load("params.yaml").papers.toc
    assert budgets == {
        "mosei_sequences": settings.mosei.updates,
        "mosi_sequences": settings.mosi.updates,
    }


def test_figures_are_those_of_the_data_that_are_there():
    one = "papers.toc.studies.{}.datasets=[mosi_transcripts]"
    toc = read(one.format("snr"), one.format("redundancy"))
    assert [figure.name for figure in toc.figures] == ["figure_6", "figure_8", "figure_9"]
    histories = {figure.name: figure.histories for figure in read().figures}
    assert all("/mosei_sequences/two_stage_vib" in run for run in histories["figure_7"])
    assert all("/mosi_sequences/two_stage_vib" in run for run in histories["figure_8"])
    assert len(histories["figure_7"]) == len(histories["figure_8"]) == 4
    assert histories["figure_9"] == ("toc/mosei_sequences/two_stage_vib_awgn",)


@pytest.mark.parametrize("scale", ["laptop", "paper"])
def test_larger_scales_keep_rows_and_axes(scale):
    smoke, larger = read(), read(f"scale={scale}")
    for exhibits in ("figures", "tables", "claims"):
        names = [getattr(one, "name", one) for one in getattr(smoke, exhibits)]
        assert names == [getattr(one, "name", one) for one in getattr(larger, exhibits)]
    dimensions = {run.recipe["dimension"] for run in larger.runs}
    assert dimensions == set(range(10, 90, 10))


def test_the_papers_own_settings():
    training = {run.id: run for run in read("scale=paper").runs}[
        "toc/mosi_sequences/two_stage_vib_awgn"
    ].recipe["training"]
    assert training["batch_size"] == 32
    assert training["redundancy"] == 0.4
    assert training["reverse"] == "first"
    assert training["snrs"] == [0.0, 21.0]
    assert training["updates"] == 50 * 1284 // 32
    assert training["warm_up_updates"] == 3 * 1284 // 32


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("papers.toc.training.reverse=second", "first"),
        ("papers.toc.training.snrs=[21.0, 0.0]", "the lowest stands first"),
        ("papers.toc.mosi.warm_up_updates=100000", "warm_up_updates must be below updates"),
        ("papers.toc.model.width=30", "multiple of heads"),
        ("papers.toc.dimension=51", "multiple of 2"),
        ("papers.toc.channel.equaliser=mse", "mmse"),
        ("papers.toc.studies.dimension.snr=13.0", "among evaluation.snrs"),
        ("papers.toc.studies.snr.methods=[two_stage]", "two_stage_vib"),
    ],
)
def test_mistakes_are_named(override, says):
    with pytest.raises(UserError, match=re.escape(says)) as error:
        read(override)
    assert "papers.toc" in str(error.value)
