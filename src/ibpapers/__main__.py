"""The command line: ``python -m ibpapers VERB``, one verb per rule of the Snakefile.

Every verb imports what it needs when it is called: `plan` starts without torch, and `train
--recipe` on a node that has Python, torch, numpy, pandas and safetensors only.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ibpapers.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ibpapers.plan import Plan

# Overrides for a whole workflow and the commands of its jobs, `key.path=value` by spaces.
OVERRIDES = "IBPAPERS_SET"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb. Returns 0, or 2 after a UserError, 130 after Ctrl-C, with one message."""
    options = _parser().parse_args(arguments)
    try:
        options.verb(options)
    except UserError as error:
        print(f"ibpapers: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ibpapers: interrupted; what is finished stays", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ibpapers", description="From data to paper; `make paper` runs all of it in order."
    )
    parser.add_argument("--params", metavar="FILE", default="params.yaml", help="settings to use")
    parser.add_argument(
        "--set",
        metavar="KEY.PATH=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="override one setting (may be repeated)",
    )
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)

    def verb(function, argument: str | None = None, **keywords) -> argparse.ArgumentParser:
        name = function.__name__.removeprefix("_")
        added = verbs.add_parser(name, help=function.__doc__, description=function.__doc__)
        added.set_defaults(verb=function)
        if argument:
            added.add_argument(argument.lower(), metavar=argument, **keywords)
        return added

    verb(_settings)
    verb(_plan).add_argument("--list", action="store_true", help="name every job")
    verb(_recipe, "RUN")
    verb(_fetch, "SOURCE")
    verb(_dataset, "NAME")
    train = verb(_train, "RUN", nargs="?", help="a run of the plan")
    train.add_argument("--recipe", metavar="FILE", help="what `recipe RUN` printed, for no plan")
    train.add_argument("--dataset", metavar="FOLDER", help="with --recipe: the dataset")
    train.add_argument("--output", metavar="FOLDER", help="with --recipe: where the run goes")
    verb(_evaluate, "RUN")
    verb(_collect, "PAPER")
    verb(_figure, "PAPER/NAME")
    verb(_table, "PAPER/NAME")
    verb(_claims, "PAPER")
    verb(_track, "PAPER")
    verb(_paper)
    verb(_results)
    verb(_ui).add_argument("--port", type=int, default=5000)
    verb(_dvc)
    return parser


def _settings(options: argparse.Namespace) -> None:
    """list every setting: its value, what is allowed, what it means"""
    from ibpapers.settings_table import rows

    for key, value, allowed, meaning in rows(_read_plan(options).params):
        print(f"{key} = {value}  [{allowed}]{'  ' + meaning if meaning else ''}")


def _plan(options: argparse.Namespace) -> None:
    """count the jobs that the settings ask for"""
    from ibpapers import jobs

    plan = _read_plan(options)
    for rule, names in jobs.names(plan).items():
        print(f"{rule:<10}{len(names):>5}")
        if options.list:
            print("".join(f"    {name}\n" for name in names), end="")


def _recipe(options: argparse.Namespace) -> None:
    """print a run as JSON, for `train --recipe` on another machine"""
    import json

    from ibpapers.jobs import training_code

    plan = _read_plan(options)
    run = plan.run(options.run)
    dataset_folder = str(plan.dataset_folder(run.dataset))
    content = {"recipe": run.recipe, "code": training_code(run), "dataset_folder": dataset_folder}
    print(json.dumps(content, indent=2))


def _fetch(options: argparse.Namespace) -> None:
    """download, or make, the files of a source"""
    from ibpapers.datasets.fetch import fetch

    plan = _read_plan(options)
    folder = plan.source_folder(options.source)
    with _report(f"fetched {options.source}", folder):
        fetch(options.source, folder, plan.params.mirror)


def _dataset(options: argparse.Namespace) -> None:
    """build a dataset from its sources"""
    from ibpapers import datasets
    from ibpapers.plan import RESULTS

    plan = _read_plan(options)
    name = _among(plan.datasets(), "dataset", options.name)
    folder = plan.dataset_folder(name)
    with _report(f"built {name} ({plan.tier})", folder):
        seed = plan.dataset_settings(name)["seed"]
        datasets.build(name, plan.tier, RESULTS / "sources", folder, seed)


def _train(options: argparse.Namespace) -> None:
    """train one run, all its seeds"""
    if options.recipe:
        name, recipe, code, dataset_folder, folder = _job_of_recipe(options)
    elif options.run:
        name, recipe, code, dataset_folder, folder = _job_of_plan(options)
    else:
        raise UserError("train: give a RUN of the plan, or --recipe FILE")
    from ibpapers.training import train

    with _report(f"trained {name}", folder):
        train(recipe, dataset_folder, folder, code)


def _job_of_plan(options: argparse.Namespace) -> tuple[str, dict, str, Path, Path]:
    from ibpapers.jobs import training_code

    if options.dataset or options.output:
        raise UserError("train: --dataset and --output go with --recipe FILE")
    plan = _read_plan(options)
    run = plan.run(options.run)
    folders = plan.dataset_folder(run.dataset), plan.run_folder(run.id)
    return run.id, dict(run.recipe), training_code(run), *folders


