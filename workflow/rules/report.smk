# In:  evaluations, histories, recipes, the numbers that the papers print, paper/.
# Out: <root>/report/<paper>/ with the table of results, figures, tables and claims;
#      <root>/paper.pdf and the latest one as results/paper.pdf; the runs in MLflow.

REPORT = PLAN.report_folder("{paper}")


def runs_of(paper):
    return [run.id for run in PLAN.papers[paper].runs]


def names_of(kind):
    exhibits = (exhibit for paper in PLAN.papers.values() for exhibit in getattr(paper, kind))
    return "|".join(re.escape(exhibit.name) for exhibit in exhibits)


def exhibit(kind, wildcards):
    exhibits = getattr(PLAN.papers[wildcards.paper], kind)
    return next(one for one in exhibits if one.name == wildcards.name)


rule collect:
    input:
        lambda w: expand(rules.evaluate.output, run=runs_of(w.paper)),
    output:
        f"{REPORT}/results.parquet",
    params:
        studies=lambda w: jobs.studies(PLAN, w.paper),
        code=lambda w: jobs.code_hash("ibpapers.report.results"),
    log:
        f"{LOGS}/collect/{ROOT.name}/{{paper}}.log",
    benchmark:
        f"{BENCHMARKS}/collect/{ROOT.name}/{{paper}}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "collect {wildcards.paper}"
    shell:
        "{IBPAPERS} collect {wildcards.paper} > {log} 2>&1"


rule figure:
    input:
        rules.collect.output,
        lambda w: [f"{PLAN.run_folder(r)}/history.npz" for r in exhibit("figures", w).histories],
        lambda w: jobs.published(w.paper),
        jobs.STYLE,
    output:
        f"{REPORT}/{{name}}.pdf",
    params:
        settings=lambda w: jobs.exhibit_settings(PLAN, w.paper, exhibit("figures", w)),
        code=lambda w: jobs.report_code(w.paper, "figures"),
    wildcard_constraints:
        name=names_of("figures"),
    log:
        f"{LOGS}/figure/{ROOT.name}/{{paper}}/{{name}}.log",
    benchmark:
        f"{BENCHMARKS}/figure/{ROOT.name}/{{paper}}/{{name}}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "draw {wildcards.paper}/{wildcards.name}"
    shell:
        "{IBPAPERS} figure {wildcards.paper}/{wildcards.name} > {log} 2>&1"


rule table:
    input:
        rules.collect.output,
        lambda w: [f"{PLAN.run_folder(r)}/history.npz" for r in exhibit("tables", w).histories],
        lambda w: jobs.published(w.paper),
    output:
        f"{REPORT}/{{name}}.json",
    params:
        settings=lambda w: jobs.exhibit_settings(PLAN, w.paper, exhibit("tables", w)),
        code=lambda w: jobs.report_code(w.paper, "tables"),
    wildcard_constraints:
        name=names_of("tables"),
    log:
        f"{LOGS}/table/{ROOT.name}/{{paper}}/{{name}}.log",
    benchmark:
        f"{BENCHMARKS}/table/{ROOT.name}/{{paper}}/{{name}}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "fill in {wildcards.paper}/{wildcards.name}"
    shell:
        "{IBPAPERS} table {wildcards.paper}/{wildcards.name} > {log} 2>&1"


rule claims:
    input:
        rules.collect.output,
        lambda w: jobs.published(w.paper),
    output:
        f"{REPORT}/claims.json",
    params:
        settings=lambda w: jobs.claims_settings(PLAN, w.paper),
        code=lambda w: jobs.report_code(w.paper, "claims"),
    log:
        f"{LOGS}/claims/{ROOT.name}/{{paper}}.log",
    benchmark:
        f"{BENCHMARKS}/claims/{ROOT.name}/{{paper}}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "judge the claims of {wildcards.paper}"
    shell:
        "{IBPAPERS} claims {wildcards.paper} > {log} 2>&1"


rule track:
    input:
        rules.collect.output,
        lambda w: expand(rules.train.output, run=runs_of(w.paper)),
    output:
        f"{REPORT}/tracking.json",
    params:
        store=jobs.tracking_store(PLAN),
        code=jobs.code_hash("ibpapers.tracking.mlflow_store"),
    log:
        f"{LOGS}/track/{ROOT.name}/{{paper}}.log",
    benchmark:
        f"{BENCHMARKS}/track/{ROOT.name}/{{paper}}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    message:
        "bring the runs of {wildcards.paper} into MLflow"
    shell:
        "{IBPAPERS} track {wildcards.paper} > {log} 2>&1"


rule paper:
    input:
        [
            f"{PLAN.report_folder(paper)}/{file}"
            for paper in JOBS["collect"]
            for file in ("results.parquet", "claims.json")
        ],
        [f"{PLAN.run_folder(run)}/recipe.json" for run in JOBS["train"]],
        [f"{PLAN.root}/report/{figure}.pdf" for figure in JOBS["figure"]],
        [f"{PLAN.root}/report/{table}.json" for table in JOBS["table"]],
        [path for paper in JOBS["collect"] for path in jobs.published(paper)],
        jobs.paper_sources(),
    output:
        f"{ROOT}/paper.pdf",
        "results/paper.pdf",
    params:
        settings=jobs.report_settings(PLAN),
        identity=jobs.canonical(jobs.identity(PLAN)),
        code=jobs.code_hash("ibpapers.report.paper"),
    log:
        f"{LOGS}/paper/{ROOT.name}.log",
    benchmark:
        f"{BENCHMARKS}/paper/{ROOT.name}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "typeset the report"
    shell:
        "{IBPAPERS} paper > {log} 2>&1"
