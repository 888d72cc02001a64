"""`why`, `trace`, `reproduce` and `prune` on a finished checkout, beside the real Snakemake."""

import json
import re
import shutil
import sys

import pytest
from workflow.edits import EDITS, RUNS, rewrite_without_change

from ibpapers.jobs import RULES

pytestmark = pytest.mark.slow

RUN = "pom2dib/handwritten/tadib_beta=0.001"
ROOT = "results/sample-smoke"
REPORT = f"{ROOT}/report/pom2dib"
MESSAGES = {  # of the Snakefile, by rule
    "dataset": "build {}",
    "entropy": "estimate {}",
    "figure": "draw {}",
    "table": "fill in {}",
    "claims": "judge the claims of {}",
    "track": "bring the runs of {} into MLflow",
    "paper": "typeset the report",
}
DUE = """
import sys
from ibpapers import jobs, plan
from ibpapers.provenance import why
plan = plan.read()
table = jobs.table(plan)
found = why.due(plan, table)
print(why.text(table, found))
print("".join(f"job: {one.job.id}\\n" for one in found))
"""


def due(checkout) -> tuple[str, list[str]]:
    """What `why` says, and the messages of the jobs it names as due."""
    text, *found = checkout.done(sys.executable, "-c", DUE).split("job: ")
    jobs = [job.strip().partition(" ") for job in found]
    return text, sorted(MESSAGES.get(rule, f"{rule} {{}}").format(name) for rule, _, name in jobs)


CAUSES = {
    "a beta": ["never made", "papers.pom2dib.studies.rate_relevance.betas: [0.001, 0.1] -> "],
    "a method": ["code: ibpapers.papers.pom2dib.methods.tadib edited", "what follows from that"],
    "figures": ["code: ibpapers.papers.pom2dib.figures edited"],
    "a printed number": ["input published/pom2dib_table1.csv changed"],
}


@pytest.mark.parametrize("edit", CAUSES)
def test_why_agrees_with_snakemake_and_names_the_cause(changed, edit):
    changed.edit(*EDITS[edit][0])
    text, jobs = due(changed)
    assert jobs == changed.due() == sorted(EDITS[edit][1])
    for cause in CAUSES[edit]:
        assert cause in text
    assert len(text.splitlines()) <= 24


def test_why_agrees_with_snakemake_where_nothing_is_to_do(changed):
    rewrite_without_change(changed)
    assert due(changed) == ("Nothing would run.\n\n", [])
    assert changed.due() == []


def test_why_agrees_with_snakemake_where_a_file_is_gone(changed):
    gone = changed.folder / f"{REPORT}/table_1a.json"
    content = gone.read_bytes()
    gone.unlink()
    text, jobs = due(changed)
    wanted = changed.due()
    gone.write_bytes(content)
    assert jobs == wanted == ["fill in pom2dib/table_1a", "typeset the report"]
    assert f"missing {REPORT}/table_1a.json\n    table pom2dib/table_1a" in text


def test_why_of_a_target_is_about_that_alone(changed):
    changed.edit(*EDITS["figures"][0])
    assert "Nothing would run for train." in changed.ibpapers("why", "train").stdout
    text = changed.ibpapers("why", f"{REPORT}/figure_3.pdf").stdout
    assert text.startswith("1 of ") and "figure pom2dib/figure_3" in text
    override = "--set", "papers.pom2dib.training.updates=13"
    text = changed.ibpapers(*override, "why", f"train {RUN}").stdout
    assert "papers.pom2dib.training.updates: 12 -> 13\n    train" in text


def traced(checkout, target):
    return json.loads(checkout.done(sys.executable, "-m", "ibpapers", "trace", "--json", target))


def test_cell_claim_and_number_are_followed_home(finished):
    cell = traced(finished, f"{REPORT}/table_1a.json#N-CE/TADIB")
    (run,) = cell["runs"]
    assert run["run"] == RUN and run["settings"]["seeds"] == [0, 1]
    assert all(run["mlflow"]["runs"].values()) and len(run["mlflow"]["runs"]) == 2
    assert [d["card"]["mnist_sample"]["tier"] for d in cell["datasets"]] == ["sample"]

    path = "papers.pom2dib.results.comparison_handwritten.tadib.n_ce"
    number = traced(finished, f"results/paper.pdf#{path}")
    assert number["state"] == "as recorded"
    assert number["part"]["value"]["mean"] == cell["part"]["value"]["value"]
    assert [run["run"] for run in number["runs"]] == [RUN]

    claim = traced(finished, f"{REPORT}/claims.json#sum_rate_ordering")
    assert {run["run"].rpartition("/")[2] for run in claim["runs"]} == set(RUNS) - {
        "pom2dib_beta=0.1"
    }


@pytest.mark.parametrize("name", ["paper.pdf", "report/pom2dib/figure_3.pdf"])
def test_pdf_elsewhere_is_traced_by_what_it_carries(finished, tmp_path, name):
    moved = shutil.copy(finished.folder / ROOT / name, tmp_path / "moved.pdf")
    here, there = traced(finished, f"{ROOT}/{name}"), traced(finished, str(moved))
    assert there["state"].startswith("unknown")
    assert there["runs"] == here["runs"] and there["datasets"] == here["datasets"]


def test_figure_is_reproduced_elsewhere(copy):
    figure = f"{REPORT}/figure_3.pdf"
    before = copy.artifacts()
    shown = copy.done(sys.executable, "-m", "ibpapers", "reproduce", figure)
    assert re.search(rf"^same bytes +{figure}$", shown, re.MULTILINE)
    assert "note:" not in shown and "differs" not in shown and "not made" not in shown
    assert copy.artifacts() == before


def test_nothing_is_pruned_that_the_plan_asks_for(finished):
    assert "Nothing to prune" in finished.done(sys.executable, "-m", "ibpapers", "prune")


def test_pruned_checkout_has_nothing_to_do(copy):
    copy.edit(*EDITS["a beta"][0])
    left = list((copy.folder / "results").rglob("*beta=0.1*"))
    shown = copy.done(sys.executable, "-m", "ibpapers", "prune", "--yes")
    assert "runs/pom2dib/handwritten/pom2dib_beta=0.1" in shown
    assert left and not any(path.exists() for path in left)
    assert copy.due() == sorted(EDITS["a beta"][1])


def test_every_rule_is_known_here():
    assert {*MESSAGES, "fetch", "train", "evaluate", "collect"} == set(RULES)
