# In:  a trained run and what it was trained on.
# Out: <root>/evaluations/<run>.parquet, one row per seed and metric.


rule evaluate:
    input:
        lambda w: JOBS["evaluate"][w.run].inputs,
    output:
        PLAN.evaluation_file("{run}"),
        f"{ROOT}/evaluations/{{run}}.trace.json",
    params:
        settings=lambda w: JOBS["evaluate"][w.run].settings,
        code=lambda w: JOBS["evaluate"][w.run].code,
    log:
        f"{LOGS}/evaluate/{ROOT.name}/{{run}}.log",
    benchmark:
        f"{BENCHMARKS}/evaluate/{ROOT.name}/{{run}}.tsv"
    threads: PLAN.params.threads
    resources:
        **cluster.resources(PLAN, "evaluate"),
    message:
        "evaluate {wildcards.run}"
    shell:
        "{IBPAPERS} evaluate {wildcards.run} > {log} 2>&1"
