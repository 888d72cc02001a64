"""What the paper asks for under the settings of each scale, and what the verbs refuse."""

import pytest

from ibpapers import config, plan
from ibpapers.__main__ import main


def planned(*overrides):
    overrides = ["include=[gray_wyner]", *overrides]
    return plan.make(config.load("params.yaml", overrides)).papers["gray_wyner"]


@pytest.mark.parametrize(("scale", "runs"), [("smoke", 20), ("laptop", 19), ("paper", 82)])
def test_every_scale_has_its_grid(scale, runs):
    ours = planned(f"scale={scale}")
    assert len(ours.runs) == runs
    assert {run.method for run in ours.runs} >= {"shared", "joint", "independent", "probe"}
    asked = {run for study in ours.studies for run in study.runs}
    assert asked == {run.id for run in ours.runs}


def test_the_baselines_stand_in_both_synthetic_studies():
    studies = {study.name: set(study.runs) for study in planned().studies}
    assert studies["synthetic_baselines"] < studies["synthetic_ablation"]


def test_a_probe_starts_from_the_codec_with_the_highest_eta():
    runs = {run.name: run for run in planned("scale=paper").runs}
    for pmf in ("dependent", "independent", "mixture"):
        probe = runs[f"probe_{pmf}"]
        assert probe.after == (f"gray_wyner/coloured_mnist/shared_{pmf}_eta=100.0",)
        assert probe.recipe["model"] == runs[f"shared_{pmf}_eta=100.0"].recipe["model"]


def test_a_table_is_planned_for_each_beta_there_is():
    def tables(betas):
        override = f"papers.gray_wyner.studies.synthetic_ablation.betas={betas}"
        return [table.name for table in planned(override).tables]

    assert tables("[1.0,1.5,2.0]") == ["table_2", "table_3", "table_4", "table_5", "table_6"]
    assert tables("[2.0,3.0]") == ["table_2", "table_5", "table_6"]


def test_paper_scale_is_table_1():
    runs = {run.name: run.recipe for run in planned("scale=paper").runs}
    synthetic, digits = runs["joint_eta=0.1"], runs["shared_mixture_eta=1.0"]
    assert synthetic["model"] == {
        "representation_channels": 512, "widths": [8, 32, 128], "blocks": 1,
        "initial_weights": "pytorch",
    }  # fmt: skip
    assert digits["model"] == {
        "representation_channels": 6, "widths": [24, 48, 192], "blocks": 3,
        "classifier_width": 3072, "initial_weights": "pytorch",
    }  # fmt: skip
    for recipe, patience, epochs in ((synthetic, 10, 100), (digits, 25, 200)):
        training = recipe["training"]
        assert training["learning_rate"] == training["final_learning_rate"] == 1e-4
        assert training["batch_size"] == 100
        assert training["gradient_norm"] == 1.0 and training["patience"] == patience
        assert training["rate_warm_up"] == 0
        assert training["updates"] == epochs * training["validate_every"]
        assert recipe["gamma"] == 1.0 and recipe["gamma_scale"] == "one"
    assert synthetic["beta"] is None and digits["beta"] == 0.1


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("pom2dib/handwritten/dlsc", "the methods of pom2dib make no bitstreams"),
        ("gray_wyner/coloured_mnist/nothing", "no run"),
        ("gray_wyner/coloured_mnist/shared_mixture_eta=10.0", "is not trained. Make it"),
    ],
)
def test_verbs_say_what_cannot_code(run, message, tmp_path, capsys):
    params = ["--set", "scale=paper", "--set", "include=[pom2dib,gray_wyner]"]  # not trained here
    output = ["--output", str(tmp_path / "out")]
    for verb in (["encode", run, "image.npy"], ["decode", run, "file"]):
        assert main([*params, *verb, *output]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
