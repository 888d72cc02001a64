"""Snakefile, dvc.yaml and Makefile say what the plan and the project say."""

import re
import subprocess
import tomllib

import pytest
import yaml

from ibpapers import dvc_file, jobs, plan
from ibpapers.config import Resources

VERBS = {
    "fetch": "fetch {}",
    "dataset": "build {}",
    "entropy": "estimate {}",
    "train": "train {}",
    "evaluate": "evaluate {}",
    "collect": "collect {}",
    "figure": "draw {}",
    "table": "fill in {}",
    "claims": "judge the claims of {}",
    "track": "bring the runs of {} into MLflow",
    "paper": "typeset the report",
}


@pytest.mark.slow
def test_snakefile_has_the_jobs_of_the_plan(checkout):
    table = jobs.table(plan.read())
    assert checkout.due() == sorted(
        VERBS[rule].format(name) for rule, of_rule in table.items() for name in of_rule
    )


def test_every_rule_says_what_it_needs(project):
    for file in (project / "workflow" / "rules").glob("*.smk"):
        text = file.read_text(encoding="utf-8")
        assert text.startswith("# In:"), file
        for rule in re.split(r"^rule ", text, flags=re.MULTILINE)[1:]:
            directives = set(re.findall(r"^    (\w+):", rule, re.MULTILINE))
            name = rule.partition(":")[0]
            wanted = {"output", "params", "log", "benchmark", "threads", "message", "shell"}
            if name in Resources.model_fields:
                wanted.add("resources")
            assert directives >= wanted, (file, name)
            assert not directives & {"run", "script"}


def test_dvc_file_is_in_step_with_the_plan(project):
    committed = (project / dvc_file.PATH).read_text(encoding="utf-8")
    assert committed == dvc_file.text(plan.read()), "write it: python -m ibpapers dvc"


def test_dvc_outputs_persist_and_include_the_records_of_snakemake(project):
    stages = yaml.safe_load((project / dvc_file.PATH).read_text(encoding="utf-8"))["stages"]
    outs = [out for stage in stages.values() for out in stage["outs"]]
    assert all(options == {"persist": True} for out in outs for options in out.values())
    assert ".snakemake/metadata" in list(stages.values())[-1]["outs"][-1]


def test_makefile_installs_the_torch_of_the_project(project):
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    (torch,) = [d for d in pyproject["project"]["dependencies"] if d.startswith("torch")]
    dry_run = ["make", "--dry-run", "--always-make", "environment", "PYTHON=python3"]
    done = subprocess.run(dry_run, cwd=project, capture_output=True, text=True, check=True)
    assert f"pip install --quiet {torch}" in done.stdout
