# Pre-training of the models whose settings the configuration names.


rule train_bundled:
    input:
        expand("results/training/{model}/model/model.safetensors", model=config["pretraining"]),
    localrule: True


rule pretrain:
    input:
        lambda wildcards: config["pretraining"][wildcards.model],
    output:
        "results/training/{model}/model/model.safetensors",
    log:
        "logs/pretrain/{model}.log",
    benchmark:
        "benchmarks/pretrain/{model}.tsv"
    conda:
        "../envs/bioseq.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=1440,
    params:
        folder=subpath(output[0], ancestor=2),
    shell:
        # The folder is no output: it holds the checkpoint that a repeated job goes on from.
        "OMP_NUM_THREADS={threads} bioseq train {input:q} -o {params.folder:q} > {log:q} 2>&1"
