# The encoder's speed on the bundled proteome, against other implementations.


rule benchmark_throughput:
    input:
        "data/ecoli_k12.fasta.gz",
    output:
        "results/benchmark/throughput.json",
    log:
        "logs/benchmark/throughput.log",
    benchmark:
        "benchmarks/benchmark/throughput.tsv"
    threads: 2
    resources:
        mem_mb=8000,
        runtime=60,
    shell:
        "python pipelines/benchmark/throughput.py {input} -o {output} --limit 400"
        " --threads {threads} > {log} 2>&1"
