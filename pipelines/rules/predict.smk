# Sequences in, one store of predictions for each task and sample out: plan, shards, merge.


rule predict:
    input:
        expand("results/predictions/{task}/{sample}.h5", task=config["tasks"], sample=samples),
    localrule: True


rule prediction_plans:
    input:
        expand("results/plans/{task}/{sample}.parquet", task=config["tasks"], sample=samples),
    localrule: True


rule plan_predictions:
    input:
        paths_of,
    output:
        "results/plans/{task}/{sample}.parquet",
    log:
        "logs/plan_predictions/{task}/{sample}.log",
    benchmark:
        "benchmarks/plan_predictions/{task}/{sample}.tsv"
    conda:
        "../envs/bioseq.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        shards=lambda wildcards: samples[wildcards.sample]["shards"],
        rate=options_of({"rate": config["rate"]}),
    shell:
        "OMP_NUM_THREADS={threads} bioseq plan {input:q} -o {output:q} --shards {params.shards}"
        " {params.rate:q} --task {wildcards.task:q} > {log:q} 2>&1"


rule predict_shard:
    input:
        plan="results/plans/{task}/{sample}.parquet",
        paths=paths_of,
    output:
        temp("results/shards/{task}/{sample}/shard-{shard}.h5"),
    log:
        "logs/predict_shard/{task}/{sample}/{shard}.log",
    benchmark:
        "benchmarks/predict_shard/{task}/{sample}/{shard}.tsv"
    conda:
        "../envs/bioseq.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        batch=options_of({"tokens_per_batch": config["tokens_per_batch"]}),
    shell:
        "OMP_NUM_THREADS={threads} bioseq predict {wildcards.task:q} --plan {input.plan:q}"
        " --shard {wildcards.shard} -o {output:q} {params.batch:q} > {log:q} 2>&1"
        " || test $? -eq 3"


rule merge_predictions:
    input:
        plan="results/plans/{task}/{sample}.parquet",
        shards=prediction_shards_of,
    output:
        "results/predictions/{task}/{sample}.h5",
    log:
        "logs/merge_predictions/{task}/{sample}.log",
    benchmark:
        "benchmarks/merge_predictions/{task}/{sample}.tsv"
    conda:
        "../envs/bioseq.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        folder=lambda wildcards, input: os.path.dirname(input.shards[0]),
    shell:
        # The folder, not its files: thousands of names do not fit into one command.
        "bioseq store merge {params.folder:q} --plan {input.plan:q} -o {output:q} --overwrite"
        " > {log:q} 2>&1"
