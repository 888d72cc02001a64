"""What `trace` says of made-up results: from their records, and of copies from what they carry."""

import json
import shutil
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from provenance.conftest import RUN, SOURCE_FILE

from ibpapers import jobs
from ibpapers.errors import UserError
from ibpapers.files import sha256
from ibpapers.provenance import record, trace, trace_text
from ibpapers.report import style

FIGURE = "results/sample-smoke/report/pom2dib/figure_2a.pdf"


def test_run_is_followed_to_its_sources(made):
    job = jobs.table(made)["train"][RUN]
    found = trace.trace(job.outputs[0])
    assert (found["tier"], found["scale"], found["state"]) == ("sample", "smoke", "as recorded")
    assert (found["job"], found["sha256"]) == (f"train {RUN}", sha256(job.outputs[0]))
    (run,) = found["runs"]
    assert run["settings"] == json.loads(job.settings)
    assert (run["code"], run["trained with"]["device"]) == (job.code, "cpu")
    (dataset,) = found["datasets"]
    assert dataset["outputs"] == run["inputs"]
    assert [source["job"] for source in dataset["sources"]] == [
        "fetch mnist_sample",
        "fetch spoken_digits_sample",
    ]


def runs_of(found):
    return {run["run"] for run in found["runs"]}


def runs_of_study(made, name):
    (study,) = (s for s in made.papers["pom2dib"].studies if s.name == name)
    return set(study.runs)


def test_exhibit_has_the_runs_of_its_study_and_what_it_read_of_the_project(made):
    found = trace.trace(FIGURE)
    assert runs_of(found) == runs_of_study(made, "rate_relevance_handwritten")
    table = made.report_folder("pom2dib") / "table_1a.json"
    assert runs_of(trace.trace(str(table))) == runs_of_study(made, "comparison_handwritten")
    assert runs_of(trace.trace("results/sample-smoke/paper.pdf")) == set(made.runs)
    assert found["read"]["published/pom2dib_table1.csv"]
    assert all(run["evaluation"]["settings"]["selection_draws"] for run in found["runs"])


def test_mlflow_keys_are_those_of_the_store(made):
    from ibpapers.tracking import mlflow_store

    found = trace.trace(str(made.evaluation_file(RUN)))
    (run,) = found["runs"]
    recipe = json.loads((made.run_folder(RUN) / "recipe.json").read_text())
    study = "comparison_handwritten"
    key = mlflow_store.key(study, RUN, 2, recipe)
    assert run["mlflow"]["keys"][f"{study}, seed 2"] == key
    assert run["mlflow"]["runs"][f"{study}, seed 2"] is None
    assert len(run["mlflow"]["keys"]) == 2 * len(recipe["recipe"]["seeds"])  # in two studies


def test_changed_file_is_called_so(made):
    path = made.run_folder(RUN) / "history.npz"
    path.write_text("other")
    assert trace.trace(str(path))["state"] == "CHANGED since it was made"
    source = made.source_folder("mnist_sample") / SOURCE_FILE
    assert trace.trace(str(source))["state"] == "as recorded"
    source.write_text("other")
    assert trace.trace(str(source))["state"] == "CHANGED since it was made"


def test_dataset_and_source_have_a_tier(made):
    for path in (made.dataset_folder("handwritten"), made.source_folder("mnist_sample")):
        found = trace.trace(str(path / "card.json"))
        assert (found["tier"], found["scale"]) == ("sample", None)


def test_settings_of_now_do_not_matter(made):
    before = trace.trace(FIGURE)
    Path("params.yaml").write_text("nonsense: [")
    trace._in_store.cache_clear()
    assert trace.trace(FIGURE) == before


def test_figure_that_was_moved_is_traced_by_what_it_carries(made, tmp_path_factory):
    content = record.read(record.path_of(FIGURE))
    moved = tmp_path_factory.mktemp("elsewhere") / "f.pdf"
    with style.house_style():
        style.save_pdf(Figure(), moved, jobs.canonical(content))
    shutil.rmtree("results")
    found = trace.trace(str(moved))
    assert found["state"].startswith("unknown")
    assert runs_of(found) == runs_of_study(made, "rate_relevance_handwritten")
    assert found["runs"][0]["mlflow"] is None
    assert "tadib_beta=0.001" in trace_text.as_text(found)


def test_password_of_the_tracking_server_is_not_shown(made):
    path = Path("results/sample-smoke/report/pom2dib/tracking.trace.json")
    content = json.loads(path.read_text())
    from ibpapers.secrets import without_secrets

    content["settings"] = without_secrets("https://someone:secret@example.org/mlflow")
    path.write_text(json.dumps(content))
    text = trace_text.as_text(trace.trace(FIGURE))
    assert "https://***@example.org/mlflow" in text and "secret" not in text


def test_text_says_once_what_runs_share(made):
    found = trace.trace(FIGURE)
    text = trace_text.as_text(found)
    updates = made.run(RUN).recipe["training"]["updates"]
    assert text.count(f"training.updates: {updates}") == 1
    assert text.count("method: ") == len(found["runs"])
    assert json.loads(trace_text.as_json(found)) == found


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("results/nothing.pdf", "there is no file"),
        ("params.yaml", "no record of how params.yaml was made"),
        (f"{FIGURE.removesuffix('.pdf')}.trace.json", "is a record itself"),
        (f"{FIGURE}#curve", "has no parts"),
    ],
)
def test_what_cannot_be_traced(made, target, message):
    with pytest.raises(UserError, match=message):
        trace.trace(target)


@pytest.mark.parametrize("lineage", [{}, [1], [{"job": "train x"}]])
def test_damaged_record_is_refused(made, lineage):
    path = record.path_of(FIGURE)
    path.write_text(json.dumps({**record.read(path), "lineage": lineage}))
    with pytest.raises(UserError, match=r"record of how .*figure_2a\.pdf was made is damaged"):
        trace.trace(FIGURE)


def test_part_of_what_was_made_from_other_results_is_refused(made):
    table = made.report_folder("pom2dib")
    (table / "results.parquet").write_text("other")
    with pytest.raises(UserError, match=r"results\.parquet.*has changed since"):
        trace.trace(f"{table / 'table_1a.json'}#N-CE/TADIB")
