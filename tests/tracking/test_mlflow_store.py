"""Finished runs in MLflow: each once, whatever happens meanwhile."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ibpapers import plan as plans
from ibpapers.files import read_json
from ibpapers.secrets import without_secrets
from ibpapers.tracking import marker, mlflow_store

if TYPE_CHECKING:
    from mlflow import MlflowClient

pytestmark = pytest.mark.slow

CHILDREN = 2 * (2 + 2)  # two studies with two runs each, two seeds


def stored(client: MlflowClient) -> tuple[list, list]:
    """Parents and children in the experiment."""
    experiment = client.get_experiment_by_name("pom2dib")
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    return [run for run in runs if run not in children], children


def test_a_parent_per_study_and_a_child_per_run_and_seed(finished, client):
    assert mlflow_store.track(finished, "pom2dib")
    parents, children = stored(client)
    assert {run.data.tags["study"] for run in parents} == {
        "comparison_handwritten", "rate_relevance_handwritten",
    }  # fmt: skip
    assert len(children) == CHILDREN
    assert {run.info.status for run in [*parents, *children]} == {"FINISHED"}
    ids = {run.info.run_id for run in parents}
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == ids


def test_a_child_has_settings_curves_final_metrics_and_recipe(finished, client, rewrite):
    rewrite(finished, updates=1200)
    mlflow_store.track(finished, "pom2dib")
    (child,) = [run for run in stored(client)[1] if run.info.run_name == "tadib_beta=0.001 seed 1"]
    recipe = finished.run("pom2dib/handwritten/tadib_beta=0.001").recipe
    coding = recipe["training"]["learning_rate"]["coding"]
    assert child.data.params["training.learning_rate.coding"] == str(coding)
    assert child.data.params["seed"] == "1" and "seeds" not in child.data.params
    assert child.data.metrics["final/selection/t1/x1/C1"] == 2.0
    assert '"method": "tadib"' in child.data.tags["recipe"]
    curve = client.get_metric_history(child.info.run_id, "training/sum_rate")
    assert len(curve) == mlflow_store.POINTS_PER_CURVE
    assert {curve[0].step, curve[-1].step} == {1, 1200}


def test_another_code_is_another_run_and_another_evaluation_is_not(finished, client, rewrite):
    mlflow_store.track(finished, "pom2dib")
    rewrite(finished, final=5.0)
    mlflow_store.track(finished, "pom2dib")
    children = stored(client)[1]
    assert len(children) == CHILDREN
    assert {run.data.metrics["final/sum_rate"] for run in children} == {5.0, 6.0}

    recipe = finished.run_folder("pom2dib/handwritten/tadib_beta=0.001") / "recipe.json"
    recipe.write_text(recipe.read_text().replace("c0de", "other"))
    mlflow_store.track(finished, "pom2dib")
    assert len(stored(client)[1]) == CHILDREN + 2


def test_half_written_run_of_a_killed_process_is_replaced(finished, client):
    mlflow_store.track(finished, "pom2dib")
    killed = stored(client)[1][0].info.run_id
    client.update_run(killed, status="RUNNING")
    mlflow_store.track(finished, "pom2dib")
    children = stored(client)[1]
    assert len(children) == CHILDREN
    assert killed not in {run.info.run_id for run in children}


def test_four_processes_on_a_fresh_database_lose_and_repeat_nothing(finished, overrides):
    code = (
        "from ibpapers import plan; from ibpapers.tracking import mlflow_store; import sys;"
        "sys.exit(not mlflow_store.track(plan.read(overrides=sys.argv[1:]), 'pom2dib'))"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, *overrides]) for _ in range(4)]
    assert [process.wait(timeout=300) for process in processes] == [0, 0, 0, 0]
    from mlflow import MlflowClient

    parents, children = stored(MlflowClient(tracking_uri=finished.params.tracking.uri))
    assert (len(parents), len(children)) == (2, CHILDREN)


def test_tracking_again_adds_nothing_and_leaves_the_same_marker(finished, client):
    mlflow_store.track(finished, "pom2dib")
    first = marker.path(finished, "pom2dib").read_bytes()
    mlflow_store.track(finished, "pom2dib")
    parents, children = stored(client)
    assert (len(parents), len(children)) == (2, CHILDREN)
    assert marker.path(finished, "pom2dib").read_bytes() == first
    content = read_json(marker.path(finished, "pom2dib"))
    assert content["complete"] and len(content["keys"]) == CHILDREN
    assert not marker.is_incomplete(finished, "pom2dib")


def test_dead_server_is_a_warning_without_its_password(finished, overrides, capsys):
    dead = "tracking.uri=http://someone:hunter2@127.0.0.1:9"
    plan = plans.read(overrides=[*overrides, dead])
    assert mlflow_store.track(plan, "pom2dib") is False
    err = capsys.readouterr().err
    assert "ibpapers: warning: pom2dib is not tracked" in err and "hunter2" not in err
    assert marker.is_incomplete(plan, "pom2dib")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:secret@host:5000/path", "http://***@host:5000/path"),
        ("postgresql+psycopg2://me:p%40ss@host/db", "postgresql+psycopg2://***@host/db"),
        ("http://host/?token=secret&x=1", "http://host/?token=***&x=***"),
        ("sqlite:///results/mlflow.db", "sqlite:///results/mlflow.db"),
        ("failed: https://a:b@c and ftp://d:e@f", "failed: https://***@c and ftp://***@f"),
    ],
)
def test_addresses_are_shown_without_secrets(text, shown):
    assert without_secrets(text) == shown
