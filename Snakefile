# The whole chain, from sources to results/paper.pdf. The plan is the only list of jobs; the rules
# look up in it what they make, and what of.
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

from ibpapers import jobs, plan
from ibpapers.errors import UserError
from ibpapers.tracking import marker

try:
    PLAN = plan.read("params.yaml", shlex.split(os.environ.get("IBPAPERS_SET", "")))
except (UserError, ValueError) as error:
    sys.exit(f"ibpapers: error: {error}")

JOBS = jobs.names(PLAN)
IBPAPERS = f"{shlex.quote(sys.executable)} -m ibpapers"
ROOT = PLAN.root
LOGS, BENCHMARKS = "results/logs", "results/benchmarks"

# Runs that an unreachable tracking server has missed are sent again.
for paper in JOBS["track"]:
    if workflow.is_main_process and marker.is_incomplete(PLAN, paper):
        marker.path(PLAN, paper).unlink()


wildcard_constraints:
    source="|".join(map(re.escape, JOBS["fetch"])),
    dataset="|".join(map(re.escape, JOBS["dataset"])),
    run="|".join(map(re.escape, JOBS["train"])),
    paper="|".join(map(re.escape, JOBS["collect"])),


include: "workflow/rules/data.smk"
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


rule runs:
    input:
        expand(rules.train.output, run=JOBS["train"]),


rule evaluations:
    input:
        expand(rules.evaluate.output, run=JOBS["evaluate"]),
