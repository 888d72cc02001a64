# The whole chain, from sources to results/paper.pdf. The table of jobs is the only list of them;
# a rule looks up in it what the jobs of its name are made of.
#
#   make paper                                           all of it
#   snakemake sources | datasets | runs | evaluations    up to a stage
#   IBPAPERS_SET="data=real scale=laptop" snakemake      under other settings
#
# Commands of jobs find the overrides there too, and not on their command lines: those are
# recorded, and the address of a tracking server may hold a password.

import os
import re
import shlex
import signal
import sys

from ibpapers import cluster, jobs, plan, workplace
from ibpapers.errors import UserError

try:
    PLAN = plan.read("params.yaml", shlex.split(os.environ.get("IBPAPERS_SET", "")))
    JOBS = jobs.table(PLAN)
    if workflow.is_main_process:
        workplace.prepare(PLAN, JOBS, alone=not workflow.output_settings.dryrun)
except (UserError, ValueError) as error:
    sys.exit(f"ibpapers: error: {error}")

# On a cluster, a warning that time is nearly up goes to all processes of a job. It is for the
# training; Snakemake, which runs it there, would end by it.
if not workflow.is_main_process:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)

IBPAPERS = f"{shlex.quote(sys.executable)} -m ibpapers"
ROOT = PLAN.root
LOGS, BENCHMARKS = "results/logs", "results/benchmarks"


def any_of(names):
    return "|".join(map(re.escape, names))


# Thousands of runs are not listed here: patterns of that length take Snakemake minutes.
wildcard_constraints:
    source=any_of(JOBS["fetch"]),
    dataset=any_of(JOBS["dataset"]),
    entropy="[^/]+/[^/]+/[^/]+",
    run="[^/]+/[^/]+/[^/]+",
    paper=any_of(JOBS["collect"]),
    figure=any_of(JOBS["figure"]),
    table=any_of(JOBS["table"]),


# On a cluster, these run where the command was given: they need the network, or seconds.
localrules:
    all,
    sources,
    datasets,
    entropies,
    runs,
    evaluations,
    fetch,
    collect,
    figure,
    table,
    claims,
    track,
    paper,


onstart:
    workplace.stop_when_asked()
    # With a limit to the jobs started in a second, its default, Snakemake 9.27 sets a timer at every
    # look for jobs, whose end is another look: they add up, until a core is busy with looking.
    workflow.scheduler.job_rate_limiter = None
    if workflow.non_local_exec:
        workplace.take_over_cluster()


onerror:
    workplace.say_how_to_go_on()


include: "workflow/rules/data.smk"
include: "workflow/rules/entropy.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


def made_by(*of_rules):
    """The records of all these jobs: Snakemake makes again only what is asked for and missing."""
    return [job.record for rule in of_rules for job in JOBS[rule].values()]


rule all:
    default_target: True
    input:
        # Sources are no result: who pulled what was made from them has nothing to do.
        made_by(*(rule for rule in JOBS if rule != "fetch")),


rule sources:
    input:
        made_by("fetch"),


rule datasets:
    input:
        made_by("dataset"),


rule entropies:
    input:
        made_by("dataset", "entropy"),


rule runs:
    input:
        made_by("dataset", "entropy", "train"),


rule evaluations:
    input:
        made_by("dataset", "entropy", "train", "evaluate"),
