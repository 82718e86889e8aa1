# The encoder's speed on the bundled proteome, against other implementations.


rule benchmark:
    input:
        "results/benchmark/throughput.json",
    localrule: True


rule benchmark_throughput:
    input:
        fasta="data/ecoli_k12.fasta.gz",
        script=workflow.source_path("../benchmark/throughput.py"),
    output:
        "results/benchmark/throughput.json",
    log:
        "logs/benchmark/throughput.log",
    benchmark:
        "benchmarks/benchmark/throughput.tsv"
    conda:
        "../envs/bioseq.yaml"
    threads: 2
    resources:
        mem_mb=8000,
        runtime=60,
    shell:
        "python {input.script:q} {input.fasta:q} -o {output:q} --limit 400 --threads {threads}"
        " > {log:q} 2>&1"
