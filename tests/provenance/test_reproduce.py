"""What is compared with what; the workflow itself is stood in for by a copy of the results."""

import json
import shutil
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from provenance.conftest import RUN

from ibpapers import jobs
from ibpapers.errors import UserError
from ibpapers.files import sha256
from ibpapers.provenance import reproduce
from ibpapers.report import style

OVERRIDES = (
    "papers.pom2dib.datasets=[handwritten] "
    "'papers.pom2dib.studies.rate_relevance.betas=[1e-3, 0.1]'"
)
WITHOUT_TADIB = " ".join(
    f"papers.pom2dib.studies.{study}.methods=[pom2dib]"
    for study in ("comparison", "rate_relevance")
)
EVALUATION = f"results/sample-smoke/evaluations/{RUN}.parquet"
MODEL = f"results/sample-smoke/runs/{RUN}/model.safetensors"


@pytest.fixture
def workflow(monkeypatch):
    """What the workflow would be asked for; `change`, if any, is done to what it makes."""
    asked = {}

    def make(table, job, scratch, overrides):
        asked.update(job=job, scratch=scratch, files=sorted(p.name for p in scratch.iterdir()))
        asked.update(reused=sorted(p.name for p in scratch.glob("results/sources/*")))
        shutil.copytree("results", scratch / "results", dirs_exist_ok=True)
        asked.get("change", lambda results: None)(scratch)

    monkeypatch.setattr(reproduce, "_make", make)
    return asked


def state():
    return {path: sha256(path) for path in Path("results").rglob("*") if path.is_file()}


def test_same_bytes_are_reported_and_the_scratch_folder_goes(made, workflow, capsys):
    before = state()
    assert reproduce.reproduce(EVALUATION, OVERRIDES)
    assert state() == before
    shown = capsys.readouterr().out
    assert f"same bytes                          {MODEL}" in shown
    assert shown.endswith("2 reused, 6 same bytes\n") and "note:" not in shown
    assert "making 3 jobs again" in shown
    assert workflow["job"] == f"evaluate {RUN}"
    assert workflow["reused"] == ["mnist_sample", "spoken_digits_sample"]
    assert {"params.yaml", "published", "requirements.lock"} <= set(workflow["files"])
    assert not workflow["scratch"].exists()


def test_other_bytes_and_missing_files_are_no_success(made, workflow, capsys):
    def spoil(scratch):
        (scratch / MODEL).write_text("other")
        (scratch / EVALUATION).unlink()

    workflow["change"] = spoil
    assert not reproduce.reproduce(EVALUATION, OVERRIDES)
    shown = capsys.readouterr().out
    assert f"differs                             {MODEL}" in shown
    assert f"not made                            {EVALUATION}" in shown
    assert "4 same bytes, 1 differs, 1 not made" in shown


@pytest.mark.parametrize(("height", "same"), [(1.0, True), (2.0, False)])
def test_figure_may_differ_in_the_record_it_carries(made, workflow, capsys, height, same):
    figure = Path("results/sample-smoke/report/pom2dib/figure_2a.pdf")
    draw(figure, 1.0, "then")
    path = figure.with_suffix(".trace.json")
    content = json.loads(path.read_text())
    content["outputs"] = {str(figure): sha256(figure)}
    path.write_text(json.dumps(content))
    workflow["change"] = lambda scratch: draw(scratch / figure, height, "now")
    assert reproduce.reproduce(str(figure), OVERRIDES) is same
    assert ("1 same but for the record it carries" in capsys.readouterr().out) is same


def draw(path, height, trace):
    figure = Figure()
    figure.subplots().plot([0, height])
    style.save_pdf(figure, path, trace)


def test_kept_folder_stays_and_has_to_be_empty(made, workflow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept") / "here"
    assert reproduce.reproduce(EVALUATION, OVERRIDES, keep=str(folder))
    assert (folder / MODEL).exists()
    with pytest.raises(UserError, match="is not an empty folder"):
        reproduce.reproduce(EVALUATION, OVERRIDES, keep=str(folder))


def test_folder_inside_the_project_does_not_link_to_itself(made, workflow):
    assert reproduce.reproduce(EVALUATION, OVERRIDES, keep="again/here")
    assert not Path("again/here/again").exists()


def test_source_that_changed_is_not_reused(made, workflow):
    card = made.source_folder("mnist_sample") / "card.json"
    card.write_text(f"{card.read_text()} ")
    reproduce.reproduce(EVALUATION, OVERRIDES)
    assert workflow["reused"] == ["spoken_digits_sample"]


def test_other_settings_are_refused_by_name(made, workflow):
    other = f"{OVERRIDES} papers.pom2dib.training.updates=66"
    with pytest.raises(UserError, match=r"train: training\.updates: \d+ -> 66"):
        reproduce.reproduce(EVALUATION, other)
    with pytest.raises(UserError, match=r"the plan has no train .*tadib_beta=0\.001"):
        reproduce.reproduce(EVALUATION, WITHOUT_TADIB)
    assert workflow == {}


def test_data_and_scale_of_the_file_count_not_those_of_now(made, workflow):
    assert reproduce.reproduce(EVALUATION, f"{OVERRIDES} data=real scale=laptop")


def test_other_code_and_environment_are_said_before(made, workflow, capsys):
    path = Path(jobs.table(made)["train"][RUN].record)
    content = json.loads(path.read_text())
    content["code"] = content["modules"]["ibpapers.training.loop"] = "other"
    content["environment"]["torch"] = "1.0"
    path.write_text(json.dumps(content))
    reproduce.reproduce(EVALUATION, OVERRIDES)
    shown = capsys.readouterr().out
    assert "the code is not the same (code: ibpapers.training.loop edited)" in shown
    assert "torch 1.0 -> " in shown


def test_what_is_in_mlflow_is_not_made_again(made, workflow):
    with pytest.raises(UserError, match="nothing to make again"):
        reproduce.reproduce(str(made.report_folder("pom2dib") / "tracking.json"), OVERRIDES)


def test_copy_is_not_compared(made, workflow, tmp_path_factory):
    content = json.loads(Path("results/sample-smoke/paper.trace.json").read_text())
    copied = tmp_path_factory.mktemp("elsewhere") / "p.pdf"
    draw(copied, 1.0, json.dumps({k: v for k, v in content.items() if k != "outputs"}))
    with pytest.raises(UserError, match="is a copy: name what `paper paper` makes"):
        reproduce.reproduce(str(copied), OVERRIDES)
