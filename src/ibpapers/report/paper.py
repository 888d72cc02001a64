"""The paper: Typst sources in ``paper/`` that take every number from one JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import typst

from ibpapers.errors import UserError
from ibpapers.files import atomic_write, write_json
from ibpapers.papers import PAPERS
from ibpapers.plan import RESULTS, Plan, Study
from ibpapers.report import claims, handtyped, results, stored
from ibpapers.report.claims import Outcome
from ibpapers.report.exhibits import figure_file, read_table
from ibpapers.report.style import FONTS

SOURCES = Path("paper")


def build(
    plan: Plan, identity: Mapping[str, str], trace: str = "{}", sources: Path = SOURCES
) -> None:
    """Compile the paper to `<root>/paper.pdf` and, with the same bytes, `results/paper.pdf`.

    `identity` is shown in the header as it is, in its order: names and values of code and
    environment; below it what the runs recorded that they were trained with. `trace`, how all of
    it came to be, is attached to the PDF as trace.json. The sources read their numbers from
    `<root>/report/numbers.json`; the same inputs give the same bytes.

    Raises:
        UserError: a number is typed by hand in the sources, a name in them is unknown, or a
            figure, table or verdict is missing.
    """
    handtyped.check(sources)
    write_json(plan.root / "report" / "numbers.json", numbers(plan, identity, sources))
    pdf = _compile(plan, sources / "paper.typ", trace)
    for path in (plan.root / "paper.pdf", RESULTS / "paper.pdf"):
        with atomic_write(path) as temporary:
            temporary.write_bytes(pdf)


def numbers(plan: Plan, identity: Mapping[str, str], sources: Path = SOURCES) -> dict[str, Any]:
    """Everything the paper shows, as one tree.

    Raises:
        UserError: a figure, table or verdict is missing.
    """
    return {
        "tier": plan.params.data,
        "scale": plan.params.scale,
        "identity": [[name, str(value)] for name, value in identity.items()],
        "trained_with": _trained_with(plan),
        "order": list(plan.papers),
        "papers": {name: _paper(plan, name, sources) for name in plan.papers},
    }


def _trained_with(plan: Plan) -> list[list[str]]:
    """Names and values of the environments in the runs' recipes; all values where they differ."""
    environments = [
        stored.read(plan.run_folder(run_id) / "recipe.json", _Trained, f"train {run_id}")[
            "environment"
        ]
        for run_id in plan.runs
    ]
    names = dict.fromkeys(name for each in environments for name in each)
    return [
        [name, ", ".join(dict.fromkeys(str(each.get(name, "unknown")) for each in environments))]
        for name in names
    ]


@dataclass(frozen=True)
class _Trained:
    """What the report shows of a run's recipe.json."""

    environment: dict[str, Any]


def _paper(plan: Plan, name: str, sources: Path) -> dict[str, Any]:
    paper, verdicts = plan.papers[name], claims.read(plan, name)
    outcomes = [verdict["outcome"] for verdict in verdicts]
    settings = getattr(plan.params.papers, name).model_dump(mode="json")
    return {
        "title": PAPERS[name].title,
        "text": (sources / f"{name}.typ").exists(),
        "settings": settings,
        "runs": len(paper.runs),
        "trainings": sum(len(run.recipe["seeds"]) for run in paper.runs),
        "studies": [_study(plan, name, study) for study in paper.studies],
        "results": _results(results.read(plan, name)),
        "claims": verdicts,
        "verdicts": {outcome.name.lower(): outcomes.count(outcome) for outcome in Outcome},
    }


def _study(plan: Plan, paper: str, study: Study) -> dict[str, Any]:
    def of_study(exhibits):
        return [exhibit for exhibit in exhibits if exhibit.study == study.name]

    return {
        "name": study.name,
        "title": study.title,
        "tables": [
            {
                "name": table.name,
                "title": table.title,
                "table": read_table(plan, paper, table.name),
            }
            for table in of_study(plan.papers[paper].tables)
        ],
        "figures": [
            {
                "name": figure.name,
                "title": figure.title,
                "file": _inside(plan.root, figure_file(plan, paper, figure.name)),
            }
            for figure in of_study(plan.papers[paper].figures)
        ],
    }


def _inside(root: Path, path: Path) -> str:
    if not path.exists():
        figure = f"{path.parent.name}/{path.stem}"
        raise UserError(f"{path} is missing. Make it: python -m ibpapers figure {figure}")
    return path.relative_to(root).as_posix()


def _results(table: pd.DataFrame) -> dict[str, Any]:
    """study -> method -> metric -> estimate, for every method that a study runs once."""
    tree: dict[str, Any] = {}
    for (study, method), rows in table.groupby(["study", "method"], sort=False):
        if len(set(rows["run"])) == 1:
            tree.setdefault(study, {})[method] = {
                metric: asdict(results.estimate(values))
                for metric, values in rows.groupby("metric", sort=False)["value"]
            }
    return tree


def _compile(plan: Plan, source: Path, trace: str) -> bytes:
    """`source` with the folder that holds sources and results as Typst's root."""
    try:
        return typst.compile(
            str(source),
            root=".",
            sys_inputs={"results": f"/{plan.root.as_posix()}", "trace": trace},
            font_paths=[str(FONTS)],
            ignore_system_fonts=True,
        )
    except typst.TypstError as error:
        message = f"{source} cannot be compiled: {error.message}\n{error.diagnostic}"
        raise UserError(message) from None
