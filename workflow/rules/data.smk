# In:  public addresses, a mirror, or packages that carry samples.
# Out: results/sources/<source>/, results/datasets/<dataset>-<tier>/ with a card each.


# Its files are checked against their checksums and kept from one fetch to the next; so the card
# alone, written last, is an output.
rule fetch:
    output:
        f"{PLAN.source_folder('{source}')}/card.json",
    params:
        contents=lambda w: jobs.source_contents(w.source),
        code=lambda w: jobs.source_code(w.source),
    log:
        f"{LOGS}/fetch/{{source}}.log",
    benchmark:
        f"{BENCHMARKS}/fetch/{{source}}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=120,
    message:
        "fetch {wildcards.source}"
    shell:
        "{IBPAPERS} fetch {wildcards.source} > {log} 2>&1"


rule dataset:
    input:
        lambda w: [
            f"{PLAN.source_folder(source)}/card.json"
            for source in jobs.dataset_sources(PLAN, w.dataset)
        ],
    output:
        f"{PLAN.dataset_folder('{dataset}')}/arrays.npz",
        f"{PLAN.dataset_folder('{dataset}')}/card.json",
    params:
        settings=lambda w: jobs.canonical(PLAN.dataset_settings(w.dataset)),
        code=lambda w: jobs.dataset_code(w.dataset),
    log:
        f"{LOGS}/dataset/{PLAN.dataset_folder('{dataset}').name}.log",
    benchmark:
        f"{BENCHMARKS}/dataset/{PLAN.dataset_folder('{dataset}').name}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    message:
        "build {wildcards.dataset}"
    shell:
        "{IBPAPERS} dataset {wildcards.dataset} > {log} 2>&1"
