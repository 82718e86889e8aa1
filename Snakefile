# The workflows of bioseq. `snakemake -n` shows what would run, `snakemake --cores 2` runs it.


rule all:
    default_target: True
    input:
        "results/ecoli_k12.h5",


include: "pipelines/rules/embed.smk"
include: "pipelines/benchmark/benchmark.smk"
