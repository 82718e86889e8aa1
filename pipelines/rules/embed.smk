# Sequences in, one store of vectors for each sample out: plan, shards, merge.
# Status 3 of `bioseq embed`: complete, with records that have no result listed in the store.


rule embed:
    input:
        expand("results/embeddings/{sample}.h5", sample=samples),
        expand("results/figures/{sample}.svg", sample=samples),
    localrule: True


rule plans:
    input:
        expand("results/plans/{sample}.parquet", sample=samples),
    localrule: True


rule plan:
    input:
        paths_of,
    output:
        "results/plans/{sample}.parquet",
    log:
        "logs/plan/{sample}.log",
    benchmark:
        "benchmarks/plan/{sample}.tsv"
    conda:
        "../envs/bioseq.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        shards=lambda wildcards: samples[wildcards.sample]["shards"],
        rate=options_of({"rate": config["rate"]}),
        options=options_of(config["embedding"]),
    shell:
        "OMP_NUM_THREADS={threads} bioseq plan {input:q} -o {output:q} --shards {params.shards}"
        " {params.rate:q} {params.options:q} > {log:q} 2>&1"


rule embed_shard:
    input:
        plan="results/plans/{sample}.parquet",
        paths=paths_of,
    output:
        temp("results/shards/{sample}/shard-{shard}.h5"),
    log:
        "logs/embed_shard/{sample}/{shard}.log",
    benchmark:
        "benchmarks/embed_shard/{sample}/{shard}.tsv"
    conda:
        "../envs/bioseq.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        batch=options_of({"tokens_per_batch": config["tokens_per_batch"]}),
    shell:
        "OMP_NUM_THREADS={threads} bioseq embed --plan {input.plan:q} --shard {wildcards.shard}"
        " -o {output:q} {params.batch:q} > {log:q} 2>&1 || test $? -eq 3"


rule merge:
    input:
        plan="results/plans/{sample}.parquet",
        shards=shards_of,
    output:
        "results/embeddings/{sample}.h5",
    log:
        "logs/merge/{sample}.log",
    benchmark:
        "benchmarks/merge/{sample}.tsv"
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


rule figure:
    input:
        store="results/embeddings/{sample}.h5",
        plan="results/plans/{sample}.parquet",
        script=workflow.source_path("../report/figure.py"),
    output:
        report(
            "results/figures/{sample}.svg",
            caption="../report/figure.rst",
            category="Embeddings",
            labels={"sample": "{sample}"},
        ),
    log:
        "logs/figure/{sample}.log",
    benchmark:
        "benchmarks/figure/{sample}.tsv"
    conda:
        "../envs/bioseq.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 15 * attempt,
    shell:
        "OMP_NUM_THREADS={threads} python {input.script:q} {input.store:q} {input.plan:q}"
        " {output:q} > {log:q} 2>&1"