def _job_of_recipe(options: argparse.Namespace) -> tuple[str, dict, str, Path, Path]:
    from ibpapers.files import read_json

    if options.run or not options.output:
        raise UserError("train --recipe FILE: give --output FOLDER as well, and no RUN")
    job = read_json(options.recipe)
    if not isinstance(job, dict) or not {"recipe", "code", "dataset_folder"} <= set(job):
        raise UserError(f"{options.recipe}: not the output of `python -m ibpapers recipe RUN`")
    dataset_folder = Path(options.dataset or job["dataset_folder"])
    return options.recipe, job["recipe"], job["code"], dataset_folder, Path(options.output)


def _evaluate(options: argparse.Namespace) -> None:
    """evaluate one trained run on the whole test set"""
    from ibpapers.files import atomic_write
    from ibpapers.papers import PAPERS

    plan = _read_plan(options)
    run = plan.run(options.run)
    path = plan.evaluation_file(run.id)
    with _report(f"evaluated {run.id}", path):
        evaluate = PAPERS[run.paper].room("evaluation").evaluate
        folders = plan.run_folder(run.id), plan.dataset_folder(run.dataset)
        rows = evaluate(*folders, dict(run.evaluation))
        with atomic_write(path) as temporary:
            rows.to_parquet(temporary, index=False)


def _collect(options: argparse.Namespace) -> None:
    """join a paper's evaluations into its table of results"""
    from ibpapers.report import results

    plan, paper = _plan_and_paper(options)
    with _report(f"collected {paper}", results.results_file(plan, paper)):
        results.collect(plan, paper)


def _figure(options: argparse.Namespace) -> None:
    """draw a figure"""
    from ibpapers.report import exhibits

    plan, paper, name = _plan_and_exhibit(options)
    with _report(f"drew {paper}/{name}", exhibits.figure_file(plan, paper, name)):
        exhibits.draw_figure(plan, paper, name)


def _table(options: argparse.Namespace) -> None:
    """fill in a table"""
    from ibpapers.report import exhibits

    plan, paper, name = _plan_and_exhibit(options)
    with _report(f"filled in {paper}/{name}", exhibits.table_file(plan, paper, name)):
        exhibits.draw_table(plan, paper, name)


def _claims(options: argparse.Namespace) -> None:
    """judge a paper's claims by its results"""
    from ibpapers.report import claims

    plan, paper = _plan_and_paper(options)
    with _report(f"judged the claims of {paper}", plan.report_folder(paper) / "claims.json"):
        claims.judge(plan, paper)


def _track(options: argparse.Namespace) -> None:
    """bring a paper's finished runs into MLflow"""
    from ibpapers.tracking import marker, mlflow_store

    plan, paper = _plan_and_paper(options)
    with _report(f"tracked {paper}", marker.path(plan, paper)):
        mlflow_store.track(plan, paper)


def _paper(options: argparse.Namespace) -> None:
    """typeset the report of all papers"""
    from ibpapers.jobs import identity
    from ibpapers.report import paper

    plan = _read_plan(options)
    with _report("typeset the report", plan.root / "paper.pdf"):
        paper.build(plan, identity(plan))


def _results(options: argparse.Namespace) -> None:
    """say where the results are"""
    from ibpapers.plan import RESULTS
    from ibpapers.tracking import marker

    plan = _read_plan(options)
    print(f"paper     {RESULTS / 'paper.pdf'}  (data: {plan.tier}, scale: {plan.params.scale})")
    for paper in plan.papers:
        print(f"report    {plan.report_folder(paper)}/  (figures, tables, claims, all numbers)")
    print(f"runs      {plan.root / 'runs'}/  (models, histories, recipes)")
    print(f"logs      {RESULTS / 'logs'}/")
    print("MLflow    make ui")
    for paper in plan.papers:
        if marker.is_incomplete(plan, paper):
            log = RESULTS / "logs" / "track" / plan.root.name / f"{paper}.log"
            print(f"ibpapers: warning: {paper} is not in MLflow yet: see {log}", file=sys.stderr)


def _ui(options: argparse.Namespace) -> None:
    """open MLflow on this machine"""
    from ibpapers.tracking import mlflow_store

    plan = _read_plan(options)
    for paper in plan.papers:
        mlflow_store.track(plan, paper)
    mlflow_store.serve(plan, options.port)


def _dvc(options: argparse.Namespace) -> None:
    """write dvc.yaml from the plan"""
    from ibpapers import dvc_file

    dvc_file.write(_read_plan(options))
    print(f"wrote {dvc_file.PATH}")


def _read_plan(options: argparse.Namespace) -> Plan:
    from ibpapers.plan import read

    return read(options.params, [*shlex.split(os.environ.get(OVERRIDES, "")), *options.overrides])


def _plan_and_paper(options: argparse.Namespace) -> tuple[Plan, str]:
    plan = _read_plan(options)
    return plan, _among(plan.papers, "paper", options.paper)


def _plan_and_exhibit(options: argparse.Namespace) -> tuple[Plan, str, str]:
    paper, _, name = getattr(options, "paper/name").partition("/")
    plan = _read_plan(options)
    return plan, _among(plan.papers, "paper", paper), name


def _among(known: Collection[str], kind: str, name: str) -> str:
    if name not in known:
        raise UserError(f"the plan has no {kind} {name!r}; it has: {', '.join(known)}")
    return name


@contextmanager
def _report(what: str, where: Path) -> Iterator[None]:
    """Say what was done, where it is and how long it took; nothing where it failed."""
    start = time.monotonic()
    yield
    print(f"{what} in {time.monotonic() - start:.1f} s: {where}")


if __name__ == "__main__":
    sys.exit(main())
