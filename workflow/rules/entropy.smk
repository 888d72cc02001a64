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
        mem_mb=4000,
        runtime=120,
        gpu=0,  # a profile for a cluster asks for one
    message:
        "estimate {wildcards.entropy}"
    shell:
        "{IBPAPERS} entropy {wildcards.entropy} > {log} 2>&1"
