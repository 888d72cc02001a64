"""The plan: what the settings ask for, each run once."""

import ast
from importlib import import_module, resources

import pytest

from ibpapers import jobs, plan
from ibpapers.config import load
from ibpapers.papers import PAPERS
from ibpapers.papers.pom2dib.settings import NO_LIMITS


def planned(*overrides):
    return plan.make(load("params.yaml", overrides))


def test_studies_share_their_runs():
    paper = planned().papers["pom2dib"]
    asked = [run for study in paper.studies for run in study.runs]
    assert len(set(asked)) < len(asked)
    assert {run.id for run in paper.runs} == set(asked)


def test_runs_are_named_by_what_sets_them_apart():
    ids = list(planned("scale=paper").runs)
    assert "pom2dib/handwritten/tadib_beta=0.0001" in ids
    assert "pom2dib/handwritten/dlsc" in ids
    of_handwritten = sum(run.startswith("pom2dib/handwritten/") for run in ids)
    assert of_handwritten == 3 * 6 + 1 + 6 + 4 + 3  # ratios, stable, without limits
    assert sum(run.startswith("pom2dib/mm_fi/") for run in ids) == 3 * 6 + 1 + 6 + 3


def test_values_that_differ_in_the_last_digit_are_different_runs():
    betas = "papers.pom2dib.studies.rate_relevance.betas=[0.001, 0.0010000000000000002]"
    one_dataset = "papers.pom2dib.datasets=[handwritten]"
    assert len(planned(betas, one_dataset, "include=[pom2dib]").runs) == 2 * 3 + 2 + 1 + 3


def test_a_dataset_has_its_own_settings():
    runs = planned("papers.pom2dib.mm_fi.seeds=[7]", "scale=paper").runs
    ours, other = (runs[f"pom2dib/{name}/dlsc"].recipe for name in ("mm_fi", "handwritten"))
    assert ours["seeds"] == [7]
    assert (ours["model"]["code_dimension"], other["model"]["code_dimension"]) == (48, 24)
    assert "fft_scaling" in other["training"] and "fft_scaling" not in ours["training"]


def test_a_ratio_of_learning_rates_leaves_the_coding_s_and_its_own_is_the_run_of_table_1():
    ours = planned("scale=paper", "papers.pom2dib.seeds=[0]")
    studies = {study.name: study.runs for study in ours.papers["pom2dib"].studies}
    for dataset in ("handwritten", "mm_fi"):
        found = [ours.runs[run] for run in studies[f"learning_rate_ratio_{dataset}"]]
        rates = [run.recipe["training"]["learning_rate"] for run in found]
        assert {rate["coding"] for rate in rates} == {1e-4}
        assert [rate["selection"] for rate in rates] == [1e-4 * 2.0**i for i in range(-4, 3)]
        assert found[0].name == "pom2dib_ratio=0.0625_beta=0.001"
        assert found[3].id in studies[f"comparison_{dataset}"]


def test_dynamics_are_those_of_runs_that_the_tradeoff_has_anyway():
    ours = planned("scale=paper")
    studies = {study.name: study.runs for study in ours.papers["pom2dib"].studies}
    for dataset in ("handwritten", "mm_fi"):
        shown = studies[f"dynamics_{dataset}"]
        assert set(shown) < set(studies[f"rate_relevance_{dataset}"])
        betas = [ours.runs[run].recipe["beta"] for run in shown]
        assert betas == [0.0, 1e-4, 1e-3, 1e-2, 1e-1]


def test_a_study_that_no_dataset_is_asked_for_is_left_out_with_its_runs_and_exhibits():
    every = planned("include=[pom2dib]").papers["pom2dib"]
    studies = "papers.pom2dib.studies"
    paper = planned(
        "include=[pom2dib]",
        f"{studies}.dynamics.datasets=[]",
        f"{studies}.learning_rate_ratio.datasets=[mm_fi]",
        f"{studies}.stability.methods=[]",
    ).papers["pom2dib"]
    left_out = {study.name for study in every.studies} - {study.name for study in paper.studies}
    assert left_out == {
        "dynamics_handwritten", "dynamics_mm_fi", "learning_rate_ratio_handwritten", "stability",
    }  # fmt: skip
    gone = {run.name for run in every.runs} - {run.name for run in paper.runs}
    assert gone == {"pom2dib_stable_beta=0.001"}, "MM-Fi has the ratio still"
    exhibits = {exhibit.name for exhibit in (*paper.figures, *paper.tables)}
    assert not exhibits & {"figure_2c", "figure_2d", "figure_2e", "table_2a", "table_stability"}
    assert {"figure_2f", "table_2b"} <= exhibits


