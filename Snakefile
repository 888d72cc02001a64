# The whole chain, from sources to results/paper.pdf. The table of jobs is the only list of them;
# a rule looks up in it what the jobs of its name are made of.
#
#   make paper                                           all of it
#   snakemake datasets | runs | evaluations              up to a stage
#   IBPAPERS_SET="data=real scale=laptop" snakemake      under other settings
#
# Commands of jobs find the overrides there too, and not on their command lines: those are
# recorded, and the address of a tracking server may hold a password.

import os
import re
import shlex
import sys

from ibpapers import jobs, plan, workplace
from ibpapers.errors import UserError

try:
    PLAN = plan.read("params.yaml", shlex.split(os.environ.get("IBPAPERS_SET", "")))
    JOBS = jobs.table(PLAN)
    if workflow.is_main_process:
        workplace.prepare(PLAN, JOBS, alone=not workflow.dryrun)
except (UserError, ValueError) as error:
    sys.exit(f"ibpapers: error: {error}")

IBPAPERS = f"{shlex.quote(sys.executable)} -m ibpapers"
ROOT = PLAN.root
LOGS, BENCHMARKS = "results/logs", "results/benchmarks"


def any_of(names):
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    source=any_of(JOBS["fetch"]),
    dataset=any_of(JOBS["dataset"]),
    entropy=any_of(JOBS["entropy"]),
    run=any_of(JOBS["train"]),
    paper=any_of(JOBS["collect"]),
    figure=any_of(JOBS["figure"]),
    table=any_of(JOBS["table"]),


include: "workflow/rules/data.smk"
include: "workflow/rules/entropy.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        rules.paper.output,
        expand(rules.track.output, paper=JOBS["track"]),


rule datasets:
    input:
        expand(rules.dataset.output, dataset=JOBS["dataset"]),


rule entropies:
    input:
        expand(rules.entropy.output, entropy=JOBS["entropy"]),


rule runs:
    input:
        expand(rules.train.output, run=JOBS["train"]),


rule evaluations:
    input:
        expand(rules.evaluate.output, run=JOBS["evaluate"]),
