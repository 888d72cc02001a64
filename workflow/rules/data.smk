# In:  public addresses, a mirror, or packages that carry samples.
# Out: results/sources/<source>/, results/datasets/<dataset>-<tier>/ with a card each.


rule fetch:
    output:
        f"{PLAN.source_folder('{source}')}/card.json",
        f"{PLAN.source_folder('{source}')}/trace.json",
    params:
        settings=lambda w: JOBS["fetch"][w.source].settings,
        code=lambda w: JOBS["fetch"][w.source].code,
    log:
        f"{LOGS}/fetch/{{source}}.log",
    benchmark:
        f"{BENCHMARKS}/fetch/{{source}}.tsv"
    threads: 1
    message:
        "fetch {wildcards.source}"
    shell:
        "{IBPAPERS} fetch {wildcards.source} > {log} 2>&1"


rule dataset:
    input:
        lambda w: JOBS["dataset"][w.dataset].inputs,
    output:
        f"{PLAN.dataset_folder('{dataset}')}/arrays.npz",
        f"{PLAN.dataset_folder('{dataset}')}/card.json",
        f"{PLAN.dataset_folder('{dataset}')}/trace.json",
    params:
        settings=lambda w: JOBS["dataset"][w.dataset].settings,
        code=lambda w: JOBS["dataset"][w.dataset].code,
    log:
        f"{LOGS}/dataset/{PLAN.dataset_folder('{dataset}').name}.log",
    benchmark:
        f"{BENCHMARKS}/dataset/{PLAN.dataset_folder('{dataset}').name}.tsv"
    threads: 1
    resources:
        **cluster.resources(PLAN, "dataset"),
    message:
        "build {wildcards.dataset}"
    shell:
        "{IBPAPERS} dataset {wildcards.dataset} > {log} 2>&1"
