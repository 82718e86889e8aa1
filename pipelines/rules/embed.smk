# A store of embeddings for every sequence file in data/.


rule embed:
    input:
        "data/{name}.fasta.gz",
    output:
        "results/{name}.h5",
    log:
        "logs/embed/{name}.log",
    benchmark:
        "benchmarks/embed/{name}.tsv"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=30,
    shell:
        # Status 3: complete, with records that have no result listed in the store.
        "OMP_NUM_THREADS={threads} bioseq embed {input} -o {output} > {log} 2>&1 || test $? -eq 3"
