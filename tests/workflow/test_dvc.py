"""Results that travel with DVC: what a clone has to do, and what an experiment records."""

import json
import sys

import pytest
import yaml
from workflow.conftest import copy_finished
from workflow.edits import EDITS, rewrite_without_change, touch_everything

pytestmark = pytest.mark.slow

DVC = sys.executable, "-m", "dvc"
COMMIT = "git", "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qam"


@pytest.fixture(scope="module")
def tracked(finished, tmp_path_factory):
    """A finished checkout in Git and DVC, pushed to a folder."""
    folder = tmp_path_factory.mktemp("tracked") / "a checkout"
    copy_finished(finished.folder, folder)
    tracked = type(finished)(folder)
    tracked.provide_environment()
    for command in (
        ("git", "init", "--quiet"),
        (*DVC, "remote", "add", "--default", "folder", str(folder.with_name("remote"))),
        (*DVC, "repro"),
        (*DVC, "push"),
        ("git", "add", "."),
        (*COMMIT, "results"),
    ):
        tracked.done(*command)
    return tracked


@pytest.fixture(scope="module")
def clone(tracked):
    """A clone that has pulled the results."""
    clone = type(tracked)(tracked.folder.with_name("a clone"))
    tracked.done("git", "clone", "--quiet", str(tracked.folder), str(clone.folder))
    clone.done(*DVC, "pull")
    clone.provide_environment()
    return clone


@pytest.fixture
def cloned(clone):
    """The clone, put back afterwards."""
    yield clone
    clone.done("git", "checkout", "--quiet", ".")


def is_clean(checkout):
    return json.loads(checkout.done(*DVC, "status", "--json")) == {}


def test_dvc_and_snakemake_agree(tracked):
    assert is_clean(tracked) and tracked.due() == []
    touch_everything(tracked)
    params = tracked.folder / "params.yaml"
    text = params.read_text()
    params.write_text(yaml.safe_dump(dict(reversed(yaml.safe_load(text).items())), sort_keys=False))
    assert is_clean(tracked) and tracked.due() == []
    params.write_text(text)


def test_clone_with_pulled_results_has_nothing_to_do(clone):
    assert not (clone.folder / "results/sources").exists()
    assert is_clean(clone) and clone.due() == []


@pytest.mark.parametrize("edit", EDITS)
def test_clone_with_pulled_results_reruns_exactly_what_an_edit_changes(cloned, edit):
    cloned.edit(*EDITS[edit][0])
    # A source that was not pulled is made first, where a dataset is made of it.
    sources = {"fetch mnist_sample", "fetch spoken_digits_sample"}
    assert sorted({*cloned.due()} - sources) == sorted({*EDITS[edit][1]} - sources)
    assert not is_clean(cloned)


def test_comment_computes_nothing_though_dvc_sees_it(tracked):
    """DVC goes by files; Snakemake, which it calls, knows better."""
    rewrite_without_change(tracked)
    assert tracked.due() == []
    before = tracked.artifacts()
    output = tracked.done(*DVC, "repro")
    assert output.count("Nothing to be done") == 4 and "jobs:" not in output
    assert tracked.artifacts() == before
    assert is_clean(tracked)
    tracked.done("git", "checkout", "--quiet", ".")
    tracked.done(*DVC, "checkout")


def test_older_commit_with_its_results_has_nothing_to_do(tracked):
    undisturbed = tracked.artifacts()
    tracked.edit(*EDITS["figures"][0])
    tracked.edit("params.yaml", "selection_draws: 10", "selection_draws: 11")
    tracked.done(*DVC, "repro")
    assert tracked.artifacts() != undisturbed
    tracked.done(*COMMIT, "another figure")
    tracked.done("git", "checkout", "--quiet", "HEAD~1")
    tracked.done(*DVC, "checkout")
    assert tracked.due() == []
    assert is_clean(tracked)
    assert tracked.artifacts() == undisturbed
    tracked.done("git", "checkout", "--quiet", "-")
    tracked.done(*DVC, "checkout")
    assert tracked.due() == []


@pytest.mark.parametrize("where", [(), ("--temp",)])
def test_experiment_records_outputs_made_with_its_own_params(cloned, where):
    name = "temp" if where else "here"
    draws = 12 + len(where)
    key = "papers.pom2dib.evaluation.selection_draws"
    output = cloned.done(*DVC, "exp", "run", *where, "-n", name, "-S", f"{key}={draws}")
    assert "Installing" not in output
    cloned.done(*DVC, "exp", "apply", name)
    params = yaml.safe_load((cloned.folder / "params.yaml").read_text())
    assert params["papers"]["pom2dib"]["evaluation"]["selection_draws"] == draws
    record = "evaluations/pom2dib/handwritten/tadib_beta=0.001.trace.json"
    recorded = json.loads((cloned.folder / "results/sample-smoke" / record).read_text())
    assert recorded["settings"]["selection_draws"] == draws
    assert cloned.due() == [] and is_clean(cloned)
    cloned.done("git", "checkout", "--quiet", ".")
    cloned.done(*DVC, "checkout")
    assert cloned.due() == []
