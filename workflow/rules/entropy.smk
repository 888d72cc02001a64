# In:  a dataset.
# Out: <root>/entropies/<entropy>.json, an estimate that trainings and figures read.


rule entropy:
    input:
        lambda w: JOBS["entropy"][w.entropy].inputs,
    output:
        f"{ROOT}/entropies/{{entropy}}.json",
        f"{ROOT}/entropies/{{entropy}}.trace.json",
    params:
        settings=lambda w: JOBS["entropy"][w.entropy].settings,
        code=lambda w: JOBS["entropy"][w.entropy].code,
    log:
        f"{LOGS}/entropy/{ROOT.name}/{{entropy}}.log",
    benchmark:
        f"{BENCHMARKS}/entropy/{ROOT.name}/{{entropy}}.tsv"
    threads: PLAN.params.threads
    resources:
        **cluster.resources(PLAN, "entropy"),
    message:
        "estimate {wildcards.entropy}"
    shell:
        "{IBPAPERS} entropy {wildcards.entropy} > {log} 2>&1"
