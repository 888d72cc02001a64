"""A folder in which every job of a plan has left made-up outputs and its real record."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from report import fake_results

from ibpapers import jobs
from ibpapers import plan as plans
from ibpapers.files import sha256
from ibpapers.jobs import Job
from ibpapers.plan import Plan
from ibpapers.provenance.record import recorded

OVERRIDES = (
    fake_results.ONE_PAPER,
    fake_results.ONE_DATASET,
    "papers.pom2dib.studies.rate_relevance.betas=[1e-3, 0.1]",
)
RUN = "pom2dib/handwritten/tadib_beta=0.001"
SOURCE_FILE = "raw.gz"


@pytest.fixture(scope="session")
def _made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for name in ("published", "paper", "params", "params.yaml", "requirements.lock"):
        part = fake_results.REPOSITORY / name
        (shutil.copytree if part.is_dir() else shutil.copy)(part, folder / name)
    style = folder / jobs.STYLE
    style.parent.mkdir(parents=True)
    shutil.copy(fake_results.REPOSITORY / jobs.STYLE, style)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_all(plans.read(overrides=OVERRIDES))
    return folder


@pytest.fixture
def made(_made, tmp_path, monkeypatch) -> Plan:
    """The plan of the folder, which is the working folder and may be changed."""
    shutil.copytree(_made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return plans.read(overrides=OVERRIDES)


def make_all(plan: Plan) -> None:
    for of_rule in jobs.table(plan).values():
        for job in of_rule.values():
            make(plan, job)


def make(plan: Plan, job: Job) -> None:
    """Do `job` with outputs that only say what they are, but for what is read elsewhere."""
    with recorded(job) as record:
        for path in map(Path, job.outputs):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{job.id}: {path.name}\n")
        if job.rule == "fetch":
            card = Path(job.outputs[0])
            raw = card.with_name(SOURCE_FILE)
            raw.write_text(job.id)
            described = {"sha256": sha256(raw), "content": "sha256:0"}
            card.write_text(json.dumps(_card(job, plan, {"files": {SOURCE_FILE: described}})))
        if job.rule == "dataset":
            arrays, card, *_ = map(Path, job.outputs)
            facts = {"arrays": {"sha256": sha256(arrays)}, "sources": {}}
            card.write_text(json.dumps(_card(job, plan, facts)))
        if job.rule == "train":
            run, folder = plan.run(job.name), plan.run_folder(job.name)
            environment = {"device": "cpu", "torch": "2.13.0"}
            content = {"recipe": run.recipe, "code": job.code, "inputs": {"dataset": "0"}}
            (folder / "recipe.json").write_text(json.dumps({**content, "environment": environment}))
            record.content["training"] = environment


def _card(job: Job, plan: Plan, facts: dict) -> dict:
    return {"name": job.name, "tier": plan.tier, "licence": "free", **facts}
