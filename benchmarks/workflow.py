"""How long the workflow takes when it has little or nothing to compute.

    .venv/bin/python benchmarks/workflow.py

Works in scratch copies of the project. In the first three scenes results are placeholders with true
records, so that only the workflow itself is timed; the baseline, timed in the same run, is a
Snakefile with as many jobs that depend on nothing: what Snakemake takes at best. In the last, a
small chain really runs, one figure's code is edited, and its baseline is the same command with
nothing edited.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "src"))

from ibpapers import jobs, plan  # noqa: E402
from ibpapers.provenance.record import recorded  # noqa: E402

PARTS = (
    "Snakefile", "paper", "params", "params.yaml", "profiles", "published", "requirements.lock",
    "src", "workflow",
)  # fmt: skip
REPEATS = 3
BETAS = ",".join(f"{0.001 * (i + 1):.3f}" for i in range(662))
SCENES = {
    # what is timed: settings, arguments of snakemake, seconds it may take
    "nothing to do, default plan": ("", ["all"], 5),
    "nothing to do, paper-scale plan": ("scale=paper data=real", ["all"], 15),
    "dry run of 2,000 runs": (
        f"papers.pom2dib.studies.rate_relevance.betas=[{BETAS}]", ["all", "--dry-run"], 10,
    ),
}  # fmt: skip
SMALL = (
    "papers.pom2dib.seeds=[0,1] papers.pom2dib.training.updates=2 papers.pom2dib.model.widths=[4] "
    "papers.pom2dib.studies.rate_relevance.methods=[pom2dib]"
)
FIGURE = "src/ibpapers/papers/pom2dib/figures.py"
TOY = """
N = {jobs}
rule all:
    input: expand("out/{{i}}", i=range(N))
rule one:
    output: "out/{{i}}"
    shell: "touch {{output}}"
"""


def main() -> None:
    print(f"{'':34}{'jobs':>7}{'seconds':>9}{'allowed':>9}{'ratio':>10}")
    for name, (settings, arguments, allowed) in SCENES.items():
        with tempfile.TemporaryDirectory() as folder:
            count = copy_project(Path(folder), settings, finished="--dry-run" not in arguments)
            ours = seconds(Path(folder), arguments, settings)
            alone = seconds_alone(Path(folder), count, arguments)
        show(name, count, ours, allowed, ours / alone)
    with tempfile.TemporaryDirectory() as folder:
        show("a figure redrawn after an edit", *redraw(Path(folder)))


def show(name: str, count: int, ours: float, allowed: int, ratio: float) -> None:
    print(f"{name:34}{count:>7,}{ours:>9.1f}{allowed:>9}{ratio:>10.2f}", flush=True)


def redraw(folder: Path) -> tuple[int, float, int, float]:
    """From the edit of a figure's code to the new PDF of that figure."""
    copy_project(folder, SMALL, finished=False)
    figure = "results/sample-smoke/report/pom2dib/figure_2a.pdf"
    snakemake(folder, ["all"], SMALL)
    idle = seconds(folder, [figure], SMALL)
    with open(folder / FIGURE, "a", encoding="utf-8") as code:
        code.write("EDITED = True\n")
    start = time.perf_counter()
    snakemake(folder, [figure], SMALL)
    took = time.perf_counter() - start
    return 1, took, 10, took / idle


def copy_project(folder: Path, settings: str, finished: bool) -> int:
    """Copy the project to `folder`; with `finished`, as if all its jobs had run. Counts them."""
    for part in PARTS:
        copy = shutil.copytree if (PROJECT / part).is_dir() else shutil.copy2
        copy(PROJECT / part, folder / part)
    os.chdir(folder)
    table = jobs.table(plan.read("params.yaml", settings.split()))
    of_all = [job for rule in table.values() for job in rule.values()]
    if finished:
        for job in of_all:
            pretend(job)
        snakemake(folder, ["all", "--touch"], settings)
    return len(of_all)


def pretend(job: jobs.Job) -> None:
    with recorded(job):
        for path in map(Path, job.outputs):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text('{"complete": true}')


def seconds(folder: Path, arguments: list[str], settings: str) -> float:
    """The median over repeats of a whole `snakemake` process."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        snakemake(folder, arguments, settings)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def seconds_alone(folder: Path, count: int, arguments: list[str]) -> float:
    toy = folder / "toy"
    toy.mkdir()
    (toy / "Snakefile").write_text(TOY.format(jobs=count))
    if "--dry-run" not in arguments:
        (toy / "out").mkdir()
        for i in range(count):
            (toy / "out" / str(i)).touch()
        snakemake(toy, ["--touch", "--cores", "1"], "")
    return seconds(toy, [*arguments, "--cores", "1"], "")


def snakemake(folder: Path, arguments: list[str], settings: str) -> None:
    environment = {**os.environ, "IBPAPERS_SET": settings, "PYTHONPATH": str(folder / "src")}
    command = [sys.executable, "-m", "snakemake", *arguments, "--quiet"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


if __name__ == "__main__":
    main()
