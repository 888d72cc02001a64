"""dvc.yaml, written from the plan: a few coarse stages that call make, which computes what is due.

Stages of DVC only store and restore; what has to run again is judged job by job by Snakemake, with
the records in .snakemake/metadata. Those are an output too: restored results without them would
be taken for fresh whatever has changed since. Outputs persist, or DVC would delete them first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ibpapers.files import atomic_write
from ibpapers.plan import Plan

PATH = Path("dvc.yaml")
HEADER = "# Written by `python -m ibpapers dvc` from the plan; a test holds it to that.\n"
CODE = ["Snakefile", "workflow/rules", "src/ibpapers", "params", "requirements.lock"]
ROOT = "results/${data}-${scale}"  # filled in by DVC from params.yaml


def write(plan: Plan) -> None:
    with atomic_write(PATH) as temporary:
        temporary.write_text(text(plan), encoding="utf-8")


def text(plan: Plan) -> str:
    """The content of dvc.yaml."""
    return HEADER + yaml.safe_dump({"stages": stages(plan)}, sort_keys=False, width=100)


def stages(plan: Plan) -> dict[str, Any]:
    datasets = [f"results/datasets/{dataset}-${{data}}" for dataset in plan.datasets()]
    runs = [f"{ROOT}/runs/{paper}" for paper in plan.papers]
    evaluations = [f"{ROOT}/evaluations/{paper}" for paper in plan.papers]
    reports = [f"{ROOT}/report/{paper}" for paper in plan.papers]
    papers = [f"papers.{paper}" for paper in plan.papers]
    pdfs = [f"{ROOT}/paper.pdf", f"{ROOT}/paper.trace.json", "results/paper.pdf"]
    last = [*reports, f"{ROOT}/report/numbers.json", *pdfs, ".snakemake/metadata"]
    shape = ["data", "scale", "threads", *papers]
    entropies = [f"{ROOT}/entropies/{paper}" for paper in _with_entropies(plan)]
    stages = {
        "data": _stage("datasets", [], ["data", "sources", "datasets"], datasets),
        "entropy": _stage("entropies", datasets, shape, entropies),
        "train": _stage("runs", [*datasets, *entropies], shape, runs),
        "evaluate": _stage("evaluations", [*datasets, *entropies, *runs], papers, evaluations),
        "report": _stage("paper", ["published", "paper", *evaluations], papers, last),
    }
    return {name: stage for name, stage in stages.items() if stage["outs"]}


def _with_entropies(plan: Plan) -> list[str]:
    return [name for name, paper in plan.papers.items() if paper.entropies]


def _stage(target: str, deps: list[str], params: list[str], outs: list[str]) -> dict[str, Any]:
    return {
        "cmd": f"make {target}",
        "deps": [*CODE, *deps],
        "params": list(params),  # a copy, or YAML would write it as an alias
        "outs": [{out: {"persist": True}} for out in outs],
    }
