"""The command line: one clear message for every mistake, and nothing imported in vain."""

import json
import subprocess
import sys

import pytest

from ibpapers import plan
from ibpapers.__main__ import main

MISTAKES = {
    "papers.pom2dib.training.updats=3": "did you mean 'updates'?",
    "papers.pom2dib.studies.comparison.beta=-1": "greater than or equal to 0",
    "papers.pom2dib.studies.comparison.methods=[tadib,pomdib]": "'pomdib'",
    "scale=huge": "'smoke', 'laptop' or 'paper'",
    "papers.pom2dib.seeds": "expected key.path=value",
}


@pytest.mark.parametrize("override", MISTAKES)
def test_mistaken_setting_is_one_message(override, capsys):
    assert main(["--set", override, "plan"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ibpapers: error: ") and err.count("\n") == 1
    assert MISTAKES[override] in err and override.partition("=")[0] in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "pom2dib/handwritten/unknown"],
        ["train"],
        ["train", "--recipe", "missing.json"],
        ["train", "--recipe", "missing.json", "--output", "somewhere"],
        ["train", "pom2dib/handwritten/dlsc", "--dataset", "somewhere"],
        ["dataset", "unknown"],
        ["fetch", "unknown"],
        ["collect", "unknown"],
        ["figure", "pom2dib/unknown"],
        ["figure", "unknown/figure_3"],
        ["--params", "missing.yaml", "plan"],
    ],
)
def test_mistaken_argument_is_one_message(arguments, capsys):
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("ibpapers: error: ")


@pytest.mark.slow
def test_mistake_stops_the_workflow_before_its_first_job(checkout):
    override = next(iter(MISTAKES))
    key, _, value = override.partition("=")
    done = checkout.snakemake(**{key: value})
    assert done.returncode != 0
    assert done.stdout.count("ibpapers: error: ") == 1
    assert MISTAKES[override] in done.stdout and "Traceback" not in done.stdout
    assert not (checkout.folder / "results").exists()


@pytest.mark.slow
def test_damaged_source_stops_the_workflow_and_leaves_nothing(checkout):
    (checkout.folder / "mirror" / "mnist").mkdir(parents=True)
    (checkout.folder / "mirror" / "mnist" / "train-images-idx3-ubyte.gz").write_bytes(b"tampered")
    real = {"data": "real", "mirror": "mirror", "include": "[pom2dib]"}
    done = checkout.snakemake("--logger", "ibpapers", **real)
    assert done.returncode != 0
    assert "ibpapers: error: cannot fetch" in done.stdout and "Traceback" not in done.stdout
    made = [path for path in (checkout.folder / "results").rglob("*") if path.is_file()]
    assert {path.parts[-3] for path in made} <= {"logs"}


def test_interruption_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(plan, "read", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert main(["plan"]) == 130
    assert capsys.readouterr().err.count("\n") == 1


def test_overrides_reach_a_command_through_the_environment(monkeypatch, capsys):
    monkeypatch.setenv("IBPAPERS_SET", "scale=paper papers.pom2dib.seeds=[7]")
    assert main(["--set", "papers.pom2dib.seeds=[8]", "settings"]) == 0
    out = capsys.readouterr().out
    assert "scale = paper" in out and "papers.pom2dib.seeds = [8]" in out


def test_settings_lists_every_key_with_what_is_allowed(capsys):
    assert main(["settings"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("training.weight_decay" in line and ">= 0" in line for line in lines)
    assert "mirror = null  [text | null]  folder or URL" in "\n".join(lines)


def test_recipe_is_what_train_takes(capsys):
    assert main(["recipe", "pom2dib/handwritten/dlsc"]) == 0
    job = json.loads(capsys.readouterr().out)
    assert set(job) == {"recipe", "code", "dataset", "entropies", "runs", "sha256"}
    assert job["recipe"]["method"] == "dlsc"


@pytest.mark.slow
def test_training_imports_nothing_a_gpu_node_lacks():
    heavy = {"pydantic", "yaml", "snakemake", "dvc", "mlflow", "matplotlib", "sklearn", "scipy",
             "torch._dynamo"}  # fmt: skip
    code = (
        "import ibpapers.__main__, ibpapers.training, ibpapers.papers.pom2dib.systems;"
        "import ibpapers.papers.pom2dib.methods.pom2dib as _;"
        "import torch; from ibpapers.training.adam import Adam;"
        "p = torch.ones(1, requires_grad=True); p.sum().backward(); Adam([p], fused=True).step()"
    )
    assert not heavy & imported(code)


@pytest.mark.slow
def test_planning_and_reporting_import_no_torch():
    rooms = "studies", "figures", "tables", "claims"
    code = (
        "import ibpapers.jobs, ibpapers.dvc_file, ibpapers.report.paper, "
        + ", ".join(f"ibpapers.papers.pom2dib.{room}" for room in rooms)
        + "; ibpapers.plan.read()"
    )
    assert not {"torch", "mlflow", "dvc", "snakemake"} & imported(code)


def imported(code: str) -> set[str]:
    """Modules that a fresh interpreter has imported after `code`."""
    code += "; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())
