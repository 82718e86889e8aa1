# Predictions for every sample and every task of the configuration.


rule predict:
    input:
        expand("results/predictions/{task}/{sample}.h5", task=config["tasks"], sample=samples),
    localrule: True


rule predict_task:
    input:
        paths_of,
    output:
        "results/predictions/{task}/{sample}.h5",
    log:
        "logs/predict_task/{task}/{sample}.log",
    benchmark:
        "benchmarks/predict_task/{task}/{sample}.tsv"
    conda:
        "../envs/bioseq.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    shell:
        "OMP_NUM_THREADS={threads} bioseq predict {wildcards.task} {input:q} -o {output:q}"
        " > {log:q} 2>&1 || test $? -eq 3"
