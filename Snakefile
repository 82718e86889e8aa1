# The workflows of bioseq. `snakemake -n` shows what would run, `snakemake --cores 2` runs it;
# `bioseq run` is the same for those who do not know Snakemake. docs/cluster.md has the rest.
from snakemake.utils import min_version

min_version("9.19")


configfile: "pipelines/config/config.yaml"


report: "pipelines/report/workflow.rst"


include: "pipelines/rules/common.smk"
include: "pipelines/rules/embed.smk"
include: "pipelines/rules/predict.smk"
include: "pipelines/rules/train.smk"
include: "pipelines/rules/evaluate.smk"
include: "pipelines/rules/benchmark.smk"


rule all:
    default_target: True
    input:
        rules.embed.input,
        rules.predict.input,
    localrule: True
