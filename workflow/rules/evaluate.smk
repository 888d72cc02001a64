# In:  a trained run and its dataset.
# Out: <root>/evaluations/<run>.parquet, one row per seed and metric.


rule evaluate:
    input:
        rules.train.output,
        lambda w: expand(rules.dataset.output, dataset=PLAN.run(w.run).dataset),
    output:
        PLAN.evaluation_file("{run}"),
    params:
        settings=lambda w: jobs.canonical(PLAN.run(w.run).evaluation),
        code=lambda w: jobs.evaluation_code(PLAN.run(w.run)),
    log:
        f"{LOGS}/evaluate/{ROOT.name}/{{run}}.log",
    benchmark:
        f"{BENCHMARKS}/evaluate/{ROOT.name}/{{run}}.tsv"
    threads: PLAN.params.threads
    resources:
        mem_mb=4000,
        runtime=60,
    message:
        "evaluate {wildcards.run}"
    shell:
        "{IBPAPERS} evaluate {wildcards.run} > {log} 2>&1"
