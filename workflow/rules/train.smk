# In:  a dataset, estimates of its entropies, and trained runs, where a run starts from them.
# Out: <root>/runs/<run>/, one method under one setting with all its seeds: the model, the history
#      of its training, the recipe. Checkpoints lie beside them while it trains.


rule train:
    input:
        lambda w: JOBS["train"][w.run].inputs,
    output:
        f"{PLAN.run_folder('{run}')}/model.safetensors",
        f"{PLAN.run_folder('{run}')}/history.npz",
        f"{PLAN.run_folder('{run}')}/recipe.json",
        f"{PLAN.run_folder('{run}')}/trace.json",
    params:
        settings=lambda w: JOBS["train"][w.run].settings,
        code=lambda w: JOBS["train"][w.run].code,
    log:
        f"{LOGS}/train/{ROOT.name}/{{run}}.log",
    benchmark:
        f"{BENCHMARKS}/train/{ROOT.name}/{{run}}.tsv"
    threads: PLAN.params.threads
    resources:
        **cluster.resources(PLAN, "train"),
    message:
        "train {wildcards.run}"
    shell:
        # In place of the shell: a SIGTERM to all of a job would end that one, and then the job,
        # before the training has saved its state.
        "exec {IBPAPERS} train {wildcards.run} > {log} 2>&1"
