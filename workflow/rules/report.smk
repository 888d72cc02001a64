# In:  evaluations, histories, estimates, recipes, the numbers that the papers print, paper/.
# Out: <root>/report/<paper>/ with the table of results, figures, tables and claims;
#      <root>/paper.pdf and the latest one as results/paper.pdf; the runs in MLflow.

REPORT = PLAN.root / "report"


rule collect:
    input:
        lambda w: JOBS["collect"][w.paper].inputs,
    output:
        f"{REPORT}/{{paper}}/results.parquet",
        f"{REPORT}/{{paper}}/results.trace.json",
    params:
        settings=lambda w: JOBS["collect"][w.paper].settings,
        code=lambda w: JOBS["collect"][w.paper].code,
    log:
        f"{LOGS}/collect/{ROOT.name}/{{paper}}.log",
    benchmark:
        f"{BENCHMARKS}/collect/{ROOT.name}/{{paper}}.tsv"
    threads: 1
    message:
        "collect {wildcards.paper}"
    shell:
        "{IBPAPERS} collect {wildcards.paper} > {log} 2>&1"


rule figure:
    input:
        lambda w: JOBS["figure"][w.figure].inputs,
    output:
        f"{REPORT}/{{figure}}.pdf",
        f"{REPORT}/{{figure}}.trace.json",
    params:
        settings=lambda w: JOBS["figure"][w.figure].settings,
        code=lambda w: JOBS["figure"][w.figure].code,
    log:
        f"{LOGS}/figure/{ROOT.name}/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/figure/{ROOT.name}/{{figure}}.tsv"
    threads: 1
    message:
        "draw {wildcards.figure}"
    shell:
        "{IBPAPERS} figure {wildcards.figure} > {log} 2>&1"


rule table:
    input:
        lambda w: JOBS["table"][w.table].inputs,
    output:
        f"{REPORT}/{{table}}.json",
        f"{REPORT}/{{table}}.trace.json",
    params:
        settings=lambda w: JOBS["table"][w.table].settings,
        code=lambda w: JOBS["table"][w.table].code,
    log:
        f"{LOGS}/table/{ROOT.name}/{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/table/{ROOT.name}/{{table}}.tsv"
    threads: 1
    message:
        "fill in {wildcards.table}"
    shell:
        "{IBPAPERS} table {wildcards.table} > {log} 2>&1"


rule claims:
    input:
        lambda w: JOBS["claims"][w.paper].inputs,
    output:
        f"{REPORT}/{{paper}}/claims.json",
        f"{REPORT}/{{paper}}/claims.trace.json",
    params:
        settings=lambda w: JOBS["claims"][w.paper].settings,
        code=lambda w: JOBS["claims"][w.paper].code,
    log:
        f"{LOGS}/claims/{ROOT.name}/{{paper}}.log",
    benchmark:
        f"{BENCHMARKS}/claims/{ROOT.name}/{{paper}}.tsv"
    threads: 1
    message:
        "judge the claims of {wildcards.paper}"
    shell:
        "{IBPAPERS} claims {wildcards.paper} > {log} 2>&1"


rule track:
    input:
        lambda w: JOBS["track"][w.paper].inputs,
    output:
        f"{REPORT}/{{paper}}/tracking.json",
        f"{REPORT}/{{paper}}/tracking.trace.json",
    params:
        settings=lambda w: JOBS["track"][w.paper].settings,
        code=lambda w: JOBS["track"][w.paper].code,
    log:
        f"{LOGS}/track/{ROOT.name}/{{paper}}.log",
    benchmark:
        f"{BENCHMARKS}/track/{ROOT.name}/{{paper}}.tsv"
    threads: 1
    message:
        "bring the runs of {wildcards.paper} into MLflow"
    shell:
        "{IBPAPERS} track {wildcards.paper} > {log} 2>&1"


rule paper:
    input:
        JOBS["paper"]["paper"].inputs,
    output:
        f"{ROOT}/paper.pdf",
        "results/paper.pdf",
        f"{REPORT}/numbers.json",
        f"{ROOT}/paper.trace.json",
    params:
        settings=lambda w: JOBS["paper"]["paper"].settings,
        code=lambda w: JOBS["paper"]["paper"].code,
    log:
        f"{LOGS}/paper/{ROOT.name}.log",
    benchmark:
        f"{BENCHMARKS}/paper/{ROOT.name}.tsv"
    threads: 1
    message:
        "typeset the report"
    shell:
        "{IBPAPERS} paper > {log} 2>&1"
