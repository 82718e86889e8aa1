# What a linear map finds in the residue vectors of the configured model.


rule evaluate:
    input:
        ["results/evaluation/probe.txt"] if config["probe"] else [],
    localrule: True


rule probe:
    input:
        table=[config["probe"]] if config["probe"] else [],
        script=workflow.source_path("../evaluation/probe.py"),
    output:
        report(
            "results/evaluation/probe.txt",
            caption="../report/probe.rst",
            category="Evaluation",
            labels={"measure": "secondary structure, Q3"},
        ),
    log:
        "logs/probe.log",
    benchmark:
        "benchmarks/probe.tsv"
    conda:
        "../envs/bioseq.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        model=config["embedding"]["model"],
    shell:
        "OMP_NUM_THREADS={threads} python {input.script:q} {input.table:q} {params.model:q}"
        " > {output:q} 2> {log:q}"
