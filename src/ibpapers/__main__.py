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

from ibpapers.errors import AlreadyDone, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    from ibpapers.inputs import Inputs
    from ibpapers.plan import Plan
    from ibpapers.provenance.record import Recorded

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
    except AlreadyDone as done:
        print(done)
    except KeyboardInterrupt:
        print("ibpapers: interrupted; what is finished stays", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever was reading, such as `head`, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
    plan = verb(_plan)
    plan.add_argument("--list", action="store_true", help="name every job")
    plan.add_argument("--gpus", metavar="N", type=int, help="how long it takes on N GPUs")
    verb(_recipe, "RUN")
    verb(_fetch, "SOURCE")
    verb(_dataset, "NAME")
    verb(_entropy, "ENTROPY")
    train = verb(_train, "RUN", nargs="?", help="a run of the plan")
    train.add_argument("--recipe", metavar="FILE", help="what `recipe RUN` printed, for no plan")
    train.add_argument("--dataset", metavar="FOLDER", help="with --recipe: the dataset")
    train.add_argument("--output", metavar="FOLDER", help="with --recipe: where the run goes")
    verb(_evaluate, "RUN")
    encode = verb(_encode, "RUN")
    encode.add_argument("images", metavar="IMAGE", nargs="+", help="picture, or .npy [N, M, H, W]")
    encode.add_argument("--output", metavar="FILE", required=True, help="the bitstreams")
    decode = verb(_decode, "RUN")
    decode.add_argument("file", metavar="FILE", help="what `encode RUN` wrote")
    decode.add_argument("--task", metavar="N", type=int, choices=(1, 2), help="default: both")
    decode.add_argument("--output", metavar="FILE", required=True, help="answers and symbols, npz")
    verb(_collect, "PAPER")
    verb(_figure, "PAPER/NAME")
    verb(_table, "PAPER/NAME")
    verb(_claims, "PAPER")
    verb(_track, "PAPER")
    verb(_paper)
    verb(_results)
    verb(_why, "TARGET", nargs="?", help="a file in results/, a job or a rule; none: everything")
    trace = verb(_trace, "FILE", help="FILE, or FILE#PART: a cell, a claim or a number of it")
    trace.add_argument("--json", action="store_true", help="as JSON")
    reproduce = verb(_reproduce, "FILE")
    reproduce.add_argument("--keep", metavar="FOLDER", help="work there, and leave it")
    prune = verb(_prune)
    prune.add_argument("--all", action="store_true", help="also other data tiers and scales")
    prune.add_argument("--yes", action="store_true", help="remove without asking")
    verb(_ui).add_argument("--port", type=int, default=5000)
    verb(_dvc)
    verb(_cluster)
    verb(_staged)
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
    table = jobs.table(plan)
    for rule, of_rule in table.items():
        print(f"{rule:<10}{len(of_rule):>5}")
        if options.list:
            print("".join(f"    {name}\n" for name in of_rule), end="")
    if options.gpus is not None:
        from ibpapers import schedule

        if options.gpus < 1:
            raise UserError(f"plan --gpus {options.gpus}: at least 1")
        print(schedule.describe(plan, table, options.gpus))


def _recipe(options: argparse.Namespace) -> None:
    """print a run as JSON, for `train --recipe` on another machine"""
    from ibpapers import jobs, recipe_file

    plan = _read_plan(options)
    run, inputs = plan.run(options.run), plan.inputs(options.run)
    content = {
        "recipe": run.recipe,
        "code": jobs.find(plan, "train", run.id).code,
        "dataset": str(inputs.dataset),
        "entropies": {name: str(path) for name, path in inputs.entropies.items()},
        "runs": {name: str(path) for name, path in inputs.runs.items()},
    }
    print(recipe_file.to_text(content))


def _fetch(options: argparse.Namespace) -> None:
    """download, or make, the files of a source"""
    from ibpapers.datasets.fetch import fetch

    plan = _read_plan(options)
    with _job(plan, "fetch", options.source):
        folder, settings = plan.source_folder(options.source), plan.source_settings(options.source)
        fetch(options.source, folder, plan.params.mirror, settings)


def _dataset(options: argparse.Namespace) -> None:
    """build a dataset from its sources"""
    from ibpapers import datasets
    from ibpapers.plan import RESULTS

    plan, name = _read_plan(options), options.name
    with _job(plan, "dataset", name):
        folder, settings = plan.dataset_folder(name), plan.dataset_settings(name)
        datasets.build(name, plan.tier, RESULTS / "sources", folder, settings)


def _entropy(options: argparse.Namespace) -> None:
    """estimate an entropy that trainings read"""
    from ibpapers.files import write_json
    from ibpapers.papers import PAPERS

    plan = _read_plan(options)
    with _job(plan, "entropy", options.entropy):
        entropy = plan.entropies[options.entropy]
        estimate = PAPERS[entropy.paper].room("entropies").estimate
        found = estimate(dict(entropy.recipe), plan.dataset_folder(entropy.dataset))
        write_json(plan.entropy_file(entropy.id), found)


def _train(options: argparse.Namespace) -> None:
    """train one run, all its seeds"""
    if options.recipe:
        _train_recipe(options)
    elif not options.run:
        raise UserError("train: give a RUN of the plan, or --recipe FILE")
    elif options.dataset or options.output:
        raise UserError("train: --dataset and --output go with --recipe FILE")
    else:
        plan = _read_plan(options)
        with _job(plan, "train", options.run) as job:
            from ibpapers import cluster
            from ibpapers.files import read_json
            from ibpapers.training import train

            run, folder = plan.run(options.run), plan.run_folder(options.run)
            try:
                with cluster.near(plan.inputs(run.id)) as inputs:
                    train(dict(run.recipe), inputs, folder, job.code)
            except KeyboardInterrupt:
                cluster.requeue()
                raise
            job.content["training"] = read_json(folder / "recipe.json")["environment"]


def _train_recipe(options: argparse.Namespace) -> None:
    """Train without a plan, with nothing installed but what training needs."""
    from ibpapers import recipe_file
    from ibpapers.inputs import Inputs

    if options.run or not options.output:
        raise UserError("train --recipe FILE: give --output FOLDER as well, and no RUN")
    if Path(options.output).exists() and not Path(options.output).is_dir():
        raise UserError(f"--output {options.output}: is a file; give a folder")
    found = recipe_file.read(options.recipe)
    inputs = Inputs(
        Path(options.dataset or found["dataset"]),
        {name: Path(path) for name, path in found["entropies"].items()},
        {name: Path(path) for name, path in found["runs"].items()},
    )
    from ibpapers.training import train

    with _report(f"trained {options.recipe}", options.output):
        train(found["recipe"], inputs, Path(options.output), found["code"])


def _evaluate(options: argparse.Namespace) -> None:
    """evaluate one trained run on the whole test set"""
    from ibpapers import cluster
    from ibpapers.files import atomic_write
    from ibpapers.papers import PAPERS

    plan = _read_plan(options)
    with _job(plan, "evaluate", options.run):
        run = plan.run(options.run)
        evaluate = PAPERS[run.paper].room("evaluation").evaluate
        with cluster.near(plan.inputs(run.id)) as inputs:
            rows = evaluate(plan.run_folder(run.id), inputs, dict(run.evaluation))
        with atomic_write(plan.evaluation_file(run.id)) as temporary:
            rows.to_parquet(temporary, index=False)


def _encode(options: argparse.Namespace) -> None:
    """code images into bitstreams with a trained codec"""
    images, output = [Path(path) for path in options.images], Path(options.output)
    folder, inputs, room = _codec(options)
    with _report(f"encoded with {options.run}", output):
        print(room.encode(folder, inputs, images, output))


def _decode(options: argparse.Namespace) -> None:
    """answer tasks from bitstreams, each from those that its receiver gets"""
    tasks = (options.task,) if options.task else (1, 2)
    folder, inputs, room = _codec(options)
    with _report(f"decoded with {options.run}", options.output):
        print(room.decode(folder, inputs, Path(options.file), tasks, Path(options.output)))


def _codec(options: argparse.Namespace) -> tuple[Path, Inputs, ModuleType]:
    """The folder of a trained run, what it reads, and the room of its paper that codes."""
    from importlib.util import find_spec

    from ibpapers.papers import PAPERS

    plan = _read_plan(options)
    run = plan.run(options.run)
    if find_spec(f"ibpapers.papers.{run.paper}.bitstream") is None:
        raise UserError(f"{run.id}: the methods of {run.paper} make no bitstreams")
    folder = plan.run_folder(run.id)
    if not (folder / "recipe.json").exists():
        raise UserError(f"{run.id} is not trained. Make it: python -m ibpapers train {run.id}")
    return folder, plan.inputs(run.id), PAPERS[run.paper].room("bitstream")


def _collect(options: argparse.Namespace) -> None:
    """join a paper's evaluations into its table of results"""
    from ibpapers.report import results

    plan = _read_plan(options)
    with _job(plan, "collect", options.paper):
        results.collect(plan, options.paper)


def _figure(options: argparse.Namespace) -> None:
    """draw a figure"""
    from ibpapers.report import exhibits

    plan, exhibit = _read_plan(options), getattr(options, "paper/name")
    with _job(plan, "figure", exhibit) as job:
        exhibits.draw_figure(plan, *exhibit.split("/"), trace=job.trace())


def _table(options: argparse.Namespace) -> None:
    """fill in a table"""
    from ibpapers.report import exhibits

    plan, exhibit = _read_plan(options), getattr(options, "paper/name")
    with _job(plan, "table", exhibit):
        exhibits.draw_table(plan, *exhibit.split("/"))


def _claims(options: argparse.Namespace) -> None:
    """judge a paper's claims by its results"""
    from ibpapers.report import claims

    plan = _read_plan(options)
    with _job(plan, "claims", options.paper):
        claims.judge(plan, options.paper)


def _track(options: argparse.Namespace) -> None:
    """bring a paper's finished runs into MLflow"""
    from ibpapers.tracking import mlflow_store

    plan = _read_plan(options)
    with _job(plan, "track", options.paper):
        mlflow_store.track(plan, options.paper)


def _paper(options: argparse.Namespace) -> None:
    """typeset the report of all papers"""
    from ibpapers.jobs import identity
    from ibpapers.report import paper

    plan = _read_plan(options)
    with _job(plan, "paper", "paper") as job:
        paper.build(plan, identity(plan), trace=job.trace())


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


def _why(options: argparse.Namespace) -> None:
    """say what would run, and which change calls for it"""
    from ibpapers import jobs
    from ibpapers.provenance import why

    plan = _read_plan(options)
    table = jobs.table(plan)
    found = why.due(plan, table, options.target, _overrides(options))
    print(why.text(table, found, options.target))


def _trace(options: argparse.Namespace) -> None:
    """say how a result, or a number in it, came to be"""
    from ibpapers.provenance import trace, trace_text

    found = trace.trace(options.file)
    print(trace_text.as_json(found) if options.json else trace_text.as_text(found))


def _reproduce(options: argparse.Namespace) -> None:
    """make a result again elsewhere, and compare"""
    from ibpapers.provenance import reproduce

    if not reproduce.reproduce(options.file, _overrides(options), options.keep):
        sys.exit(1)


def _prune(options: argparse.Namespace) -> None:
    """list what no plan asks for any more, and remove it"""
    from ibpapers.papers import PAPERS
    from ibpapers.provenance import prune

    # A paper that is left out for once is not one that nobody asks for.
    every = f"include=[{','.join(PAPERS)}]"
    plan = _read_plan(options, every)
    prune.prune(plan, other_roots=options.all, unasked=options.yes)


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


def _cluster(options: argparse.Namespace) -> None:
    """say what is missing here for CLUSTER=slurm"""
    from ibpapers import cluster

    cluster.check()


def _staged(options: argparse.Namespace) -> None:
    """list the files that come from a network, and those that are there"""
    from ibpapers import staging

    print(*staging.lines(_read_plan(options)), sep="\n")


def _read_plan(options: argparse.Namespace, *more: str) -> Plan:
    from ibpapers.plan import read

    try:
        outer = shlex.split(os.environ.get(OVERRIDES, ""))
    except ValueError as error:
        raise UserError(f"{OVERRIDES} (make's SET): {error}; quote each override") from None
    return read(options.params, [*outer, *options.overrides, *more])


def _overrides(options: argparse.Namespace) -> str:
    """What `OVERRIDES` has to hold for a workflow under these options, which reads params.yaml."""
    if options.params != "params.yaml":
        raise UserError("--params: a workflow reads params.yaml; give --set KEY.PATH=VALUE")
    return " ".join([os.environ.get(OVERRIDES, ""), *map(shlex.quote, options.overrides)])


@contextmanager
def _job(plan: Plan, rule: str, name: str) -> Iterator[Recorded]:
    """One job of the plan: its inputs checked, its outputs recorded, what was done reported."""
    from ibpapers import jobs
    from ibpapers.provenance.record import recorded

    job = jobs.find(plan, rule, name)
    with _report(job.id, job.outputs[0]), recorded(job) as record:
        yield record


@contextmanager
def _report(what: str, where: Path | str) -> Iterator[None]:
    """Say what was done, where it is and how long it took; nothing where it failed."""
    start = time.monotonic()
    yield
    print(f"{what}: done in {time.monotonic() - start:.1f} s: {where}")


if __name__ == "__main__":
    sys.exit(main())