def test_figures_5_to_8_are_of_runs_without_limits():
    ours = planned()
    figures = {figure.name: figure for figure in ours.papers["pom2dib"].figures}
    for number, beta, gamma, datasets in (
        (5, 1e-3, None, ["handwritten", "mm_fi"]),
        (6, 0.0, None, ["handwritten", "mm_fi"]),
        (7, 1e-3, 0.1, ["handwritten"]),
        (8, 1e-3, 0.1, ["mm_fi"]),
    ):
        runs = [ours.runs[run] for run in figures[f"figure_{number}"].histories]
        assert [run.dataset for run in runs] == datasets
        for run in runs:
            assert run.recipe["beta"] == beta
            assert run.recipe["training"].get("gamma") == gamma
            assert run.recipe["limits"] == NO_LIMITS[run.dataset].model_dump()


def test_the_sparse_prior_is_held_against_the_run_of_table_1():
    studies = {study.name: study.runs for study in planned().papers["pom2dib"].studies}
    for dataset in ("handwritten", "mm_fi"):
        limited, _ = studies[f"sparse_prior_{dataset}"]
        assert limited in studies[f"comparison_{dataset}"]


def test_studies_without_datasets_ask_for_nothing():
    none = [f"papers.pom2dib.studies.{name}.datasets=[]" for name in ("no_limits", "sparse_prior")]
    assert not {"figure_5", "figure_7"} & {x.name for x in planned(*none).papers["pom2dib"].figures}
    assert not any("no_limits" in run or "sparse" in run for run in planned(*none).runs)


def test_a_generated_source_has_settings_and_a_real_one_has_none():
    params = "sources.mm_fi_sample.frames=5"
    assert planned(params).source_settings("mm_fi_sample")["frames"] == 5
    assert planned(params).source_settings("mnist") == {}
    settings = jobs.table(planned(params))["fetch"]["mm_fi_sample"].settings
    assert '"frames":5' in settings


def test_shards_are_outputs_of_a_dataset():
    outputs = jobs.table(planned())["dataset"]["mm_fi"].outputs
    assert "results/datasets/mm_fi-sample/test_wifi-csi.npy" in outputs
    assert len(outputs) == 2 + 2 * 7


def test_paths_are_identities():
    ours = planned("data=real", "scale=laptop")
    folder = ours.run_folder("pom2dib/handwritten/dlsc")
    assert folder.as_posix() == "results/real-laptop/runs/pom2dib/handwritten/dlsc"


def test_figures_and_tables_and_claims_have_their_functions():
    for name, paper in planned().papers.items():
        rooms = {kind: PAPERS[name].room(kind) for kind in ("figures", "tables", "claims")}
        for figure in paper.figures:
            assert callable(getattr(rooms["figures"], figure.name))
        for table in paper.tables:
            assert callable(getattr(rooms["tables"], table.name))
        for claim in paper.claims:
            assert callable(getattr(rooms["claims"], claim))


@pytest.mark.parametrize("run", planned().runs.values(), ids=lambda run: run.id)
def test_methods_have_their_module(run):
    assert callable(import_module(run.module).build)


def test_one_line_makes_a_paper():
    # The engine knows no paper by name: outside a paper's own folder it is named in one place.
    package = resources.files("ibpapers")
    said = {path: strings(path.read_text()) for path in package.rglob("*.py")}
    for name in PAPERS:
        outside = {p: found for p, found in said.items() if f"papers/{name}/" not in p.as_posix()}
        naming = [path.name for path, found in outside.items() if name in found]
        assert naming == ["__init__.py"], naming


def strings(source):
    return {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}


def test_one_line_makes_a_method():
    # A method is a file in methods/ and a word in the settings.
    package = resources.files("ibpapers.papers.pom2dib")
    methods = {p.stem for p in (package / "methods").iterdir() if p.suffix == ".py"} - {"__init__"}
    text = (package / "settings.py").read_text()
    assert all(text.count(f'"{method}"') == 1 for method in methods)
